// Causal softmax on every instruction set against its definition in double.
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <gtest/gtest.h>
#include "lookback/math/kernels.h"
#include "tests/math/support.h"

namespace lookback::math {
namespace {

using testing::gamma;
using testing::Grid;
using testing::Random;

class SoftmaxOn : public testing::OnEachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Each, SoftmaxOn, testing::each_instruction_set(), testing::name_of);

/// The exponent x - m is off by u |x - m| and exp by 4 u, in the numerator and in each of n terms of
/// the sum; then n additions, an inversion and a product. What is smaller than the smallest
/// exponential counts as that.
double softmax_tolerance(std::size_t n, double range, double probability) {
  return gamma(2 * range + 8 + static_cast<double>(n) + 3) * probability +
         testing::smallest_exponential;
}

void check_softmax(std::size_t t, std::size_t cols, std::size_t gap, double range) {
  SCOPED_TRACE(::testing::Message() << t << " x " << cols << ", range " << range);
  Random random(t + cols);
  Grid<float> scores = random.grid(t, cols, gap, range / 2);
  const Grid<double> before(scores);
  Grid<double> expected = before;
  softmax_causal<float>(scores.view());
  reference::softmax_causal<double>(expected.view());
  for (std::size_t r = 0; r < t; ++r) {
    for (std::size_t c = 0; c < std::min(cols, r + 1 + zero_margin); ++c) {
      const double tolerance = c <= r ? softmax_tolerance(r + 1, range, expected(r, c)) : 0;
      ASSERT_NEAR(scores(r, c), expected(r, c), tolerance) << "at " << r << ", " << c;
    }
  }
  scores.expect_gaps_untouched();
}

TEST_P(SoftmaxOn, AgreesWithItsDefinition) {
  for (const std::size_t t : testing::odd_sizes) {
    check_softmax(t, t, t % 4, 8);
    check_softmax(t, t + 3, 0, 60);
    check_softmax(t, t / 2, 1, 200);
  }
}

TEST_P(SoftmaxOn, LeavesWhatIsBeyondTheMarginAlone) {
  Random random(1);
  Grid<float> scores = random.grid(80, 80);
  const Grid<float> before = scores;
  softmax_causal<float>(scores.view());
  for (std::size_t r = 0; r < 80; ++r) {
    for (std::size_t c = r + 1 + zero_margin; c < 80; ++c) ASSERT_EQ(scores(r, c), before(r, c));
  }
}

TEST_P(SoftmaxOn, IgnoresWhateverLiesRightOfTheDiagonal) {
  Random random(2);
  Grid<float> scores = random.grid(40, 40);
  Grid<float> spoiled = scores;
  for (std::size_t r = 0; r < 40; ++r) {
    for (std::size_t c = r + 1; c < 40; ++c) {
      spoiled.view()(r, c) = std::numeric_limits<float>::quiet_NaN();
    }
  }
  softmax_causal<float>(scores.view());
  softmax_causal<float>(spoiled.view());
  for (std::size_t r = 0; r < 40; ++r) {
    for (std::size_t c = 0; c <= r; ++c) ASSERT_EQ(scores(r, c), spoiled(r, c));
  }
}

TEST_P(SoftmaxOn, ANotANumberIsNotLost) {
  Random random(3);
  for (std::size_t place = 0; place < 20; ++place) {
    Grid<float> scores = random.grid(20, 20);
    scores.view()(19, place) = std::numeric_limits<float>::quiet_NaN();
    softmax_causal<float>(scores.view());
    for (std::size_t c = 0; c < 20; ++c) ASSERT_TRUE(std::isnan(scores(19, c)));
  }
}

TEST_P(SoftmaxOn, LargeScoresDoNotOverflow) {
  Grid<float> scores(2, 2);
  scores.view()(1, 0) = 3e38F;
  scores.view()(1, 1) = -3e38F;
  softmax_causal<float>(scores.view());
  EXPECT_EQ(scores(1, 0), 1.0F);
  EXPECT_NEAR(scores(1, 1), 0.0F, testing::smallest_exponential);
}

TEST_P(SoftmaxOn, ItsBackwardAgreesWithItsDefinition) {
  for (const std::size_t t : testing::odd_sizes) {
    Random random(t);
    Grid<float> pattern = random.grid(t, t, 2, 3);
    softmax_causal<float>(pattern.view());
    Grid<float> gradient = random.grid(t, t, 1);
    const Grid<double> exact_pattern(pattern);
    const Grid<double> incoming(gradient);
    Grid<double> expected = incoming;
    softmax_causal_backward<float>(pattern.view(), gradient.view());
    reference::softmax_causal_backward<double>(exact_pattern.view(), expected.view());
    for (std::size_t r = 0; r < t; ++r) {
      double sum = 0;  // of |p dp|
      for (std::size_t c = 0; c <= r; ++c) sum += std::fabs(exact_pattern(r, c) * incoming(r, c));
      for (std::size_t c = 0; c < std::min(t, r + 1 + zero_margin); ++c) {
        const double size = exact_pattern(r, c) * (std::fabs(incoming(r, c)) + sum);
        // r + 1 products and sums, the difference, the product.
        const double tolerance = c <= r ? gamma(r + 5) * size : 0;
        ASSERT_NEAR(gradient(r, c), expected(r, c), tolerance) << "at " << r << ", " << c;
      }
    }
    gradient.expect_gaps_untouched();
  }
}

}  // namespace
}  // namespace lookback::math
