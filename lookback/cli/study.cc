// lookback study: arms x seeds -> runs, inspections -> summary -> ledger -> report.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "lookback/base/count.h"
#include "lookback/base/file.h"
#include "lookback/base/json_file.h"
#include "lookback/cli/check_memory.h"
#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"
#include "lookback/cli/print_ledger.h"
#include "lookback/cli/print_plan.h"
#include "lookback/cli/write_report.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/model/program.h"
#include "lookback/study/study.h"
#include "lookback/study/study_file.h"
#include "lookback/study/training_data.h"

namespace lookback::cli {
namespace {

struct StudyOptions {
  std::string file, out, tokens, seeds;
  std::optional<std::string> size, data;
  std::optional<std::size_t> threads;
  bool resume = false, dry_run = false;
};

Result<study::Overrides> read_overrides(const StudyOptions& options) {
  study::Overrides overrides;
  const Result<std::optional<std::uint64_t>> tokens = read_count("--tokens", options.tokens);
  if (!tokens) return tokens.error();
  const Result<std::optional<std::uint64_t>> seeds = read_count("--seeds", options.seeds);
  if (!seeds) return seeds.error();
  overrides.tokens = *tokens;
  overrides.seeds = *seeds;
  overrides.size = options.size;
  overrides.directory = options.data;
  return overrides;
}

void print_arms(const study::Study& study) {
  for (const study::RunConfig& arm : study.arms) {
    const Result<model::Program> program = model::compile(arm.architecture);
    if (program) {
      tell(fmt::format("{}: {} parameters\n", arm.arm, program->parameter_count()));
    }
  }
}

/// Runs the study; signals are its own until it returns.
Status run_to_end(const study::Study& study, const StudyOptions& options) {
  StopSignal stop;
  model::CpuEngine engine(threads_of(options.threads));
  ConsoleProgress progress(stop, &study);
  return study::run_study(study, options.out, options.resume, engine, progress);
}

/// The ledger at the end of the study, on stderr: stdout has only the page's path.
Status print_verdicts(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "ledger.json";
  const Result<nlohmann::json> ledger = base::read_json_object(file);
  if (ledger.fails_with(ErrorKind::not_found)) return {};
  if (!ledger) return ledger.error();
  tell(ledger_text(*ledger));
  return {};
}

std::uint64_t tokens_of(const study::Study& study) {
  return std::ranges::max_element(study.arms, {}, [](const auto& arm) { return arm.train.tokens; })
      ->train.tokens;
}

/// How to run the study at a larger size, printed last; nothing at its largest.
void print_larger_sizes(const study::Study& study, const StudyOptions& options) {
  std::multimap<std::uint64_t, std::string> sizes;  // by tokens
  for (const std::string& size : study.sizes) {
    study::Overrides at_size;
    at_size.size = size;
    const Result<study::Study> other = study::read_study(options.file, at_size);
    if (!other || tokens_of(*other) <= tokens_of(study)) continue;
    const std::uint64_t tokens = tokens_of(*other);
    sizes.emplace(tokens,
                  fmt::format("--size {} ({} tokens per run)", size, base::count_text(tokens)));
  }
  if (sizes.empty()) return;
  std::vector<std::string> larger;
  larger.reserve(sizes.size());
  for (const auto& [tokens, size] : sizes) larger.push_back(size);
  std::fflush(stdout);
  tell(fmt::format("to go larger, run the same command with another --out and {}\n",
                   fmt::join(larger, " or ")));
}

int print_plan(const study::Study& study, const StudyOptions& options) {
  const auto plan = study::plan_study(study, options.out, options.resume);
  if (!plan) return fail(plan.error());
  fmt::print("{}", plan_text(*plan));
  return success;
}

int run(const StudyOptions& options) {
  const Result<study::Overrides> overrides = read_overrides(options);
  if (!overrides) return fail(overrides.error());
  if (options.out.empty()) return fail({"--out: found nothing, allowed: a directory"});
  const Result<study::Study> study = study::read_study_and_text(options.file, *overrides);
  if (!study) return fail(study.error());
  const std::size_t threads = threads_of(options.threads);
  if (Status enough = check_memory(study->arms, threads); !enough) return fail(enough.error());
  if (options.dry_run) return print_plan(*study, options);
  print_arms(*study);
  if (Status done = run_to_end(*study, options); !done) return fail_run(done.error());
  if (Status shown = print_verdicts(options.out); !shown) return fail(shown.error());
  const Result<std::filesystem::path> page = write_report(options.out);
  if (!page) return fail(page.error());
  fmt::print("{}\n", page->string());
  if (!overrides->tokens) print_larger_sizes(*study, options);
  return success;
}

}  // namespace

void add_study(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<StudyOptions>();
  CLI::App* command = app.add_subcommand("study", "run a study: train every arm with every seed");
  command->add_option("study", options->file, "study file (TOML)")->required();
  command->add_option("--out", options->out, "directory for everything the study makes")
      ->required();
  command->add_option("--tokens", options->tokens,
                      "training tokens per run, such as 40M or 1G (default: the study file's)");
  command->add_option("--seeds", options->seeds,
                      "number of seeds for each arm, counted from 0 (default: the study file's)");
  command->add_option("--size", options->size,
                      "one of the study's [sizes], such as article (default: the study as it is)");
  command->add_option("--data", options->data,
                      "directory made by `lookback tokens prepare` (default: the study file's)");
  command->add_option("--threads", options->threads, "worker threads (default: every processor)")
      ->check(CLI::Range(1, most_threads));
  command->add_flag("--resume", options->resume,
                    "continue an unfinished study, repair one, or add seeds or tokens to it");
  command->add_flag("--dry-run", options->dry_run,
                    "print what would be done with each run, and write nothing");
  command->footer("Example: lookback study studies/article.toml --out runs/article --tokens 40M");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace lookback::cli
