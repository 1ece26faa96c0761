#include "lookback/lens/estimate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <utility>
#include <vector>

namespace lookback::lens {
namespace {

TEST(Estimate, MeanAndStandardErrorByHand) {
  const std::vector<double> values{1, 2, 3, 6};  // squares about 3: 4 + 1 + 0 + 9 = 14
  const Estimate found = estimate(values);
  EXPECT_EQ(found.mean, 3);
  EXPECT_DOUBLE_EQ(found.standard_error, std::sqrt(14.0 / (3 * 4)));
  EXPECT_EQ(found.count, 4U);
}

// --- intervals

TEST(StudentT, HasTheQuantilesOfTheTables) {
  // Abramowitz and Stegun 1964, table 26.10, and R's qt(0.975, n).
  const std::pair<std::size_t, double> table[] = {
      {1, 12.706204736}, {2, 4.302652730},  {3, 3.182446305},   {4, 2.776445105},
      {7, 2.364624252},  {8, 2.306004135},  {15, 2.131449546},  {30, 2.042272456},
      {63, 1.998340543}, {64, 1.997729654}, {120, 1.979930405}, {1000, 1.962339081}};
  for (const auto& [degrees, quantile] : table) {
    EXPECT_NEAR(student_t_95(degrees), quantile, 1e-9) << degrees;
  }
}

TEST(StudentT, FallsWithTheDegreesToTheNormalQuantile) {
  for (std::size_t degrees = 1; degrees < 200; ++degrees) {
    EXPECT_GT(student_t_95(degrees), student_t_95(degrees + 1)) << degrees;
  }
  EXPECT_NEAR(student_t_95(1'000'000'000), 1.959963985, 1e-8);
  EXPECT_TRUE(std::isnan(student_t_95(0)));
}

TEST(Estimate, ItsIntervalIsStudents) {
  const std::vector<double> values{1, 2, 3, 6};
  const Estimate found = estimate(values);
  EXPECT_NEAR(found.half_width(), 3.182446305 * found.standard_error, 1e-9);  // 3 degrees
  EXPECT_EQ(found.lower(), found.mean - found.half_width());
  EXPECT_EQ(found.upper(), found.mean + found.half_width());
}

TEST(Estimate, ItsIntervalHoldsTheTruthNineteenTimesOfTwenty) {
  // Of 5 normal values 1.96 standard errors hold it in 88% of cases only.
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal(7, 3);
  constexpr int cases = 20'000;
  int held = 0;
  for (int i = 0; i < cases; ++i) {
    std::vector<double> values(5);
    for (double& value : values) value = normal(random);
    const Estimate found = estimate(values);
    held += found.lower() < 7 && 7 < found.upper() ? 1 : 0;
  }
  const double deviation = std::sqrt(0.95 * 0.05 / cases);
  EXPECT_NEAR(held / double{cases}, 0.95, 4 * deviation);
}

TEST(Estimate, WhatCannotBeKnownIsNotANumber) {
  EXPECT_TRUE(std::isnan(estimate({}).mean));
  const std::vector<double> one{5};
  EXPECT_EQ(estimate(one).mean, 5);
  EXPECT_TRUE(std::isnan(estimate(one).standard_error));
  EXPECT_TRUE(std::isnan(estimate(one).half_width()));
  EXPECT_TRUE(std::isnan(estimate({}).half_width()));
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
