#include "lookback/cli/write_report.h"

#include <fmt/format.h>

#include "lookback/cli/console.h"
#include "lookback/cli/read_checkpoint.h"
#include "lookback/report/json_access.h"
#include "lookback/report/load_study.h"
#include "lookback/report/page.h"
#include "lookback/report/page_template.h"

namespace lookback::cli {
namespace {

/// Whether there is a run: a user's own study file has none beside it.
bool has_begun(const report::StudyReport& study) {
  for (const report::Arm& arm : study.arms) {
    for (const report::Run& run : arm.runs) {
      if (report::find_text(run.summary, {"status"}) != "waiting") return true;
    }
  }
  return false;
}

}  // namespace

Result<std::filesystem::path> write_report(const std::filesystem::path& directory) {
  const Result<report::StudyReport> loaded = report::load_study(directory, study_readers());
  if (!loaded) return loaded.error();
  if (!has_begun(*loaded)) {
    return Error{directory.string() +
                 ": found a study file but no runs, allowed: a directory made by `lookback study "
                 "--out`"};
  }
  for (const std::string& note : loaded->notes) tell(note + '\n');
  const Result<std::filesystem::path> page =
      report::write_report(directory, *loaded, report::page_template());
  if (!page) return page.error();
  if (!loaded->unread.empty()) {
    return Error{fmt::format("{}: is incomplete, because a file could not be read: {}{}",
                             page->string(), loaded->unread.front(),
                             loaded->unread.size() == 1
                                 ? ""
                                 : fmt::format(" (and {} more)", loaded->unread.size() - 1))};
  }
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(*page, error);
  return error ? *page : absolute;
}

}  // namespace lookback::cli
