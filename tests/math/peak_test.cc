#include "lookback/math/peak.h"

#include <cmath>

#include <gtest/gtest.h>
#include "tests/math/support.h"

namespace lookback::math {
namespace {

class PeakOn : public testing::OnEachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Each, PeakOn, testing::each_instruction_set(), testing::name_of);

TEST_P(PeakOn, IsARateThatAMachineCanHave) {
  for (const double seconds : {-1.0, 0.0, 0.002}) {
    const double rate = measure_fma_peak(seconds);  // GFLOP/s
    EXPECT_GT(rate, 0.01);
    EXPECT_LT(rate, 10000);
  }
}

}  // namespace
}  // namespace lookback::math
