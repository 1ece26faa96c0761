// Least squares against certified values.
#include "lookback/math/line_fit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace lookback::math {
namespace {

// NIST Statistical Reference Datasets, "Norris": calibration of ozone monitors.
const std::vector<double> norris_x = {0.2,   337.4, 118.2, 884.6, 10.1,  226.5, 666.3, 996.3, 448.6,
                                      777.0, 558.2, 0.4,   0.6,   775.5, 666.9, 338.0, 447.5, 11.6,
                                      556.0, 228.1, 995.8, 887.6, 120.2, 0.3,   0.3,   556.8, 339.1,
                                      887.2, 999.0, 779.0, 11.1,  118.3, 229.2, 669.1, 448.9, 0.5};
const std::vector<double> norris_y = {0.1,   338.8, 118.1, 888.0, 9.2,   228.1, 668.5, 998.5, 449.1,
                                      778.9, 559.2, 0.3,   0.1,   778.1, 668.8, 339.3, 448.9, 10.8,
                                      557.7, 228.3, 998.0, 888.8, 119.6, 0.3,   0.6,   557.6, 339.3,
                                      888.0, 998.5, 778.9, 10.2,  117.6, 228.9, 668.4, 449.2, 0.2};

TEST(LineFit, HasTheCertifiedNumbersOfNorris) {
  const auto fit = fit_line(norris_x, norris_y);
  ASSERT_TRUE(fit);
  EXPECT_EQ(fit->count, 36U);
  EXPECT_NEAR(fit->slope, 1.00211681802045, 1e-12);
  EXPECT_NEAR(fit->intercept, -0.262323073774029, 1e-10);
  EXPECT_NEAR(fit->slope_error, 0.429796848199937e-3, 1e-14);
  EXPECT_NEAR(fit->residual, 0.884796396144373, 1e-11);
  EXPECT_NEAR(fit->slope_half_width(), 2.032244509 * 0.429796848199937e-3, 1e-11);  // t of 34
}

TEST(LineFit, OfALineIsThatLineWithoutError) {
  const std::vector<double> x = {1, 2, 5}, y = {5, 7, 13};
  const auto fit = fit_line(x, y);
  ASSERT_TRUE(fit);
  EXPECT_NEAR(fit->slope, 2, 1e-14);
  EXPECT_NEAR(fit->intercept, 3, 1e-14);
  EXPECT_NEAR(fit->slope_half_width(), 0, 1e-13);
}

TEST(LineFit, NeedsThreePointsAndTwoPlaces) {
  const std::vector<double> two = {1, 2}, same = {3, 3, 3}, y = {1, 2, 3};
  EXPECT_FALSE(fit_line(two, two));
  EXPECT_FALSE(fit_line(same, y));
  const std::vector<double> third = {0.1 + 0.2, 0.3, 0.3};  // alike but for rounding
  EXPECT_FALSE(fit_line(third, y));
  EXPECT_FALSE(fit_line({}, {}));
}

}  // namespace
}  // namespace lookback::math
