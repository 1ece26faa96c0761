// Quantiles against published tables and values known in closed form.
#include "lookback/math/quantiles.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <utility>

namespace lookback::math {
namespace {

TEST(StudentTQuantile, IsThatOfTheTables) {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, to its three decimals.
  const struct {
    std::size_t degrees;
    double at_90, at_95, at_975, at_99, at_995;
  } rows[] = {{1, 3.078, 6.314, 12.706, 31.821, 63.657}, {2, 1.886, 2.920, 4.303, 6.965, 9.925},
              {5, 1.476, 2.015, 2.571, 3.365, 4.032},    {10, 1.372, 1.812, 2.228, 2.764, 3.169},
              {30, 1.310, 1.697, 2.042, 2.457, 2.750},   {100, 1.290, 1.660, 1.984, 2.364, 2.626}};
  for (const auto& row : rows) {
    for (const auto& [probability, quantile] :
         {std::pair(0.9, row.at_90), std::pair(0.95, row.at_95), std::pair(0.975, row.at_975),
          std::pair(0.99, row.at_99), std::pair(0.995, row.at_995)}) {
      EXPECT_NEAR(student_t_quantile(probability, row.degrees), quantile, 5.001e-4)
          << row.degrees << " degrees, " << probability;
    }
  }
}

TEST(StudentTQuantile, OfOneAndTwoDegreesIsInClosedForm) {
  for (const double p : {0.001, 0.025, 0.3, 0.5, 0.8, 0.975, 0.9999}) {
    const double cauchy = std::tan(std::numbers::pi * (p - 0.5));
    EXPECT_NEAR(student_t_quantile(p, 1), cauchy, 1e-12 * (1 + std::abs(cauchy))) << p;
    const double two = (2 * p - 1) * std::sqrt(2 / (4 * p * (1 - p)));
    EXPECT_NEAR(student_t_quantile(p, 2), two, 1e-12 * (1 + std::abs(two))) << p;
  }
}

TEST(StudentTQuantile, OfManyDegreesIsTheNormalOne) {
  constexpr double normal = 1.959963984540054;
  EXPECT_NEAR(student_t_quantile(0.975, 1'000'000'000), normal, 1e-8);
  EXPECT_NEAR(student_t_quantile(0.975, std::size_t{1} << 60U), normal, 1e-12);
}

TEST(ClopperPearsonInterval, OfOneSuccessInTenIsThatOfTheLiterature) {
  // Agresti and Coull 1998 and others: 1 of 10 gives 0.0025 to 0.4450.
  const ShareInterval found = clopper_pearson_interval(1, 10, 0.025);
  EXPECT_NEAR(found.lower, 0.0025, 5e-5);
  EXPECT_NEAR(found.upper, 0.4450, 5e-5);
}

TEST(ClopperPearsonInterval, EndsAtZeroOfNoneAndAtOneOfAll) {
  for (const std::size_t trials : {1, 7, 1000, 100'000'000}) {
    const ShareInterval none = clopper_pearson_interval(0, trials, 0.05);
    const ShareInterval all = clopper_pearson_interval(trials, trials, 0.05);
    const double end = std::pow(0.05, 1 / static_cast<double>(trials));
    EXPECT_EQ(none.lower, 0);
    EXPECT_EQ(all.upper, 1);
    EXPECT_NEAR(all.lower, end, 1e-12);
    EXPECT_NEAR(none.upper, 1 - end, 1e-12);
  }
}

TEST(ClopperPearsonInterval, OfManyTrialsIsNarrowAndHoldsTheShare) {
  const ShareInterval found = clopper_pearson_interval(250'000'000, 1'000'000'000, 0.025);
  EXPECT_LT(found.lower, 0.25);
  EXPECT_GT(found.upper, 0.25);
  EXPECT_NEAR(found.upper - found.lower, 2 * 1.959964 * std::sqrt(0.25 * 0.75 / 1e9), 1e-8);
}

}  // namespace
}  // namespace lookback::math
