// The vector exponential against the standard library's in double, on every instruction set.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "lookback/math/targets_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/math/vectors_test.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// after foreach_target.h
#include "hwy/highway.h"
#include "lookback/math/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lookback::math {
namespace HWY_NAMESPACE {

void exp_of_each(std::span<float> values) {
  for_each_vector(values.size(), [&](std::size_t i, auto part) HWY_ATTR {
    part.store(exp(part.load(values.data() + i)), values.data() + i);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace lookback::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <gtest/gtest.h>
#include "tests/math/support.h"

namespace lookback::math {

HWY_EXPORT(exp_of_each);

namespace {

class VectorsOn : public testing::OnEachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Each, VectorsOn, testing::each_instruction_set(), testing::name_of);

TEST_P(VectorsOn, ExpIsWithinTwoUnitsInTheLastPlace) {
  // Every 1021st float of either sign, a prime so that all low bits occur.
  std::vector<float> arguments;
  for (std::uint32_t bits = 0; bits < 0x42B09999U; bits += 1021) {  // up to 88.3
    float value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    arguments.push_back(value);
    if (value <= 87.3F) arguments.push_back(-value);
  }
  std::vector<float> results = arguments;
  HWY_DYNAMIC_DISPATCH(exp_of_each)(results);
  double worst = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const double exact = std::exp(static_cast<double>(arguments[i]));
    worst = std::max(worst, std::fabs(results[i] - exact) / exact);
  }
  EXPECT_LE(worst, 2 * std::numeric_limits<float>::epsilon());
}

TEST_P(VectorsOn, ExpIsCutOffAtBothEndsAndKeepsNotANumber) {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> values = {-infinity, -1e30F, infinity, 1e30F, std::nanf(""), 0.0F, -0.0F};
  HWY_DYNAMIC_DISPATCH(exp_of_each)(values);
  EXPECT_NEAR(values[0], 0, testing::smallest_exponential);
  EXPECT_NEAR(values[1], 0, testing::smallest_exponential);
  EXPECT_GT(values[2], 2e38F);
  EXPECT_GT(values[3], 2e38F);
  EXPECT_TRUE(std::isfinite(values[2]));
  EXPECT_TRUE(std::isnan(values[4]));
  EXPECT_EQ(values[5], 1.0F);
  EXPECT_EQ(values[6], 1.0F);
}

}  // namespace
}  // namespace lookback::math
#endif  // HWY_ONCE
