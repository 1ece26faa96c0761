#include "lookback/lens/estimate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include "lookback/base/random.h"

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

TEST(GroupedEstimate, OfGroupsOfOneSizeIsThatOfTheirMeans) {
  // Groups 0, 1, 2 of values i mod 3; their means are 3, 5 and 1.
  const std::vector<double> values{2, 4, 1, 4, 6, 1};
  const std::vector<double> means{3, 5, 1};
  const Estimate found = estimate(values, 3);
  EXPECT_EQ(found.mean, 3);
  EXPECT_EQ(found.count, 3U);
  EXPECT_DOUBLE_EQ(found.standard_error, estimate(means).standard_error);
  EXPECT_DOUBLE_EQ(found.half_width(), student_t_95(2) * found.standard_error);
}

TEST(GroupedEstimate, OfGroupsOfTwoSizesByHand) {
  // {1, 5} and {3}: the mean is 3, and the deviations of each group sum to 0.
  EXPECT_EQ(estimate(std::vector<double>{1, 3, 5}, 2).standard_error, 0);
  // {1, 2} and {6}: the mean is 3, the sums are -3 and 3: sqrt(2 / 1 x 18) / 3.
  EXPECT_DOUBLE_EQ(estimate(std::vector<double>{1, 6, 2}, 2).standard_error, 2);
}

TEST(GroupedEstimate, OfAGroupForEachValueIsThatOfTheValuesToTheBit) {
  const std::vector<double> values{0.1, 0.7, -0.3, 12.5, 3};
  EXPECT_EQ(estimate(values, 5).standard_error, estimate(values).standard_error);
}

TEST(GroupedEstimate, OfOneGroupIsNotANumber) {
  EXPECT_TRUE(std::isnan(estimate(std::vector<double>{1, 2}, 1).standard_error));
}

TEST(GroupedEstimate, HoldsTheTruthNineteenTimesOfTwentyWhereAGroupSharesItsNoise) {
  constexpr std::size_t cases = 4000, groups = 8, n = 40;
  double grouped = 0, alone = 0;
  for (std::size_t i = 0; i < cases; ++i) {
    base::RandomStream stream(7, base::StreamPurpose::test, i);
    std::vector<double> shared(groups), values(n);
    for (double& noise : shared) noise = stream.normal();
    for (std::size_t j = 0; j < n; ++j) values[j] = 7 + shared[j % groups] + stream.normal();
    const auto holds = [](const Estimate& e) { return e.lower() < 7 && 7 < e.upper() ? 1.0 : 0.0; };
    grouped += holds(estimate(values, groups)) / cases;
    alone += holds(estimate(values)) / cases;
  }
  EXPECT_NEAR(grouped, 0.95, 4 * std::sqrt(0.95 * 0.05 / cases));
  EXPECT_LT(alone, 0.8);  // as if nothing were shared
}

