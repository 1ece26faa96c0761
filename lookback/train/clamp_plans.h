// What clamps do to a forward and backward pass, as plans.
//
// previous-token, matching: the head's pattern [T,T] is data::ideal_pattern of the sequence, a
//   constant; its queries and keys learn nothing.
// copying: what the head writes is taken away (its hook_z is zero), and the ideal copy stands in its
//   place, at the logits: a head that attends A[t,s] says "the token x_s comes next",
//     logits[t,v] += gain * sum_{s <= t} A[t,s] [x_s = v].
//   Its pattern learns through that copy alone: dA[t,s] += gain * dlogits[t,x_s]. So its values and
//   output weights learn nothing, and what the copy says reaches no norm and no later head.
// freeze: the activation is a constant, what it was under the starting weights in this very sequence
//   or zero; or itself, while the gradient by it is zero.
//
// If clamps of several kinds apply to one head, copying reads the pattern that the others set.
//
// Legend: T positions, V tokens.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "lookback/base/aligned.h"
#include "lookback/data/token_source.h"
#include "lookback/model/engine.h"
#include "lookback/train/clamp.h"

namespace lookback::train {

/// Makes the plans for the sequences of a step that begins after this many tokens: one each, or
/// none for all. They live until the next call.
using TrainingPlans = std::function<Result<std::span<const model::Plan>>(
    std::uint64_t tokens_seen, std::span<const std::vector<data::Token>> sequences)>;

/// The clamps of a run, as plans for its sequences. Not thread-safe.
class ClampPlans {
 public:
  /// `starting` are the run's starting weights. REQUIRES clamps that are valid for the program, which
  /// must outlive this, as must the engine.
  ClampPlans(const model::Program& program, std::vector<Clamp> clamps, std::vector<float> starting,
             model::Engine& engine);

  std::span<const Clamp> clamps() const { return clamps_; }
  bool any_in_force(std::uint64_t tokens_seen) const;

  /// One plan for each sequence, valid until the next call; none if no clamp is in force. Errors:
  /// those of the engine.
  Result<std::span<const model::Plan>> prepare(std::uint64_t tokens_seen,
                                               std::span<const std::vector<data::Token>> sequences);

  /// What training calls; empty (and so without cost) if there are no clamps. This must outlive it.
  TrainingPlans training_plans();

 private:
  Status run_starting_weights(std::span<const Clamp* const> in_force,
                              std::span<const std::vector<data::Token>> sequences);
  void add_edits(const Clamp& clamp, std::size_t sequence, std::span<const data::Token> tokens,
                 model::Edits& edits);
  math::Matrix<const float> ideal(const Clamp& clamp, std::span<const data::Token> tokens);

  const model::Program& program_;
  std::vector<Clamp> clamps_;
  std::vector<float> starting_;
  std::unique_ptr<model::Session> starting_session_;
  std::vector<model::JobResult> starting_runs_;  ///< by sequence, of what is frozen as it began
  std::vector<base::AlignedVector<float>> patterns_;
  std::vector<model::Plan> plans_;
};

}  // namespace lookback::train
