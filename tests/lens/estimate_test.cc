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

}  // namespace
}  // namespace lookback::lens
