#include "lookback/lens/matching.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "lookback/base/random.h"
#include "lookback/base/require.h"

namespace lookback::lens {

std::vector<std::size_t> rows_to_look_at(std::size_t vocabulary, std::size_t all_up_to,
                                         std::size_t count) {
  std::vector<std::size_t> rows;
  if (vocabulary <= std::max(all_up_to, count)) {
    rows.resize(vocabulary);
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    return rows;
  }
  // Selection sampling (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S): every set of
  // `count` rows has the same chance.
  base::RandomStream random(0, base::StreamPurpose::probe, vocabulary);
  for (std::size_t row = 0; row < vocabulary && rows.size() < count; ++row) {
    if (random.below(vocabulary - row) < count - rows.size()) rows.push_back(row);
  }
  return rows;
}

RowScan::RowScan(std::span<const std::size_t> rows, std::size_t columns, std::size_t largest)
    : rows_(rows), columns_(columns), largest_(largest) {
  const auto count = static_cast<Eigen::Index>(rows.size());
  mean_ = squares_ = diagonal_ = Eigen::VectorXd::Zero(count);
  rival_ = Eigen::VectorXd::Constant(count, -std::numeric_limits<double>::infinity());
}

void RowScan::add(const Eigen::MatrixXd& block) {
  add_moments(block);
  for (Eigen::Index c = 0; c < block.cols(); ++c) {
    const std::size_t column = seen_ + static_cast<std::size_t>(c);
    for (Eigen::Index r = 0; r < block.rows(); ++r) {
      const double value = block(r, c);
      const std::size_t row = rows_[static_cast<std::size_t>(r)];
      if (row == column) {
        diagonal_(r) = value;
      } else {
        rival_(r) = std::max(rival_(r), value);
      }
      largest_.add({row, column, value});
    }
  }
  seen_ += static_cast<std::size_t>(block.cols());
}

/// Combines the means and squares of two parts: Chan, Golub and LeVeque, "Updating formulae and a
/// pairwise algorithm for computing sample variances" (1979).
void RowScan::add_moments(const Eigen::MatrixXd& block) {
  const Eigen::VectorXd mean = block.rowwise().mean();
  const Eigen::VectorXd squares = (block.colwise() - mean).rowwise().squaredNorm();
  const auto before = static_cast<double>(seen_);
  const auto added = static_cast<double>(block.cols());
  const Eigen::VectorXd step = mean - mean_;
  mean_ += step * (added / (before + added));
  squares_ += squares + step.cwiseAbs2() * (before * added / (before + added));
}

Matching RowScan::matching() const {
  LOOKBACK_REQUIRE(seen_ == columns_);
  Matching result;
  result.rows = rows_.size();
  for (Eigen::Index r = 0; r < diagonal_.size(); ++r) {
    const double deviation = std::sqrt(squares_(r) / static_cast<double>(columns_));
    if (deviation > 0) result.score += (diagonal_(r) - mean_(r)) / deviation;
    if (diagonal_(r) > rival_(r)) result.diagonal_share += 1;
  }
  result.score /= static_cast<double>(rows_.size());
  result.diagonal_share /= static_cast<double>(rows_.size());
  return result;
}

Matching matching(const LowRank& square, std::span<const std::size_t> rows) {
  LOOKBACK_REQUIRE(square.rows() == square.cols() && !rows.empty());
  LOOKBACK_REQUIRE(std::ranges::max(rows) < square.rows());
  // A block of the columns of all rows, of one column at least.
  const std::size_t width = std::max<std::size_t>(1, block_numbers / rows.size());
  Eigen::MatrixXd left(static_cast<Eigen::Index>(rows.size()), square.left().cols());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    left.row(static_cast<Eigen::Index>(i)) = square.left().row(static_cast<Eigen::Index>(rows[i]));
  }
  RowScan scan(rows, square.cols(), 0);
  for (std::size_t first = 0; first < square.cols(); first += width) {
    const std::size_t count = std::min(width, square.cols() - first);
    scan.add(left * square.right().middleCols(static_cast<Eigen::Index>(first),
                                              static_cast<Eigen::Index>(count)));
  }
  return scan.matching();
}

}  // namespace lookback::lens
