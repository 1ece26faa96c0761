// A model beside the predictors of its task (data/sequence_predictor.h): what they lose themselves, and
// how far the model's predictions are from theirs.
//
// Legend: T positions, V tokens. Prediction t, made at position t < T - 1, is of the token x_{t+1}.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lookback/data/task.h"
#include "lookback/lens/estimate.h"
#include "lookback/lens/losses.h"
#include "lookback/math/view.h"

namespace lookback::lens {

/// One predictor. Means and standard errors are over sequences.
struct PredictorScore {
  std::string name;
  bool is_ideal = false;
  LossScores mean;  ///< of its own losses, in nats
  LossScores standard_error;
  /// KL(predictor || model) in nats: the mean over predictions, weighted as the losses are.
  Estimate divergence;
};

/// What the predictors of a task make of some of its sequences. It does not depend on a model, so it is
/// found once. Immutable and thread-safe.
class PredictorReference {
 public:
  /// Of sequences 0 .. sequences - 1 of the probe, which must outlive this. REQUIRES T >= 2.
  PredictorReference(const data::Task& probe, std::size_t sequences);

  bool empty() const { return known_.empty(); }

  /// By predictor the divergence of a model on sequence `index`, at least 0: the mean over predictions of
  ///   sum_v Q_v (ln Q_v - ln P_v),  Q the predictor's probabilities, P = softmax(logits) the model's.
  /// REQUIRES index < sequences, the sequence's tokens [T], the model's losses [T-1] and logits [T,V].
  std::vector<double> divergences(std::size_t index, std::span<const data::Token> tokens,
                                  std::span<const float> losses,
                                  math::Matrix<const float> logits) const;

  /// All predictors, in the task's order. `divergences` [sequences]: as above.
  std::vector<PredictorScore> scores(std::span<const std::vector<double>> divergences) const;

 private:
  struct Known {
    PredictorScore score;                  // all but the divergence
    std::vector<double> negative_entropy;  // [sequences]: mean over predictions of sum_v Q_v ln Q_v
  };

  const data::Task& probe_;
  std::vector<Known> known_;  // by predictor
};

}  // namespace lookback::lens
