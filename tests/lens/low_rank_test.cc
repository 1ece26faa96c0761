#include "lookback/lens/low_rank.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <tuple>

#include "tests/base/like.h"
#include "tests/lens/spectra.h"

namespace lookback::lens {
namespace {

using Matrix = Eigen::MatrixXd;

/// Rounding of what sums of at most 9 products give, of factors of this size.
double product_rounding(const LowRank& product) {
  return 9 * 9 * epsilon * product.left().norm() * product.right().norm();
}

/// Sizes n, r, m: tall factors, and fewer rows than the rank allows.
class LowRankOf : public ::testing::TestWithParam<std::tuple<int, int, int>> {
 protected:
  LowRankOf()
      : product_(random_matrix(std::get<0>(GetParam()), std::get<1>(GetParam()), 1),
                 random_matrix(std::get<1>(GetParam()), std::get<2>(GetParam()), 2)),
        dense_(product_.left() * product_.right()) {}

  LowRank product_;
  Matrix dense_;
};

TEST_P(LowRankOf, HasTheSingularValuesAndTheNormOfTheMatrix) {
  const Eigen::VectorXd expected = dense_singular_values(dense_);
  const std::vector<double> found = product_.singular_values();
  ASSERT_EQ(found.size(), std::min({product_.rows(), product_.cols(),
                                    static_cast<std::size_t>(product_.left().cols())}));
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], expected(static_cast<Eigen::Index>(i)), product_rounding(product_));
  }
  EXPECT_NEAR(product_.frobenius_norm(), dense_.norm(), product_rounding(product_));
}

TEST_P(LowRankOf, IsMadeOfItsSingularVectors) {
  const auto all = product_.singular_vectors(99);
  const auto k = static_cast<Eigen::Index>(all.values.size());
  const Eigen::VectorXd values = Eigen::Map<const Eigen::VectorXd>(all.values.data(), k);
  const Matrix made = all.left * values.asDiagonal() * all.right.transpose();
  EXPECT_LE((made - dense_).norm(), 9 * product_rounding(product_));
  EXPECT_LE((all.left.transpose() * all.left - Matrix::Identity(k, k)).norm(), 81 * epsilon);
  EXPECT_LE((all.right.transpose() * all.right - Matrix::Identity(k, k)).norm(), 81 * epsilon);
  const auto first = product_.singular_vectors(1);
  ASSERT_EQ(first.left.cols(), 1);
  EXPECT_EQ(first.values.front(), all.values.front());
  EXPECT_LE((first.left - all.left.col(0)).norm(), 81 * epsilon);
}

TEST_P(LowRankOf, GivesRowsAndBlocks) {
  for (const std::size_t numbers : {1U, 20U, 1000U}) {
    Matrix seen = Matrix::Zero(dense_.rows(), dense_.cols());
    product_.for_each_block(numbers, [&](std::size_t first, const Matrix& block) {
      EXPECT_TRUE(block.rows() == 1 || static_cast<std::size_t>(block.size()) <= numbers);
      seen.middleRows(static_cast<Eigen::Index>(first), block.rows()) += block;
    });
    EXPECT_LE((seen - dense_).norm(), product_rounding(product_));
  }
  const std::vector<double> row = product_.row(1);
  ASSERT_EQ(row.size(), product_.cols());
  for (Eigen::Index c = 0; c < dense_.cols(); ++c) {
    EXPECT_NEAR(row[static_cast<std::size_t>(c)], dense_(1, c), product_rounding(product_));
  }
}

TEST_P(LowRankOf, IsGivenWholeUpToTheLimit) {
  const std::size_t side = std::max(product_.rows(), product_.cols());
  const auto whole = product_.dense(side);
  ASSERT_TRUE(whole);
  EXPECT_TRUE(*whole == dense_);
  const auto refused = product_.dense(side - 1);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("at most"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Sizes, LowRankOf,
                         ::testing::Values(std::tuple(9, 3, 9), std::tuple(9, 4, 6),
                                           std::tuple(3, 5, 9), std::tuple(2, 4, 3)));

TEST(LowRank, HasTheEigenvaluesOfTheMatrix) {
  for (const auto& [n, r] : {std::pair(9, 3), std::pair(9, 4), std::pair(3, 5)}) {
    const LowRank product(random_matrix(n, r, 3), random_matrix(r, n, 4));
    const auto found = product.eigenvalues();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->size(), static_cast<std::size_t>(std::min(n, r)));
    EXPECT_TRUE(std::ranges::is_sorted(*found, std::greater<>(),
                                       [](const auto& value) { return std::abs(value); }));
    if (r <= n) expect_spectrum(*found, product);
  }
}

TEST(LowRank, HasTheDiagonalAndTheTraceOfTheMatrix) {
  const LowRank product(random_matrix(9, 3, 5), random_matrix(3, 9, 6));
  const Matrix dense = product.left() * product.right();
  const std::vector<double> diagonal = product.diagonal();
  ASSERT_EQ(diagonal.size(), 9U);
  for (Eigen::Index i = 0; i < 9; ++i) {
    EXPECT_NEAR(diagonal[static_cast<std::size_t>(i)], dense(i, i), product_rounding(product));
  }
  EXPECT_NEAR(product.trace(), dense.trace(), product_rounding(product));
}

TEST(LowRank, FindsTheLargestEntriesInOrder) {
  Matrix left(3, 1);
  Matrix right(1, 3);
  left << 1, 2, -1;
  right << 3, -4, 3;  // rows 3 -4 3, 6 -8 6, -3 4 -3
  EXPECT_EQ(LowRank(left, right).largest_entries(4),
            (std::vector<MatrixEntry>{{1, 0, 6}, {1, 2, 6}, {2, 1, 4}, {0, 0, 3}}));
  EXPECT_EQ(LowRank(left, right).largest_entries(99).size(), 9U);
  EXPECT_TRUE(LowRank(left, right).largest_entries(0).empty());
}

TEST(EigenvaluesOf, ARotationAreAConjugatePair) {
  Matrix rotation(3, 3);
  rotation << 0, -2, 0, 2, 0, 0, 0, 0, 1;
  const auto found = eigenvalues_of(rotation);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (Eigenvalues{{0, 2}, {0, -2}, {1, 0}}));
}

TEST(EigenvaluesOf, RefusesWhatIsNotFinite) {
  Matrix matrix = Matrix::Zero(2, 2);
  matrix(1, 0) = std::numeric_limits<double>::quiet_NaN();
  const auto refused = eigenvalues_of(matrix);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(test::like(refused.error().message, "*2 x 2*"));
}

}  // namespace
}  // namespace lookback::lens
