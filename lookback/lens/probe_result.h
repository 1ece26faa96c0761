// The results of one probe for one model: every sequence's values, and their means.
//
// Legend: T positions, n heads of the whole model, layer by layer, and in a layer step by step.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "lookback/base/require.h"
#include "lookback/data/task.h"
#include "lookback/lens/estimate.h"
#include "lookback/lens/losses.h"
#include "lookback/lens/scores.h"

namespace lookback::lens {

/// The measurements of one sequence, kept for later bootstraps.
struct SequenceResult {
  std::vector<float> losses;                              ///< [T-1], nats
  std::vector<float> weights;                             ///< what each counts (losses.h), or empty
  std::vector<std::optional<data::Position>> occurrence;  ///< [T], of structure.h
  LossScores loss_scores;                                 ///< of these losses
  std::vector<HeadScores> heads;                          ///< [n]
  std::size_t repeated_queries = 0;  ///< |R| (scores.h); 0: scores over R are NaN
  std::vector<double> similarity;    ///< of pairs of heads as HeadSimilarity::pairs(), or empty
};

/// The place of a head: its layer, and its number in the layer over all steps, step * heads + head.
struct HeadPlace {
  std::size_t layer = 0;
  std::size_t head = 0;

  /// Whether a model can run this head before the other.
  bool comes_before(const HeadPlace& other) const {
    return layer < other.layer || (layer == other.layer && head < other.head);
  }
  bool operator==(const HeadPlace&) const = default;
};

/// Means and standard errors over sequences (estimate.h). Scores over R exclude sequences without
/// such a query.
struct HeadSummary {
  HeadPlace place;
  HeadScores mean;
  HeadScores standard_error;
  std::size_t sequences = 0;
  std::size_t repeating_sequences = 0;  ///< those that have a query in R

  Estimate estimate_of(const HeadMeasure& measure) const;
};

struct ProbeResult {
  std::vector<SequenceResult> sequences;  ///< in order

  LossScores mean;
  LossScores standard_error;
  std::optional<InContextPositions> in_context_positions;  ///< none: no such score (losses.h)
  std::vector<double> loss_by_position;  ///< [T-1]: mean over sequences; NaN where none counts
  std::vector<double>
      loss_by_occurrence;          ///< by occurrence of the target: mean over all its predictions
  std::vector<HeadSummary> heads;  ///< [n]
  std::vector<std::vector<double>>
      head_similarity;  ///< [n,n], symmetric, ones on the diagonal; or []

  Estimate estimate_of(const LossMeasure& measure) const;
};

/// The means of `sequences`, summed in their order: equal sequences give equal bits. `compared`: the
/// positions that their in-context learning scores compare.
/// REQUIRES at least one sequence, all of the same T, of layers * heads_per_layer heads each.
ProbeResult summarize(std::vector<SequenceResult> sequences, std::size_t heads_per_layer,
                      const std::optional<InContextPositions>& compared);

}  // namespace lookback::lens
