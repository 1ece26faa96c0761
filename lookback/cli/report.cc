// lookback report: writes the page of a study again from its files.
#include <fmt/format.h>

#include <memory>

#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"
#include "lookback/cli/write_report.h"

namespace lookback::cli {

void add_report(CLI::App& app, int& exit_code) {
  const auto directory = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("report", "write a study's page again");
  command->add_option("directory", *directory, "directory made by `lookback study --out`")
      ->required();
  command->footer("Example: lookback report runs/article");
  command->callback([directory, &exit_code] {
    const Result<std::filesystem::path> page = write_report(*directory);
    if (page) fmt::print("{}\n", page->string());
    exit_code = page ? success : fail(page.error());
  });
}

}  // namespace lookback::cli
