// What clamps do to a forward and backward pass, as taps.
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
// Where clamps of several kinds meet in one head, copying reads the pattern that the others set.
//
// Legend: T positions, V tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "lookback/data/ideal_patterns.h"
#include "lookback/data/token_source.h"
#include "lookback/model/executor.h"
#include "lookback/model/taps.h"
#include "lookback/train/batch_gradient.h"
#include "lookback/train/clamp.h"

namespace lookback::train {

/// The clamps of one worker, which runs one sequence of T tokens at a time. Not thread-safe.
template <class N>
class ClampTaps {
 public:
  /// `starting` are the run's starting weights. REQUIRES clamps that are valid for the program; it
  /// and all arguments must outlive this.
  ClampTaps(const model::Program& program, std::span<const Clamp> clamps,
            std::span<const N> starting, std::size_t length);
  ~ClampTaps();
  ClampTaps(const ClampTaps&) = delete;  // the hooks point here
  ClampTaps& operator=(const ClampTaps&) = delete;

  /// The taps for a forward and backward pass over `tokens` [T] in a step that begins when so many
  /// tokens were seen, or null where no clamp is in force. They live until the next call.
  const model::Taps<N>* prepare(std::uint64_t tokens_seen, std::span<const model::Token> tokens);

 private:
  class Pinned;
  class Copied;
  class Frozen;

  void choose(std::vector<const Clamp*> in_force);

  const model::Program& program_;
  std::span<const Clamp> clamps_;
  std::span<const N> starting_;
  std::size_t length_;
  std::vector<const Clamp*> in_force_;
  std::optional<model::Taps<N>> taps_;  ///< of those in force
  std::vector<std::unique_ptr<Pinned>> pinned_;
  std::vector<std::unique_ptr<Copied>> copied_;
  std::vector<std::unique_ptr<Frozen>> frozen_;
  std::unique_ptr<model::Executor<N>> starting_run_;  ///< null where nothing is frozen as it began
  std::optional<model::Taps<N>> starting_taps_;
};

/// The clamps of a run, for all its workers.
class RunClamps {
 public:
  /// REQUIRES clamps that are valid for the program, which must outlive this. `seed` is the run's,
  /// which its starting weights come from; sequences have `length` tokens.
  RunClamps(const model::Program& program, std::vector<Clamp> clamps, std::uint64_t seed,
            std::size_t length, std::size_t workers);

  std::span<const Clamp> clamps() const { return clamps_; }
  bool any_in_force(std::uint64_t tokens_seen) const;

  /// As ClampTaps::prepare, for one of the workers.
  const model::Taps<float>* prepare(std::size_t worker, std::uint64_t tokens_seen,
                                    std::span<const model::Token> tokens) {
    return workers_[worker]->prepare(tokens_seen, tokens);
  }

  /// The taps that training asks for; nothing (and so no cost) where there are no clamps. This and
  /// the source of the run's sequences must outlive it.
  TrainingTaps training_taps(const data::TokenSource& source);

 private:
  std::vector<Clamp> clamps_;
  std::vector<float> starting_;
  std::vector<std::unique_ptr<ClampTaps<float>>> workers_;
  std::vector<std::vector<model::Token>> tokens_;  ///< by worker
};

}  // namespace lookback::train
