// What the losses of a sequence say about learning in context.
//
// Legend: T positions. losses [T-1] in nats: losses[t] is that of the prediction made at t, of
// x_{t+1}.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "lookback/data/repeated_blocks.h"

namespace lookback::lens {

struct LossScores {
  double loss = 0;              ///< mean over all T - 1 predictions
  double first_half_loss = 0;   ///< mean over the predictions made at 0 .. T/2 - 1
  double second_half_loss = 0;  ///< mean over those made at T/2 .. T - 2; NaN when T = 2
  double answered_loss = 0;     ///< mean over those of the second half that looking back can tell:
                                ///< made at t with structure.answer(t); NaN when there are none
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
/// In text any prediction can gain from more context. On these probes looking back either answers a
/// prediction or cannot (structure.answer), and the loss of one that it cannot answer is that of a
/// random token: a model that has learned to look back is wrong there with confidence, far above ln V.
/// So both positions must be such that context can tell: the early one in some sequences, those whose
/// first copy is over by then, and the late one in all of them. That leaves out
///   random-repeat    the early position always lies in the first copy: the score is the loss of ONE
///                    prediction in the second (answered_loss has all of them) less that of a random
///                    token
///   broken-period    the late position may lie in a gap
///   any other probe  whose shortest period is longer than the early position: 50/512 T
std::optional<InContextPositions> in_context_positions(const data::BlockSource& probe);

/// `compared`: the positions of the in-context learning score; none: it is NaN.
/// REQUIRES losses [T-1], T = structure.length >= 2, positions below T - 1.
LossScores score_losses(std::span<const float> losses, const data::BlockStructure& structure,
                        const std::optional<InContextPositions>& compared = std::nullopt);

/// A mean in the making.
struct Tally {
  double sum = 0;
  std::size_t count = 0;
  /// NaN when nothing was counted.
  double mean() const;
};

/// Adds each loss to the tally of the copy that its target x_{t+1} belongs to, from copy 0 on;
/// targets in gaps are left out. `tallies` grows to the number of copies. Later copies are seen
/// only in sequences of short periods. REQUIRES losses [structure.length - 1].
void tally_by_occurrence(std::span<const float> losses, const data::BlockStructure& structure,
                         std::vector<Tally>& tallies);

}  // namespace lookback::lens
