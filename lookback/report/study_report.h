// What a report is made from: the results of one study as plain data, read from its directory or
// filled in by a test. Legend of shapes: T positions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lookback/report/lens_result.h"

namespace lookback::report {

/// The attention pattern of one head on the held-out sequence.
struct AttentionMap {
  std::size_t layer = 0;
  std::size_t head = 0;
  std::string label;           // for a person, such as "layer 0, head 1"
  std::vector<float> weights;  // [T, T] row-major, query by source, causal, each row sums to 1
};

/// Every head's map at one checkpoint.
struct CheckpointMaps {
  std::uint64_t tokens = 0;  // training tokens seen when the checkpoint was written
  std::vector<AttentionMap> heads;
};

/// The one sequence on which all maps are drawn: a block of `period` tokens, repeated.
struct HeldOutSequence {
  std::vector<std::uint32_t> tokens;  // [T]
  std::size_t period = 0;             // in tokens; 0 when the sequence has no period
};

struct Run {
  std::uint64_t seed = 0;
  std::vector<nlohmann::json> metrics;  // the lines of metrics.jsonl, in order of tokens
  nlohmann::json summary;               // this run's object in summary.json
  std::vector<CheckpointMaps> attention;
  std::optional<LensResult> lens;  // of its last checkpoint, where it was inspected
};

struct Arm {
  std::string name;
  std::size_t parameters = 0;
  std::vector<Run> runs;
  std::string configuration;  // config.toml of its first run, or empty
};

struct StudyReport {
  std::string name;
  std::string question;
  std::string description;
  std::uint64_t tokens = 0;   // training tokens a run was asked for; 0 when not recorded
  std::uint64_t threads = 0;  // 0 when not recorded
  std::vector<Arm> arms;
  HeldOutSequence sequence;
  std::vector<std::string> notes;  // what was left out or could not be read, a line each
};

}  // namespace lookback::report
