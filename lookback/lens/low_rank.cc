#include "lookback/lens/low_rank.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "lookback/base/require.h"

namespace lookback::lens {
namespace {

using Matrix = Eigen::MatrixXd;

/// By descending value, then by place.
bool before(const MatrixEntry& a, const MatrixEntry& b) {
  if (a.value != b.value) return a.value > b.value;
  return std::pair(a.row, a.column) < std::pair(b.row, b.column);
}

bool eigenvalue_before(std::complex<double> a, std::complex<double> b) {
  // A conjugate pair has the same bits except for a sign, so its moduli are equal.
  const double moduli[] = {std::abs(a), std::abs(b)};
  if (moduli[0] != moduli[1]) return moduli[0] > moduli[1];
  if (a.real() != b.real()) return a.real() > b.real();
  return a.imag() > b.imag();
}

/// W = Q U with Q [rows, min(rows, cols)].
struct ThinQr {
  explicit ThinQr(const Matrix& weights) : qr(weights) {}

  Eigen::Index inner() const { return std::min(qr.rows(), qr.cols()); }
  Matrix upper() const { return qr.matrixQR().topRows(inner()).triangularView<Eigen::Upper>(); }
  /// Q times `inner` [inner(),k].
  Matrix times(const Matrix& small) const {
    Matrix tall = Matrix::Zero(qr.rows(), small.cols());
    tall.topRows(small.rows()) = small;
    return qr.householderQ() * tall;
  }

  Eigen::HouseholderQR<Matrix> qr;
};

}  // namespace

Result<Eigenvalues> eigenvalues_of(const Matrix& square) {
  if (!square.allFinite()) {
    return Error{fmt::format("found a {} x {} matrix with non-finite numbers", square.rows(),
                             square.cols())};
  }
  const Eigen::EigenSolver<Matrix> solver(square, false);
  if (solver.info() != Eigen::Success) {
    return Error{fmt::format("the eigenvalues of a matrix {} x {} did not converge", square.rows(),
                             square.cols()),
                 ErrorKind::failed};
  }
  const Eigen::VectorXcd& values = solver.eigenvalues();
  Eigenvalues sorted(values.begin(), values.end());
  std::ranges::sort(sorted, eigenvalue_before);
  return sorted;
}

Matrix triangle(const Matrix& weights) { return ThinQr(weights).upper(); }

void LargestEntries::add(const MatrixEntry& entry) {
  if (heap_.size() < count_) {
    heap_.push_back(entry);
    std::ranges::push_heap(heap_, before);
    return;
  }
  if (count_ == 0 || !before(entry, heap_.front())) return;
  std::ranges::pop_heap(heap_, before);
  heap_.back() = entry;
  std::ranges::push_heap(heap_, before);
}

std::vector<MatrixEntry> LargestEntries::sorted() const {
  std::vector<MatrixEntry> entries = heap_;
  std::ranges::sort(entries, before);
  return entries;
}

LowRank::LowRank(Matrix left, Matrix right) : left_(std::move(left)), right_(std::move(right)) {
  LOOKBACK_REQUIRE(left_.cols() == right_.rows() && left_.size() > 0 && right_.size() > 0);
}

Result<Eigenvalues> LowRank::eigenvalues() const {
  LOOKBACK_REQUIRE(rows() == cols());
  return eigenvalues_of(left_.rows() < left_.cols() ? Matrix(left_ * right_)
                                                    : Matrix(right_ * left_));
}

std::vector<double> LowRank::singular_values() const {
  const Matrix core = triangle(left_) * triangle(right_.transpose()).transpose();
  LOOKBACK_REQUIRE(core.allFinite());
  const Eigen::VectorXd values = Eigen::BDCSVD<Matrix>(core).singularValues();
  return {values.begin(), values.end()};
}

LowRank::SingularVectors LowRank::singular_vectors(std::size_t count) const {
  const ThinQr left(left_);
  const ThinQr right(right_.transpose());
  const Eigen::BDCSVD<Matrix> core(left.upper() * right.upper().transpose(),
                                   Eigen::ComputeThinU | Eigen::ComputeThinV);
  const Eigen::VectorXd& values = core.singularValues();
  const Eigen::Index kept = std::min(eigen_index(count), values.size());
  return {{values.begin(), values.begin() + kept},
          left.times(core.matrixU().leftCols(kept)),
          right.times(core.matrixV().leftCols(kept))};
}

double LowRank::frobenius_norm() const {
  return (triangle(left_) * triangle(right_.transpose()).transpose()).norm();
}

double LowRank::trace() const {
  LOOKBACK_REQUIRE(rows() == cols());
  return left_.cwiseProduct(right_.transpose()).sum();
}

std::vector<double> LowRank::diagonal() const {
  LOOKBACK_REQUIRE(rows() == cols());
  const Eigen::VectorXd entries = left_.cwiseProduct(right_.transpose()).rowwise().sum();
  return {entries.begin(), entries.end()};
}

Matrix LowRank::row_block(std::size_t first, std::size_t count) const {
  LOOKBACK_REQUIRE(first + count <= rows());
  return left_.middleRows(eigen_index(first), eigen_index(count)) * right_;
}

std::vector<double> LowRank::row(std::size_t row_index) const {
  const Eigen::RowVectorXd entries = left_.row(eigen_index(row_index)) * right_;
  return {entries.begin(), entries.end()};
}

void LowRank::for_each_block(std::size_t max_numbers,
                             const std::function<void(std::size_t, const Matrix&)>& body) const {
  const std::size_t height = std::max<std::size_t>(1, max_numbers / cols());
  for (std::size_t first = 0; first < rows(); first += height) {
    body(first, row_block(first, std::min(height, rows() - first)));
  }
}

std::vector<MatrixEntry> LowRank::largest_entries(std::size_t count) const {
  LargestEntries largest(count);
  for_each_block(block_numbers, [&](std::size_t first, const Matrix& block) {
    for (Eigen::Index c = 0; c < block.cols(); ++c) {
      for (Eigen::Index r = 0; r < block.rows(); ++r) {
        largest.add(
            {first + static_cast<std::size_t>(r), static_cast<std::size_t>(c), block(r, c)});
      }
    }
  });
  return largest.sorted();
}

Result<Matrix> LowRank::dense(std::size_t max_side) const {
  if (rows() > max_side || cols() > max_side) {
    return Error{fmt::format("the matrix is {} x {}; allowed: at most {} rows and columns", rows(),
                             cols(), max_side)};
  }
  return Matrix(left_ * right_);
}

}  // namespace lookback::lens
