// The loss and its gradient on every instruction set against their definitions in double.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
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

class CrossEntropyOn : public testing::OnEachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Each, CrossEntropyOn, testing::each_instruction_set(), testing::name_of);

std::vector<std::uint32_t> random_targets(Random& random, std::size_t rows, std::size_t classes) {
  std::vector<std::uint32_t> targets(rows);
  for (std::uint32_t& target : targets) target = static_cast<std::uint32_t>(random.index(classes));
  return targets;
}

/// Relative error of the sum of V exponentials whose arguments reach down to -range, and of an
/// exponential over it (compare softmax_test.cc).
double sum_error(std::size_t classes, double range) {
  return gamma(2 * range + 8 + static_cast<double>(classes) + 3);
}

void check(std::size_t rows, std::size_t classes, std::size_t gap, double range) {
  SCOPED_TRACE(::testing::Message() << rows << " x " << classes << ", range " << range);
  Random random(rows * 1000 + classes);
  Grid<float> logits = random.grid(rows, classes, gap, range / 2);
  const std::vector<std::uint32_t> targets = random_targets(random, rows, classes);
  const float weight = 0.37F;
  Grid<double> expected(logits);
  std::vector<double> expected_losses(rows);
  reference::cross_entropy_gradient<double>(weight, expected.view(), targets, expected_losses);

  std::vector<float> losses(rows);
  cross_entropy<float>(logits.view(), targets, losses);
  const auto loss_tolerance = [&](std::size_t t) {
    // log turns the sum's relative error into an absolute one; log sum and the target's logit,
    // up to `range` and log V, are rounded and subtracted.
    const double sizes = range + std::log(static_cast<double>(classes)) + expected_losses[t];
    return sum_error(classes, range) + gamma(4.0) * sizes;
  };
  testing::expect_near(losses, expected_losses, loss_tolerance);

  std::fill(losses.begin(), losses.end(), -1.0F);
  cross_entropy_gradient<float>(weight, logits.view(), targets, losses);
  testing::expect_near(losses, expected_losses, loss_tolerance);
  testing::expect_near(logits, expected, [&](std::size_t t, std::size_t v) {
    const double hit = v == targets[t] ? weight : 0;
    const double relative = sum_error(classes, range) + gamma(3.0);
    return relative * (std::fabs(expected(t, v)) + 2 * hit) + testing::smallest_exponential;
  });
}

TEST_P(CrossEntropyOn, AgreesWithItsDefinition) {
  for (const std::size_t rows : {0, 1, 3}) {
    for (const std::size_t classes : testing::odd_sizes) {
      if (classes == 0) continue;  // no target is below zero
      check(rows, classes, classes % 3, 10);
    }
    check(rows, 256, 0, 100);
    check(rows, 50257, 1, 20);
  }
}

TEST_P(CrossEntropyOn, ANotANumberAnywhereShowsInTheLoss) {
  Random random(5);
  for (std::size_t place = 0; place < 35; ++place) {
    Grid<float> logits = random.grid(1, 35);
    logits.view()(0, place) = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> losses(1);
    const std::vector<std::uint32_t> targets = {3};
    cross_entropy<float>(logits.view(), targets, losses);
    EXPECT_TRUE(std::isnan(losses[0])) << place;
    losses[0] = 0;
    cross_entropy_gradient<float>(1, logits.view(), targets, losses);
    EXPECT_TRUE(std::isnan(losses[0])) << place;
  }
}

TEST_P(CrossEntropyOn, ACertainWrongGuessCostsItsLogit) {
  Grid<float> logits(1, 2);
  logits.view()(0, 0) = 1000;
  std::vector<float> losses(1);
  cross_entropy<float>(logits.view(), std::vector<std::uint32_t>{1}, losses);
  EXPECT_EQ(losses[0], 1000.0F);
}

TEST(CrossEntropyDeathTest, TakesNoTargetBeyondTheClasses) {
  const std::vector<float> numbers(4);
  const std::vector<std::uint32_t> targets = {4};
  std::vector<float> losses(1);
  EXPECT_DEATH(cross_entropy<float>({numbers.data(), 1, 4, 4}, targets, losses),
               "requires .*targets");
}

}  // namespace
}  // namespace lookback::math
