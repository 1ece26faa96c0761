// Runs a program forward and backward, for any number type.
//
// Legend: B sequences, T positions, V tokens.
#pragma once

#include <span>
#include <vector>

#include "lookback/model/run.h"

namespace lookback::model {

/// One worker's memory for a program over batches of B sequences of T tokens. Not thread-safe: each
/// thread has its own. The program must outlive it. N is float, double or std::complex<double>.
template <class N>
class Executor {
 public:
  /// REQUIRES 1 <= length <= the program's context, batch >= 1. With Keep::logits the activations
  /// take a fraction of the memory; then neither backward nor a `first_step` may be asked for.
  Executor(const Program& program, std::size_t batch, std::size_t length,
           Keep keep = Keep::everything);

  /// Runs the steps over tokens [B,T], each below V. `parameters` is the flat buffer and must live
  /// until backward. With `taps`, hooks see every activation they name.
  /// Steps before number `first_step` are not run: the forward before this one must have left their
  /// activations as they are wanted (a pattern takes the place of its scores: begin with the scores).
  void forward(std::span<const N> parameters, std::span<const Token> tokens,
               const Taps<N>* taps = nullptr, std::size_t first_step = 0);

  /// Negative log-likelihoods [B,T-1] in nats of each sequence's token t+1 as predicted at t.
  std::span<const N> losses();

  /// Adds the gradient of weight * sum(losses) to `gradient` (a flat buffer as the parameters'),
  /// and returns the losses. `of_each` [B,T-1] multiplies each loss before the sum; empty: nothing does.
  /// Uses up the logits. REQUIRES a forward just before.
  std::span<const N> backward(N weight, std::span<N> gradient, std::span<const float> of_each = {});

  /// [B*T,V], until backward.
  Matrix<const N> logits() { return run_.value(run_.program.logits); }

 private:
  template <class Row>
  void for_each_sequence(Row row);
  void scale_predictions(std::span<const float> of_each);

  Run<N> run_;
  std::vector<N> losses_;
};

}  // namespace lookback::model
