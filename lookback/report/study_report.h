// The input of a report: the results of one study as plain data, read from its directory or filled
// in by a test. Legend of shapes: T positions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lookback/report/checkpoint_contents.h"
#include "lookback/report/lens_result.h"
#include "lookback/study/sweep.h"

namespace lookback::report {

/// The one sequence on which all maps are drawn: a block of `period` tokens, repeated.
struct HeldOutSequence {
  std::vector<std::uint32_t> tokens;  // [T]
  std::size_t period = 0;             // in tokens; 0 when the sequence has no period
};

struct Run {
  std::uint64_t seed = 0;
  std::uint64_t planned_tokens = 0;     // training tokens when it has ended; 0 when not known
  std::vector<nlohmann::json> metrics;  // the lines of metrics.jsonl, in order of tokens
  /// Its row of summary.json or, if the run has not ended, what is known so far. "status" is
  /// "finished", "diverged", "training" or "waiting".
  nlohmann::json summary;
  /// The checkpoints that the page shows, ascending.
  std::vector<std::shared_ptr<const EncodedCheckpoint>> checkpoints;
  std::optional<LensResult> lens;  // of its last checkpoint, where it was inspected
};

struct Arm {
  std::string name;
  std::size_t parameters = 0;
  std::vector<Run> runs;
  std::string configuration;  // config.toml of its first run, or empty
  std::size_t sequences = 0;  // held-out sequences of each probe at an evaluation; 0: not known
};

struct StudyReport {
  std::string name;
  std::string question;
  std::string description;
  std::uint64_t tokens = 0;   // training tokens a run was asked for; 0 when not recorded
  std::uint64_t threads = 0;  // 0 when not recorded
  std::vector<Arm> arms;
  study::SweptArms swept;  // axes of a sweep, and where each of the arms lies
  HeldOutSequence sequence;
  nlohmann::json ledger;            // ledger.json, or null
  std::vector<std::string> notes;   // what was left out or could not be read, a line each
  std::vector<std::string> unread;  // of these, what belongs on the page and could not be read
};

}  // namespace lookback::report
