// How similarly the heads of a model attend: do two heads do the same?
#pragma once

#include <cstddef>
#include <vector>

#include "lookback/math/view.h"

namespace lookback::lens {

/// Cosine similarity of the patterns of n heads on one sequence of T tokens, for every pair:
///   1/(T-1) sum_{t=1..T-1} cos(A_i[t, 0..t], A_j[t, 0..t])
/// This is a mean over rows, not one cosine of the whole triangles, so that every query counts the
/// same and sharp rows do not outweigh the rest; row 0 is excluded because it is [1] for every
/// head. It is 1 for equal patterns and 0 for heads that never look at the same source. The cosine
/// of a row of zeros (an ablated pattern) is taken as 0.
///
/// Patterns are given one after another; a triangle of each but the last is kept to compare with.
class HeadSimilarity {
 public:
  /// REQUIRES heads >= 1, length >= 2.
  HeadSimilarity(std::size_t heads, std::size_t length);

  /// Forgets the patterns of the last sequence.
  void start();
  /// The pattern [T,T] of the next head; what is above the diagonal is not read. REQUIRES fewer
  /// than `heads` patterns since start().
  void add(math::Matrix<const float> pattern);

  /// For the heads added: pair (i, j) with i < j at index j (j - 1) / 2 + i.
  const std::vector<double>& pairs() const { return pairs_; }

 private:
  double compare(math::Matrix<const float> pattern, std::size_t other) const;

  std::size_t heads_;
  std::size_t length_;
  std::size_t added_ = 0;
  std::vector<float> triangles_;       ///< [heads - 1, T (T + 1) / 2], rows below one another
  std::vector<double> inverse_norms_;  ///< [heads, T]: 1 / |A[t]|, 0 for a row of zeros
  std::vector<double> pairs_;
};

}  // namespace lookback::lens
