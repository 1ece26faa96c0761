// Newton-Schulz on every instruction set against its definition in double, and what the definition does
// to singular values.
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>
#include "lookback/math/orthogonal.h"
#include "lookback/math/reference.h"
#include "tests/math/support.h"

namespace lookback::math {
namespace {

using testing::Grid;
using testing::Random;
using testing::unit_roundoff;

constexpr double most_slope = 4;  // of a s + b s^3 + c s^5 for |s| <= 1.2
constexpr double largest_value = 1.21;

/// How far a float iteration may end from the definition, in the Frobenius norm. The iteration is an
/// odd function of the singular values, so it magnifies an error by at most its steepest slope. It adds
/// its own: with S the shorter side and L the longer, |X|_F <= 1.21 sqrt(S), in which sums of L and of S
/// terms round; where roundings are independent they add up as their root. The coefficients weigh them by
/// at most 15.
double allowed_error(std::size_t rows, std::size_t cols) {
  const auto shorter = static_cast<double>(std::min(rows, cols));
  const double terms = std::sqrt(static_cast<double>(rows + cols));
  const double own = 15 * terms * unit_roundoff * largest_value * std::sqrt(shorter);
  double error = unit_roundoff * terms;  // of the division by the norm
  for (std::size_t i = 0; i < NewtonSchulz::iterations; ++i) error = most_slope * error + own;
  return error;
}

double distance(const Grid<float>& found, const Grid<double>& expected) {
  double sum = 0;
  for (std::size_t i = 0; i < found.values().size(); ++i) {
    const double difference = static_cast<double>(found.values()[i]) - expected.values()[i];
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

std::vector<std::pair<std::size_t, std::size_t>> shapes() {
  return {{1, 1}, {1, 7}, {9, 1}, {3, 3}, {8, 16}, {16, 8}, {17, 33}, {64, 5}, {40, 129}};
}

class OrthogonalOn : public testing::OnEachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Each, OrthogonalOn, testing::each_instruction_set(), testing::name_of);

TEST_P(OrthogonalOn, AgreesWithItsDefinition) {
  for (const auto& [rows, cols] : shapes()) {
    for (const double size : {1e-6, 1.0, 1e6}) {
      Random random(rows + cols);
      Grid<float> x = random.grid(rows, cols, 0, size);
      Grid<double> expected(x);
      std::vector<float> scratch(simd::orthogonalize_scratch(rows, cols));
      simd::orthogonalize(x.view(), scratch);
      reference::orthogonalize(expected.view());
      EXPECT_LE(distance(x, expected), allowed_error(rows, cols))
          << rows << " x " << cols << " of size " << size;
    }
  }
}

TEST_P(OrthogonalOn, AZeroMatrixStaysZero) {
  Grid<float> x(4, 6);
  std::vector<float> scratch(simd::orthogonalize_scratch(4, 6));
  simd::orthogonalize(x.view(), scratch);
  for (const float value : x.values()) EXPECT_EQ(value, 0);
}

TEST(Orthogonal, TheBoundWouldTellOneIterationLess) {
  Random random(1);
  Grid<float> x = random.grid(16, 40);
  Grid<double> five(x), six(x);
  reference::orthogonalize(five.view());
  six = five;
  reference::orthogonalize(six.view());
  double difference = 0;
  for (std::size_t i = 0; i < five.values().size(); ++i) {
    difference += std::pow(five.values()[i] - six.values()[i], 2);
  }
  EXPECT_GT(std::sqrt(difference), 20 * allowed_error(16, 40));
}

/// The singular values of what is made of U S V^T are those of the scalar iteration, and its singular
/// vectors are the same: sum u v^T with the new values.
TEST(Orthogonal, MovesSingularValuesAloneAndNearOne) {
  for (const auto& [rows, cols] : shapes()) {
    Random random(rows * 100 + cols);
    Grid<double> x = random.grid<double>(rows, cols);
    using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const RowMajor before = Eigen::Map<const RowMajor>(
        x.values().data(), static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(cols));
    const Eigen::JacobiSVD<Eigen::MatrixXd> svd(before, Eigen::ComputeThinU | Eigen::ComputeThinV);
    Eigen::VectorXd values = svd.singularValues() / (before.norm() + NewtonSchulz::epsilon);
    for (double& s : values) {
      const bool is_large = s > 0.002;
      for (int i = 0; i < 5; ++i) s = 3.4445 * s - 4.775 * s * s * s + 2.0315 * std::pow(s, 5);
      if (is_large) {
        EXPECT_NEAR(s, 0.95, 0.28);
      }
    }
    const Eigen::MatrixXd expected =
        svd.matrixU() * values.asDiagonal() * svd.matrixV().transpose();
    reference::orthogonalize(x.view());
    const RowMajor found = Eigen::Map<const RowMajor>(
        x.values().data(), static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(cols));
    EXPECT_LE((found - expected).norm(), 1e-10 * expected.norm()) << rows << " x " << cols;
  }
}

}  // namespace
}  // namespace lookback::math
