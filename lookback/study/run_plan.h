// What is about to be done to one run's directory, as data: found by reading alone, printed by --dry-run,
// carried out by one_run.h and study.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/study/run_config.h"

namespace lookback::study {

/// What a run's directory holds.
enum class RunState { nothing, unfinished, finished, diverged };

/// What will be done about it.
enum class Work {
  leave,
  inspect,   ///< inspects it, and evaluates it if it learned from text
  make,      ///< trains it from its first step
  resume,    ///< trains it on from where it was stopped
  lengthen,  ///< trains it on to more tokens than it has
  repair,    ///< removes what was changed or damaged, and makes that again
};

struct RunPlan {
  RunConfig config;
  std::filesystem::path directory;
  std::string stamp;  ///< of the manifest that the plan was made from (manifest.h)

  RunState state = RunState::nothing;
  Work work = Work::leave;
  bool lengthens = false;          ///< what is there has fewer tokens, damaged or not
  std::vector<std::string> notes;  ///< what is damaged or lost and what that costs, a line each

  /// Removed first, by name: what the manifest lists of these no longer counts.
  std::vector<std::string> lost_results;
  std::vector<std::string> lost_checkpoints;
  bool forgets_manifest = false;
  bool reopens = false;  ///< a run that has ended becomes one that has not

  bool trains = false;
  std::optional<std::uint64_t> from_step;  ///< of the checkpoint that training resumes from; if any
  bool looks = false;                      ///< inspects and evaluates it, where it has not diverged

  std::uint64_t steps() const;        ///< of the whole run
  std::uint64_t tokens_left() const;  ///< that it will be trained on
};

/// The plan for the run of `config` in a directory. What was changed, damaged or removed is looked for
/// with `resume` alone: then the run is made again from it, to the same bits, but for timing.json and
/// what `lookback eval` added. Changes nothing. Errors: another run, one that lookback 0.1 or 0.2 made,
/// a checkpoint of another configuration; what cannot be read now; without `resume`, a run that has
/// ended and whose config.toml or manifest.json is not as it was written.
Result<RunPlan> plan_run(const RunConfig& config, const std::filesystem::path& directory,
                         bool resume);

}  // namespace lookback::study
