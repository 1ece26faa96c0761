// Runs a model over a probe and measures it.
//
// Every sequence is a task of its own, forward only, and its patterns are scored where they lie, as
// the program runs. Means are taken afterwards in the order of the sequences: the result has the
// same bits for any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/base/workers.h"
#include "lookback/data/repeated_blocks.h"
#include "lookback/lens/probe_result.h"
#include "lookback/model/program.h"
#include "lookback/model/taps.h"

namespace lookback::lens {

/// Models with more heads than this get no head_similarity: its work and memory grow with the
/// square, and with the patterns, of the heads.
inline constexpr std::size_t max_similarity_heads = 32;

/// Taps that a sequence is run with, or null: asked for before each one, from several threads. What
/// it returns must live until the same worker asks again. Scores are taken of what they leave.
using SequenceTaps = std::function<const model::Taps<float>*(std::size_t worker,
                                                             std::span<const data::Token> tokens)>;

/// Evaluates one program many times. Holds one executor a worker, made at the first evaluation and
/// made anew only when the probes' length changes. Not thread-safe; the program and the workers
/// must outlive it, and the workers must be idle when it is called.
class Evaluator {
 public:
  Evaluator(const model::Program& program, base::Workers& workers);
  ~Evaluator();
  Evaluator(const Evaluator&) = delete;
  Evaluator& operator=(const Evaluator&) = delete;

  /// Measures sequences first .. first + sequences - 1 of the probe. The band of band_share is the
  /// probe's min_period .. max_period, the periods of training. `taps` may be empty.
  /// Errors: no sequence, a buffer that is not the program's, a probe that is longer than the
  /// program's context or has tokens that it does not know.
  Result<ProbeResult> evaluate(std::span<const float> parameters, const data::BlockSource& probe,
                               std::size_t sequences, std::uint64_t first = 0,
                               const SequenceTaps& taps = {});

 private:
  class Bench;
  Status prepare(std::size_t length);

  const model::Program& program_;
  base::Workers& workers_;
  std::size_t length_ = 0;                       ///< of the sequences that the benches are made for
  std::vector<std::unique_ptr<Bench>> benches_;  ///< one a worker
};

/// The same once, for sequences 0 .. sequences - 1.
Result<ProbeResult> evaluate(const model::Program& program, std::span<const float> parameters,
                             const data::BlockSource& probe, std::size_t sequences,
                             base::Workers& workers);

/// Whether `parameters` is a buffer of the program, and sequences of `length` tokens below
/// `vocabulary` can be run. The error says what was found and what is allowed.
Status check_inputs(const model::Program& program, std::span<const float> parameters,
                    std::size_t length, std::size_t vocabulary);

/// "blocks.{layer}.attn.hook_pattern"
std::string pattern_name(std::size_t layer);

}  // namespace lookback::lens
