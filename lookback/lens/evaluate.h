// Runs a model over a probe and measures it.
//
// Every sequence is a job of its own, forward only, and each pattern is scored when it is shown: none
// is kept. Means are taken afterwards in the order of the sequences: the result has the same bits for
// any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/data/task.h"
#include "lookback/lens/model.h"
#include "lookback/lens/probe_result.h"

namespace lookback::lens {

/// Models with more heads than this get no head_similarity: its work and memory grow with the
/// square, and with the patterns, of the heads.
inline constexpr std::size_t max_similarity_heads = 32;

/// Plans that sequences are run with: of these tokens one each, valid until it is asked again, or none.
using SequencePlans = std::function<Result<std::span<const Plan>>(
    std::span<const std::vector<data::Token>> sequences)>;

/// Hears what each sequence came to, beside the measures: its number from 0, and its tokens. Called from
/// several threads, of one sequence once.
using OutputListener =
    std::function<void(std::size_t i, std::span<const data::Token> tokens, model::Output& output)>;

/// Evaluates one program many times. Not thread-safe; the program and the engine must outlive it.
class Evaluator {
 public:
  Evaluator(const model::Program& program, model::Engine& engine);

  /// Measures sequences first .. first + sequences - 1 of the probe. `plans` may be empty; scores are taken
  /// of what they leave. `listener` may be empty.
  /// Errors: no sequence, those of check_inputs (engine.h) and of plans.
  Result<ProbeResult> evaluate(std::span<const float> parameters, const data::Task& probe,
                               std::size_t sequences, std::uint64_t first = 0,
                               const SequencePlans& plans = {},
                               const OutputListener& listener = {});

 private:
  const model::Program& program_;
  std::unique_ptr<model::Session> session_;
};

/// The same once, for sequences 0 .. sequences - 1.
Result<ProbeResult> evaluate(const model::Program& program, std::span<const float> parameters,
                             const data::Task& probe, std::size_t sequences, model::Engine& engine);

/// "blocks.{layer}.attn.hook_pattern"
std::string pattern_name(std::size_t layer);

}  // namespace lookback::lens
