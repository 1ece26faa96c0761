#include "lookback/lens/matching.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "tests/lens/spectra.h"

namespace lookback::lens {
namespace {

std::vector<std::size_t> all_rows(std::size_t count) {
  std::vector<std::size_t> rows(count);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

LowRank of_matrix(const Eigen::MatrixXd& matrix) {
  return {matrix, Eigen::MatrixXd::Identity(matrix.cols(), matrix.cols())};
}

TEST(Matching, OfTheIdentityIsPerfect) {
  const Matching found = matching(of_matrix(Eigen::MatrixXd::Identity(10, 10)), all_rows(10));
  EXPECT_NEAR(found.score, std::sqrt(9.0), 100 * epsilon);
  EXPECT_EQ(found.diagonal_share, 1);
  EXPECT_EQ(found.rows, 10U);
}

TEST(Matching, OfMinusTheIdentityIsTheOpposite) {
  const Matching found = matching(of_matrix(-Eigen::MatrixXd::Identity(10, 10)), all_rows(10));
  EXPECT_NEAR(found.score, -std::sqrt(9.0), 100 * epsilon);
  EXPECT_EQ(found.diagonal_share, 0);
}

TEST(Matching, OfRowsWithoutDeviationIsZeroAndATieIsNoMatch) {
  const Matching found = matching(of_matrix(Eigen::MatrixXd::Ones(4, 4)), all_rows(4));
  EXPECT_EQ(found.score, 0);
  EXPECT_EQ(found.diagonal_share, 0);
}

TEST(Matching, IsTheMeanOverRowsOfStandardizedDiagonals) {
  const Eigen::MatrixXd matrix = random_matrix(12, 12, 7).array() + 5;
  const std::vector<std::size_t> rows = {0, 3, 4, 11};
  double score = 0;
  double share = 0;
  for (const std::size_t row : rows) {
    const Eigen::RowVectorXd values = matrix.row(static_cast<Eigen::Index>(row));
    const double own = values(static_cast<Eigen::Index>(row));
    score += (own - values.mean()) / std::sqrt((values.array() - values.mean()).square().mean());
    share += own == values.maxCoeff() ? 1 : 0;
  }
  const Matching found = matching(of_matrix(matrix), rows);
  EXPECT_NEAR(found.score, score / 4, 12 * 12 * epsilon * matrix.norm());
  EXPECT_EQ(found.diagonal_share, share / 4);
  EXPECT_EQ(found.rows, 4U);
}

TEST(RowScan, SeesTheSameInWhateverBlocksTheColumnsCome) {
  const Eigen::MatrixXd matrix = random_matrix(12, 12, 8).array() + 5;
  const std::vector<std::size_t> rows = all_rows(12);
  RowScan whole(rows, 12, 5);
  whole.add(matrix);
  RowScan parts(rows, 12, 5);
  for (Eigen::Index c = 0; c < 12; c += 4) parts.add(matrix.middleCols(c, c < 8 ? 4 : 12 - c));
  EXPECT_NEAR(parts.matching().score, whole.matching().score, 12 * 12 * epsilon * matrix.norm());
  EXPECT_EQ(parts.matching().diagonal_share, whole.matching().diagonal_share);
  EXPECT_EQ(parts.largest(), whole.largest());
  ASSERT_EQ(whole.largest().size(), 5U);
  EXPECT_EQ(whole.largest().front().value, matrix.maxCoeff());
}

TEST(RowsToLookAt, AreAllOfASmallVocabulary) {
  EXPECT_EQ(rows_to_look_at(5, 5, 2), all_rows(5));
  EXPECT_EQ(rows_to_look_at(5, 0, 7), all_rows(5));
}

TEST(RowsToLookAt, AreDrawnWithoutRepetitionAndTheSameEachTime) {
  const std::vector<std::size_t> rows = rows_to_look_at(50257, 4096, 256);
  ASSERT_EQ(rows.size(), 256U);
  EXPECT_TRUE(std::ranges::is_sorted(rows));
  EXPECT_EQ(std::set(rows.begin(), rows.end()).size(), 256U);
  EXPECT_LT(rows.back(), 50257U);
  EXPECT_EQ(rows, rows_to_look_at(50257, 4096, 256));
  // The mean of n draws of 0 .. V-1 has a deviation of V / sqrt(12 n).
  const double mean =
      std::accumulate(rows.begin(), rows.end(), 0.0) / static_cast<double>(rows.size());
  EXPECT_NEAR(mean, 50257 / 2.0, 4 * 50257 / std::sqrt(12 * 256.0));
}

}  // namespace
}  // namespace lookback::lens
