// lookback ledger: decides the claims of a study from its runs.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "lookback/base/file.h"
#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"
#include "lookback/cli/print_ledger.h"
#include "lookback/study/ledger.h"
#include "lookback/study/output_place.h"
#include "lookback/study/study_directory.h"

namespace lookback::cli {
namespace {

struct LedgerOptions {
  std::string directory;
  bool json = false;
};

constexpr const char* allowed_place = "allowed: a directory made by `lookback study --out`";

int run_ledger(const LedgerOptions& options) {
  const std::filesystem::path directory = options.directory;
  const Result<bool> there = base::is_there(directory / "study.toml");
  if (!there) return fail(there.error());
  if (!*there) {
    return fail({fmt::format("{}: found no study.toml, {}", options.directory, allowed_place),
                 ErrorKind::not_found});
  }
  const Result<study::Study> study = study::read_study_in(directory);
  if (!study) return fail(study.error());
  if (study->claims.empty()) {
    return fail({fmt::format("{}: found no [[claim]]; a ledger needs at least one",
                             (directory / "study.toml").string())});
  }
  const Result<study::DirectoryKind> kind = study::kind_of(directory);
  if (!kind) return fail(kind.error());
  if (*kind != study::DirectoryKind::study) {
    return fail({fmt::format("{}: found no runs, {}", options.directory, allowed_place),
                 ErrorKind::not_found});
  }
  const Result<nlohmann::json> ledger = study::write_ledger(*study, directory);
  if (!ledger) return fail(ledger.error());
  fmt::print("{}", options.json ? ledger->dump(2) + '\n' : ledger_text(*ledger));
  return success;
}

}  // namespace

void add_ledger(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<LedgerOptions>();
  CLI::App* command =
      app.add_subcommand("ledger", "decide a study's claims from the runs that have ended");
  command->add_option("directory", options->directory, "directory made by `lookback study --out`")
      ->required();
  command->add_flag("--json", options->json, "print ledger.json instead of a summary");
  command->footer("Example: lookback ledger runs/article");
  command->callback([options, &exit_code] { exit_code = run_ledger(*options); });
}

}  // namespace lookback::cli
