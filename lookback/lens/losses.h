// What the losses of a sequence say about learning in context.
//
// Legend: T positions. losses [T-1] in nats: losses[t] is that of the prediction made at t, of
// x_{t+1}. weights [T-1]: what each counts (TokenSource::weights); empty: all alike.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "lookback/data/task.h"

namespace lookback::lens {

struct LossScores {
  double loss = 0;              ///< mean over all T - 1 predictions; all means are weighted
  double first_half_loss = 0;   ///< mean over the predictions made at 0 .. T/2 - 1
  double second_half_loss = 0;  ///< mean over those made at T/2 .. T - 2; NaN when there are none
  double answered_loss = 0;     ///< mean over those of the second half that looking back can tell:
      ///< made at t with answers in the structure; NaN when there are none
  double in_context_learning_score = 0;  ///< loss at the late position minus at the early one; NaN
                                         ///< where that says nothing

  bool operator==(const LossScores&) const = default;
};

/// One loss by its name in files.
struct LossMeasure {
  const char* name;
  double LossScores::*value;
};

/// Every member of LossScores, in its order.
std::span<const LossMeasure> loss_measures();

/// The two predictions that the in-context learning score compares, by the positions they are made
/// at. Olsson et al. 2022 take the 50th and the 500th token of 512; in proportion that is
/// round(50/512 T) and round(500/512 T), and never beyond T - 2.
struct InContextPositions {
  std::size_t early = 0;
  std::size_t late = 0;
};
InContextPositions in_context_positions(std::size_t length);

/// The same for a probe, or none where their difference says nothing of learning in context.
///
/// In text any prediction can gain from more context. In repeated blocks looking back either answers a
/// prediction or cannot, and the loss of one that it cannot answer is that of a random token: a model that
/// has learned to look back is wrong there with confidence, far above ln V. So both positions must be
/// such that context can help (TaskProfile): the early one in some sequences, and the late one in all
/// of them. Of repeated blocks that leaves out
///   random-repeat    the early position always lies in the first copy: the score is the loss of ONE
///                    prediction in the second (answered_loss has all of them) less that of a random
///                    token
///   broken-period    the late position may lie in a gap
///   any other probe  whose shortest period is longer than the early position: 50/512 T
std::optional<InContextPositions> in_context_positions(const data::Task& probe);

/// `compared`: the positions of the in-context learning score; none: it is NaN.
/// REQUIRES losses [T-1], T = structure.length() >= 2, positions below T - 1.
LossScores score_losses(std::span<const float> losses, const data::Structure& structure,
                        std::span<const float> weights = {},
                        const std::optional<InContextPositions>& compared = std::nullopt);

/// A mean in the making.
struct Tally {
  double sum = 0;
  double weight = 0;
  void add(double value, double counts = 1) {
    sum += counts * value;
    weight += counts;
  }
  /// NaN when nothing was counted.
  double mean() const;
};

/// Adds each loss to the tally of the occurrence that its target x_{t+1} belongs to, from 0 on; targets of
/// none are left out. `tallies` grows to the number of occurrences. Later copies of a block are seen
/// only in sequences of short periods. REQUIRES losses [T-1], occurrence [T].
void tally_by_occurrence(std::span<const float> losses, std::span<const float> weights,
                         std::span<const std::optional<data::Position>> occurrence,
                         std::vector<Tally>& tallies);

}  // namespace lookback::lens