TEST(RatioEstimate, OfGroupsTakesItsResidualsByGroup) {
  const std::vector<double> x{1, 2, 3, 4, 5, 9};
  const std::vector<double> y{2, 2, 2, 2, 2, 2};
  const Estimate found = ratio_estimate(x, y, 3);
  EXPECT_EQ(found.mean, 2);
  EXPECT_EQ(found.count, 3U);
  EXPECT_DOUBLE_EQ(found.standard_error, estimate(x, 3).standard_error / 2);
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

TEST(RatioOfMeans, HoldsAMultipleJustWhereTheDifferenceFromItMayBeZero) {
  const std::vector<double> x{2.9, 3.4, 3.1, 2.5}, y{1.1, 0.8, 1.3, 1.0};
  const auto found = ratio_of_means(x, y);
  ASSERT_TRUE(found);
  EXPECT_NEAR(found->ratio, 11.9 / 4.2, 1e-12);
  const auto lies_within = [&](double multiple) {
    std::vector<double> differences;
    for (std::size_t i = 0; i < x.size(); ++i) differences.push_back(x[i] - multiple * y[i]);
    const Estimate difference = estimate(differences);
    return difference.lower() <= 0 && difference.upper() >= 0;
  };
  constexpr double little = 1e-9;
  EXPECT_TRUE(lies_within(found->lower + little));
  EXPECT_FALSE(lies_within(found->lower - little));
  EXPECT_TRUE(lies_within(found->upper - little));
  EXPECT_FALSE(lies_within(found->upper + little));
}

TEST(RatioOfMeans, OfProportionalPairsIsExact) {
  const std::vector<double> x{2, 4.4, 3}, y{1, 2.2, 1.5};
  const auto found = ratio_of_means(x, y);
  ASSERT_TRUE(found);
  EXPECT_NEAR(found->lower, 2, 1e-7);
  EXPECT_NEAR(found->upper, 2, 1e-7);
}

TEST(RatioOfMeans, IsNotBoundedWhereTheOtherMayBeZeroOrIsOne) {
  EXPECT_FALSE(ratio_of_means(std::vector<double>{1, 2, 3}, std::vector<double>{0.1, 2, -1}));
  EXPECT_FALSE(ratio_of_means(std::vector<double>{1, 2, 3}, std::vector<double>{-5, -6, -5}));
  EXPECT_FALSE(ratio_of_means(std::vector<double>{1}, std::vector<double>{2}));
  EXPECT_FALSE(ratio_of_means({}, {}));
}

TEST(RatioEstimate, OverNothingIsNotANumber) {
  const std::vector<double> zero{0, 0};
  EXPECT_TRUE(std::isnan(ratio_estimate(zero, zero).mean));
}

// --- shares

void expect_share(std::size_t hits, std::size_t trials, double lower, double upper) {
  const Share found = share_estimate(hits, trials);
  EXPECT_EQ(found.share, static_cast<double>(hits) / static_cast<double>(trials));
  EXPECT_NEAR(found.lower, lower, 1e-9) << hits << " of " << trials;
  EXPECT_NEAR(found.upper, upper, 1e-9) << hits << " of " << trials;
}

TEST(ShareEstimate, HasTheIntervalsOfClopperAndPearson) {
  // By bisection of the binomial sums in 60 decimal digits.
  expect_share(0, 5, 0, 0.521823750105);
  expect_share(5, 5, 0.478176249895, 1);
  expect_share(3, 10, 0.066739511178, 0.652452850060);
  expect_share(1, 2, 0.012579117093, 0.987420882907);
  expect_share(1, 3, 0.008403758660, 0.905700675950);
  expect_share(2, 3, 0.094299324050, 0.991596241340);
  expect_share(7, 100, 0.028605288907, 0.138919728456);
  expect_share(500, 1000, 0.468549172972, 0.531450827028);
}

TEST(ShareEstimate, OfNoneOrAllIsByHand) {
  // All of n hits: p^n = 0.025 at the lower end.
  for (const std::size_t trials : {1, 3, 20, 400}) {
    const double end = std::pow(0.025, 1 / static_cast<double>(trials));
    expect_share(trials, trials, end, 1);
    expect_share(0, trials, 0, 1 - end);
  }
}

TEST(ShareEstimate, OfManyTrialsIsNearlyNormal) {
  const Share found = share_estimate(5000, 10'000);
  EXPECT_NEAR(found.lower, 0.5 - 1.959963985 * 0.005, 1e-4);
  EXPECT_NEAR(found.upper, 0.5 + 1.959963985 * 0.005, 1e-4);
}

TEST(ShareEstimate, RisesWithTheHitsAndHoldsTheShare) {
  for (const std::size_t trials : {1, 2, 7, 60}) {
    for (std::size_t hits = 0; hits <= trials; ++hits) {
      const Share one = share_estimate(hits, trials);
      EXPECT_GE(one.lower, 0);
      EXPECT_LE(one.lower, one.share);
      EXPECT_LE(one.share, one.upper);
      EXPECT_LE(one.upper, 1);
      const Share misses = share_estimate(trials - hits, trials);
      EXPECT_NEAR(one.lower, 1 - misses.upper, 1e-9);
      if (hits == trials) continue;
      const Share more = share_estimate(hits + 1, trials);
      EXPECT_LT(one.lower, more.lower);
      EXPECT_LT(one.upper, more.upper);
    }
  }
}

TEST(ShareEstimate, ItsIntervalHoldsTheTruthNineteenTimesOfTwentyOrMore) {
  constexpr std::size_t trials = 10;
  for (double truth = 0.02; truth < 1; truth += 0.02) {
    double held = 0;
    for (std::size_t hits = 0; hits <= trials; ++hits) {
      const Share found = share_estimate(hits, trials);
      if (truth < found.lower || truth > found.upper) continue;
      const auto k = static_cast<double>(hits), n = static_cast<double>(trials);
      const double log_ways = std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
      held += std::exp(log_ways + k * std::log(truth) + (n - k) * std::log1p(-truth));
    }
    EXPECT_GE(held, 0.95 - 1e-9) << truth;
  }
}

TEST(ShareEstimate, OfNoTrialIsNotANumber) {
  const Share none = share_estimate(0, 0);
  EXPECT_TRUE(std::isnan(none.share));
  EXPECT_TRUE(std::isnan(none.lower));
  EXPECT_TRUE(std::isnan(none.upper));
}

TEST(ShareEstimateDeathTest, HasNoMoreHitsThanTrials) {
  EXPECT_DEATH(share_estimate(3, 2), "requires hits <= trials");
}

}  // namespace
}  // namespace lookback::lens
