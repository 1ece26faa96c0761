// How far the diagonal of a circuit from tokens to tokens rises above the rest of its rows: a QK
// circuit that matches scores a token highest with itself, an OV circuit that copies gives a token
// its own logit.
//
// Legend: V tokens, n rows looked at.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <span>
#include <vector>

#include "lookback/lens/low_rank.h"

namespace lookback::lens {

struct Matching {
  /// The mean over rows i of (M_ii - mean_j M_ij) / sd_j M_ij, with the deviation over all V
  /// entries of the row; a row without deviation counts as 0. At most sqrt(V - 1); 0 in expectation
  /// for an M without structure.
  double score = 0;
  /// The share of rows whose unique largest entry is on the diagonal. Chance: 1 / V.
  double diagonal_share = 0;
  std::size_t rows = 0;  ///< n, the rows looked at
};

/// The rows to examine, ascending: all V if V <= all_up_to, otherwise `count` (at most V) distinct
/// ones, from the stream (seed 0, StreamPurpose::probe, V).
std::vector<std::size_t> rows_to_look_at(std::size_t vocabulary, std::size_t all_up_to,
                                         std::size_t count);

/// Sees a V x V matrix in blocks of columns, some of its rows at a time.
class RowScan {
 public:
  /// `rows` must outlive this and lie below V = `columns`. Keeps the largest `largest` entries of
  /// the rows looked at.
  RowScan(std::span<const std::size_t> rows, std::size_t columns, std::size_t largest);

  /// The next columns of these rows, [n, any], in order from column 0 on.
  void add(const Eigen::MatrixXd& block);

  /// REQUIRES that all columns have been added.
  Matching matching() const;
  std::vector<MatrixEntry> largest() const { return largest_.sorted(); }

 private:
  void add_moments(const Eigen::MatrixXd& block);

  std::span<const std::size_t> rows_;
  std::size_t columns_;
  std::size_t seen_ = 0;
  Eigen::VectorXd mean_, squares_;  // of the columns seen: mean, sum of squared deviations from it
  Eigen::VectorXd diagonal_;
  Eigen::VectorXd rival_;  // the largest entry off the diagonal
  LargestEntries largest_;
};

/// The same of a matrix given by its factors. REQUIRES n = m, rows below n.
Matching matching(const LowRank& square, std::span<const std::size_t> rows);

}  // namespace lookback::lens
