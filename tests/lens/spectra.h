// Singular values and eigenvalues by dense decompositions, and matrices for the tests of circuits.
#pragma once

#include <Eigen/Dense>
#include <limits>

#include "lookback/base/random.h"
#include "lookback/lens/low_rank.h"

namespace lookback::lens {

inline constexpr double epsilon = std::numeric_limits<double>::epsilon();

/// Entries ~ N(0, 1).
inline Eigen::MatrixXd random_matrix(Eigen::Index rows, Eigen::Index cols, std::uint64_t index) {
  base::RandomStream random(1, base::StreamPurpose::test, index);
  Eigen::MatrixXd matrix(rows, cols);
  for (double& number : matrix.reshaped()) number = random.normal();
  return matrix;
}

/// By Jacobi's method, the largest first.
Eigen::VectorXd dense_singular_values(const Eigen::MatrixXd& matrix);

/// `found` are the eigenvalues of the dense `product` that are not zero, one for one: each has its
/// own within the error of n^2 roundings of the factors.
void expect_spectrum(const Eigenvalues& found, const LowRank& product);

}  // namespace lookback::lens
