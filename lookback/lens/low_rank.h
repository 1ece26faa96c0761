// A matrix of low rank as the product of its factors: M = L R, L [n,r], R [r,m].
//
// A circuit from tokens to tokens is such a matrix, with n = m = V far above r = d_head: its
// properties are computed from the factors, and the V x V product is made only on request.
#pragma once

#include <Eigen/Dense>
#include <complex>
#include <cstddef>
#include <functional>
#include <vector>

#include "lookback/base/result.h"

namespace lookback::lens {

/// Numbers in a block of a matrix too large to hold whole: 8 MiB.
inline constexpr std::size_t block_numbers = std::size_t{1} << 20;

/// Eigen uses signed sizes.
inline Eigen::Index eigen_index(std::size_t size) { return static_cast<Eigen::Index>(size); }

/// By descending modulus; conjugate pairs are adjacent, the positive imaginary part first.
using Eigenvalues = std::vector<std::complex<double>>;

/// The eigenvalues of a square matrix. Errors: non-finite numbers; an iteration that does not
/// converge.
Result<Eigenvalues> eigenvalues_of(const Eigen::MatrixXd& square);

/// The upper triangle (trapezoid) of W = Q U: [min(rows, cols), cols]. |W X|_F = |U X|_F for every
/// X, and W X Y^T W'^T has the singular values of U X Y^T U'^T.
Eigen::MatrixXd triangle(const Eigen::MatrixXd& weights);

struct MatrixEntry {
  std::size_t row = 0;
  std::size_t column = 0;
  double value = 0;

  bool operator==(const MatrixEntry&) const = default;
};

/// Keeps the largest entries of a matrix that is shown block by block. Equal values: the first by
/// row, then by column, in whatever order the blocks come.
class LargestEntries {
 public:
  explicit LargestEntries(std::size_t count) : count_(count) {}

  void add(const MatrixEntry& entry);
  /// By descending value.
  std::vector<MatrixEntry> sorted() const;

 private:
  std::size_t count_;
  std::vector<MatrixEntry> heap_;  // the least on top
};

class LowRank {
 public:
  /// REQUIRES left.cols() == right.rows(), no size zero.
  LowRank(Eigen::MatrixXd left, Eigen::MatrixXd right);

  std::size_t rows() const { return static_cast<std::size_t>(left_.rows()); }
  std::size_t cols() const { return static_cast<std::size_t>(right_.cols()); }
  const Eigen::MatrixXd& left() const { return left_; }
  const Eigen::MatrixXd& right() const { return right_; }

  /// The min(r, n) eigenvalues that can differ from zero: those of R L [r,r] are those of L R, the
  /// other n - r are zeros. REQUIRES n = m. Errors: those of eigenvalues_of.
  Result<Eigenvalues> eigenvalues() const;

  /// The min(n, r, m) singular values that can differ from zero, in descending order: L = Q U, R^T
  /// = Q' U', and those of U U'^T [r,r] are those of L R. REQUIRES a finite norm of L R, here and
  /// below.
  std::vector<double> singular_values() const;

  struct SingularVectors {
    std::vector<double> values;  ///< [k], falling
    Eigen::MatrixXd left;        ///< [n,k], orthonormal columns
    Eigen::MatrixXd right;       ///< [m,k]
  };
  /// The first k = min(count, n, r, m) of them; M = left diag(values) right^T if k is the rank.
  SingularVectors singular_vectors(std::size_t count) const;

  double frobenius_norm() const;
  /// REQUIRES n = m, here and below.
  double trace() const;
  std::vector<double> diagonal() const;

  /// `count` rows from `first` on, [count,m]. REQUIRES first + count <= n.
  Eigen::MatrixXd row_block(std::size_t first, std::size_t count) const;
  /// One row [m].
  std::vector<double> row(std::size_t index) const;

  /// Shows the whole matrix in blocks of rows of at most `max_numbers` numbers (but at least one
  /// row): body(first row, block).
  void for_each_block(std::size_t max_numbers,
                      const std::function<void(std::size_t, const Eigen::MatrixXd&)>& body) const;

  /// The largest entries, found block by block: 2 n m r operations.
  std::vector<MatrixEntry> largest_entries(std::size_t count) const;

  /// The matrix itself. Errors: more than `max_side` rows or columns.
  Result<Eigen::MatrixXd> dense(std::size_t max_side) const;

 private:
  Eigen::MatrixXd left_;   // [n,r]
  Eigen::MatrixXd right_;  // [r,m]
};

}  // namespace lookback::lens
