// lookback verify: checks that the files of runs and studies are as lookback wrote them.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"
#include "lookback/study/verify.h"

namespace lookback::cli {
namespace {

std::string counted(std::size_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string line_of(const study::Verification& found) {
  std::string text =
      fmt::format("{}, {}, {}", counted(found.studies, "study", "studies"),
                  counted(found.runs, "run", "runs"), counted(found.files, "file", "files"));
  if (found.unfinished > 0)
    text += fmt::format(" ({} unfinished)", counted(found.unfinished, "run", "runs"));
  if (found.faults.empty()) return text + ": all files are as written";
  return text + ": " + counted(found.faults.size(), "fault", "faults");
}

int run_verify(const std::vector<std::string>& directories) {
  int exit_code = success;
  for (const std::string& directory : directories) {
    const Result<study::Verification> found = study::verify(directory);
    if (!found) {
      exit_code = fail(found.error());
      continue;
    }
    for (const std::string& fault : found->faults) fmt::print("{}\n", fault);
    fmt::print("{}: {}\n", directory, line_of(*found));
    if (!found->faults.empty()) exit_code = failure;
  }
  return exit_code;
}

}  // namespace

void add_verify(CLI::App& app, int& exit_code) {
  const auto directories = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand(
      "verify", "check that the files of runs and studies are as lookback wrote them");
  command
      ->add_option("directory", *directories, "one or more runs, studies, or directories of them")
      ->required();
  command->footer(
      "Prints a line for each file that was changed, damaged, removed or added, with what to do\n"
      "about it, and exits with 1 if there is any.\n"
      "Example: lookback verify runs/article");
  command->callback([directories, &exit_code] { exit_code = run_verify(*directories); });
}

}  // namespace lookback::cli
