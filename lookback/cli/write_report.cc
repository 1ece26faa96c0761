#include "lookback/cli/write_report.h"

#include <fmt/format.h>

#include "lookback/cli/read_checkpoint.h"
#include "lookback/report/load_study.h"
#include "lookback/report/page.h"
#include "lookback/report/page_template.h"

namespace lookback::cli {
Result<std::filesystem::path> write_report(const std::filesystem::path& directory) {
  const Result<report::StudyReport> loaded = report::load_study(directory, study_readers());
  if (!loaded) return loaded.error();
  for (const std::string& note : loaded->notes) fmt::print(stderr, "{}\n", note);
  const Result<std::filesystem::path> page =
      report::write_report(directory, *loaded, report::page_template());
  if (!page) return page.error();
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(*page, error);
  return error ? *page : absolute;
}

}  // namespace lookback::cli
