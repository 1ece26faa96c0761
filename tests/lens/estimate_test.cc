#include "lookback/lens/estimate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lookback::lens {
namespace {

TEST(Estimate, MeanAndStandardErrorByHand) {
  const std::vector<double> values{1, 2, 3, 6};  // squares about 3: 4 + 1 + 0 + 9 = 14
  const Estimate found = estimate(values);
  EXPECT_EQ(found.mean, 3);
  EXPECT_DOUBLE_EQ(found.standard_error, std::sqrt(14.0 / (3 * 4)));
  EXPECT_EQ(found.count, 4U);
  EXPECT_DOUBLE_EQ(found.upper() - found.lower(), 2 * 1.96 * found.standard_error);
}

TEST(Estimate, WhatCannotBeKnownIsNotANumber) {
  EXPECT_TRUE(std::isnan(estimate({}).mean));
  const std::vector<double> one{5};
  EXPECT_EQ(estimate(one).mean, 5);
  EXPECT_TRUE(std::isnan(estimate(one).standard_error));
}

TEST(RatioEstimate, OfMeansWithItsLinearErrorByHand) {
  const std::vector<double> x{1, 2, 3};
  const std::vector<double> y{4, 4, 4};
  const Estimate found = ratio_estimate(x, y);
  EXPECT_EQ(found.mean, 0.5);
  EXPECT_DOUBLE_EQ(found.standard_error, std::sqrt(2.0 / (2 * 3)) / 4);  // that of x, over 4
  EXPECT_EQ(found.count, 3U);
}

TEST(RatioEstimate, OfProportionalPairsHasNoError) {
  const std::vector<double> x{1, 2, -3, 10};
  const std::vector<double> y{2, 4, -6, 20};
  EXPECT_EQ(ratio_estimate(x, y).mean, 0.5);
  EXPECT_EQ(ratio_estimate(x, y).standard_error, 0);
  EXPECT_EQ(ratio_estimate(y, y).mean, 1);
}

TEST(RatioEstimate, OverNothingIsNotANumber) {
  const std::vector<double> zero{0, 0};
  EXPECT_TRUE(std::isnan(ratio_estimate(zero, zero).mean));
}

}  // namespace
}  // namespace lookback::lens
