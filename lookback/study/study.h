// Runs a study: every arm with every seed, each in its own directory, then the summary.
//
//   DIR/study.toml                              the study as it is run
//   DIR/<arm>/seed-<n>/config.toml              the whole configuration of one run
//   DIR/<arm>/seed-<n>/metrics.jsonl            one line an evaluation
//   DIR/<arm>/seed-<n>/checkpoints/<tokens>.safetensors
//   DIR/<arm>/seed-<n>/findings.json            when the run has ended
//   DIR/<arm>/seed-<n>/inspection.{json,safetensors}    of its last checkpoint (inspect_run.h)
//   DIR/summary.json                            when all have
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>

#include "lookback/base/result.h"
#include "lookback/model/engine.h"
#include "lookback/study/study_file.h"

namespace lookback::study {

/// Where a study stands.
struct Progress {
  std::string arm;
  std::uint64_t seed = 0;
  std::uint64_t tokens = 0;
  std::uint64_t tokens_of_run = 0;
  double loss = 0;
  double tokens_per_second = 0;
  double seconds_left = 0;  ///< of the whole study
};

/// Who wants to hear of it, and may request a stop. Called from the thread that runs the study.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void message(const std::string& line) = 0;
  virtual void progress(const Progress& progress) = 0;
  virtual std::stop_token stop_token() const = 0;
};

/// Plans the study in its directory (study_plan.h) and carries that out, run by run, then writes
/// summary.json and ledger.json (ledger.h). A run that diverges ends with a message, and the study
/// continues with the others. Two processes cannot work in one directory: the second is refused. A stop is
/// an error of that kind: what is done is kept, and --resume continues to the same bits.
/// Errors: also those of plan_study, after which nothing has been written.
Status run_study(const Study& study, const std::filesystem::path& directory, bool resume,
                 model::Engine& engine, Listener& listener);

/// The same for one run of one arm, in `directory` itself.
Status run_single(const RunConfig& config, const std::filesystem::path& directory, bool resume,
                  model::Engine& engine, Listener& listener);

}  // namespace lookback::study
