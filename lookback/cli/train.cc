// lookback train: one run of one arm of a study.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "lookback/base/nearest.h"
#include "lookback/base/printable.h"
#include "lookback/cli/check_memory.h"
#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"
#include "lookback/cli/print_plan.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/study/study.h"
#include "lookback/study/study_file.h"
#include "lookback/study/training_data.h"

namespace lookback::cli {
namespace {

constexpr std::uint64_t most_seed = INT64_MAX;  // what a TOML integer holds

struct TrainOptions {
  std::string file, arm, out, tokens;
  std::optional<std::string> size, data;
  std::uint64_t seed = 0;
  std::optional<std::size_t> threads;
  bool resume = false, dry_run = false;
};

Result<study::RunConfig> find_arm(const study::Study& study, const TrainOptions& options) {
  const auto arm = std::ranges::find(study.arms, options.arm, &study::RunConfig::arm);
  if (arm != study.arms.end()) {
    return study.run(static_cast<std::size_t>(arm - study.arms.begin()), options.seed);
  }
  std::vector<std::string> known;
  for (const study::RunConfig& other : study.arms) known.push_back(other.arm);
  const std::optional<std::string> meant = base::nearest(options.arm, known);
  return Error{fmt::format(
      "--arm: {} has no arm '{}'{}; its arms are: {}", options.file, base::printable(options.arm),
      meant ? fmt::format("; nearest: '{}'", *meant) : "", fmt::join(known, ", "))};
}

int print_plan(const study::RunConfig& config, const TrainOptions& options) {
  const auto plan = study::plan_single(config, options.out, options.resume);
  if (!plan) return fail(plan.error());
  fmt::print("{}", plan_text(*plan));
  return success;
}

int run(const TrainOptions& options) {
  const Result<std::optional<std::uint64_t>> tokens = read_count("--tokens", options.tokens);
  if (!tokens) return fail(tokens.error());
  const Result<study::Study> study = study::read_study_and_text(
      options.file,
      {.tokens = *tokens, .seeds = {}, .size = options.size, .directory = options.data});
  if (!study) return fail(study.error());
  const Result<study::RunConfig> config = find_arm(*study, options);
  if (!config) return fail(config.error());
  const std::size_t threads = threads_of(options.threads);
  if (Status enough = check_memory({&*config, 1}, threads); !enough) return fail(enough.error());
  if (options.dry_run) return print_plan(*config, options);
  StopSignal stop;
  model::CpuEngine engine(threads);
  const Status done = [&] {
    ConsoleProgress progress(stop);  // ends its line before anything else is printed
    return study::run_single(*config, options.out, options.resume, engine, progress);
  }();
  if (!done) return fail_run(done.error());
  fmt::print("{}/findings.json\n", options.out);
  return success;
}

}  // namespace

void add_train(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<TrainOptions>();
  CLI::App* command = app.add_subcommand("train", "train one arm of a study with one seed");
  command->add_option("study", options->file, "study file (TOML)")->required();
  command->add_option("--arm", options->arm, "name of the arm")->required();
  command->add_option("--seed", options->seed, "seed of the weights and the sequences (default: 0)")
      ->check(CLI::Range(std::uint64_t{0}, most_seed));
  command->add_option("--out", options->out, "directory for the run")->required();
  command->add_option("--tokens", options->tokens,
                      "training tokens, such as 40M (default: the study file's)");
  command->add_option("--size", options->size,
                      "one of the study's [sizes], such as article (default: the study as it is)");
  command->add_option("--data", options->data,
                      "directory made by `lookback tokens prepare` (default: the study file's)");
  command->add_option("--threads", options->threads, "worker threads (default: every processor)")
      ->check(CLI::Range(1, most_threads));
  command->add_flag("--resume", options->resume,
                    "continue from the last good checkpoint, or to more tokens");
  command->add_flag("--dry-run", options->dry_run, "print what would be done, and write nothing");
  command->footer(
      "Example: lookback train studies/article.toml --arm two-layer --seed 0 --out runs/one");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace lookback::cli
