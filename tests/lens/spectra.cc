// The decompositions take most of the time in which these tests are compiled: here they are made once.
#include "tests/lens/spectra.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>

namespace lookback::lens {
namespace {

/// How much the worst eigenvalue of a diagonalizable matrix moves for a change of norm one: the
/// condition of its eigenvectors (Bauer and Fike 1960). Of L R, whose eigenvectors are L u for
/// those of R L, it is at most that of R L times those of L and R.
double eigenvalue_condition(const LowRank& product) {
  const Eigen::EigenSolver<Eigen::MatrixXd> small(product.right() * product.left());
  const auto condition = [](const auto& matrix) {
    const Eigen::VectorXd values = matrix.jacobiSvd().singularValues();
    return values(0) / values(values.size() - 1);
  };
  return condition(small.eigenvectors()) * condition(product.left()) * condition(product.right());
}

}  // namespace

Eigen::VectorXd dense_singular_values(const Eigen::MatrixXd& matrix) {
  return matrix.jacobiSvd().singularValues();
}

void expect_spectrum(const Eigenvalues& found, const LowRank& product) {
  const Eigen::MatrixXd dense = product.left() * product.right();
  const Eigen::EigenSolver<Eigen::MatrixXd> solver(dense, false);
  const auto n = static_cast<double>(dense.rows());
  const double tolerance = n * n * epsilon * eigenvalue_condition(product) * product.left().norm() *
                           product.right().norm();
  Eigenvalues left(solver.eigenvalues().begin(), solver.eigenvalues().end());
  for (const std::complex<double>& value : found) {
    ASSERT_FALSE(left.empty());
    const auto nearest = std::ranges::min_element(
        left, {}, [&](const std::complex<double>& other) { return std::abs(other - value); });
    EXPECT_LE(std::abs(*nearest - value), tolerance);
    left.erase(nearest);
  }
  for (const std::complex<double>& value : left) EXPECT_LE(std::abs(value), tolerance);
}

}  // namespace lookback::lens
