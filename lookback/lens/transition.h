// Phase transitions: when a score rises in training, and how suddenly.
//
// A rise goes from a low to a peak, and ends where the score has fallen back by at least `reversal`
// from its extreme. Smaller wiggles are noise and part of the rise they occur in.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace lookback::lens {

/// A score after this many training tokens. A point at 0 tokens counts as 1, because the time axis
/// is logarithmic. Points with a non-finite score are skipped.
struct CurvePoint {
  double tokens = 0;
  double score = 0;
};

struct TransitionCriteria {
  double chance = 0;           ///< the score of attending without preference
  double clearly_above = 0.2;  ///< a maximum below chance + this is no transition
  double reversal = 0.05;      ///< see above; also the least height of a later rise; > 0
};

struct Transition {
  /// When it happened: the first crossing of the level described below, interpolated linearly in
  /// log tokens.
  double tokens = 0;
  /// The two points between which it happened: the last below the level and the first that reached
  /// it. The curve says nothing more precise. Both are the first point if the curve begins above
  /// the level.
  double after_tokens = 0;
  double by_tokens = 0;
  /// Width: log10 tokens from 10% to 90% of the rise from low_score to peak_score: from the last
  /// upward crossing of 10% before `tokens` to the first of 90% after it. None when the curve
  /// begins above the level: then `tokens` is its first point, and only an upper bound.
  std::optional<double> sharpness;
  double low_score = 0;   ///< where the rise began
  double peak_score = 0;  ///< its highest point: before the next fall, or of the curve so far
  double peak_tokens = 0;
};

/// The first transition: where the score first crosses half of its maximum over the curve. Its rise
/// is the one in which that crossing lies. None when the maximum is below chance +
/// clearly_above (the score never clearly exceeded chance) or there is no point.
/// REQUIRES a curve of ascending tokens.
std::optional<Transition> first_transition(std::span<const CurvePoint> curve,
                                           const TransitionCriteria& criteria);

/// The rises after the first transition's fall, each at the crossing of the middle between its low
/// and its peak. Empty when there is no first transition. REQUIRES as above.
std::vector<Transition> later_transitions(std::span<const CurvePoint> curve,
                                          const TransitionCriteria& criteria);

}  // namespace lookback::lens
