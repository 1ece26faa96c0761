// The optimizer's update on every instruction set against its definition in double.
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <gtest/gtest.h>
#include "lookback/math/reference.h"
#include "lookback/math/simd.h"
#include "tests/math/support.h"

namespace lookback::math {
namespace {

using testing::converted;
using testing::gamma;
using testing::Random;

class AdamWOn : public testing::OnEachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Each, AdamWOn, testing::each_instruction_set(), testing::name_of);

TEST_P(AdamWOn, AgreesWithItsDefinition) {
  for (const std::size_t count : testing::odd_sizes) {
    for (const float decay : {0.0F, 0.1F}) {
      const AdamW update = {.learning_rate = 0.01F,
                            .weight_decay = decay,
                            .correction1 = 0.271F,
                            .correction2 = 0.003F,
                            .gradient_scale = 0.7F};
      Random random(count);
      std::vector<float> p = random.values(count), m = random.values(count);
      std::vector<float> v = random.values(count, 0, 1);
      const std::vector<float> gradient = random.values(count);
      const std::vector<float> p_before = p, m_before = m;
      std::vector<double> expected_p = converted<double>(p), expected_m = converted<double>(m);
      std::vector<double> expected_v = converted<double>(v);
      simd::adamw(update, p, gradient, m, v);
      reference::adamw<double>(update, expected_p, converted<double>(gradient), expected_m,
                               expected_v);
      const auto m_size = [&](std::size_t i) {
        return std::fabs(update.beta1 * m_before[i]) +
               (1 - update.beta1) * update.gradient_scale * std::fabs(gradient[i]);
      };
      testing::expect_near(m, expected_m, [&](std::size_t i) { return gamma(5.0) * m_size(i); });
      testing::expect_near(v, expected_v,
                           [&](std::size_t i) { return gamma(6.0) * expected_v[i]; });
      testing::expect_near(p, expected_p, [&](std::size_t i) {
        // m's 5 roundings, half of v's, and inverse, products, root, sum, quotient, decay and sum.
        const double root = std::sqrt(expected_v[i] / update.correction2) + update.epsilon;
        const double step = m_size(i) / update.correction1 / root;
        const double change = update.learning_rate * (step + decay * std::fabs(p_before[i]));
        return gamma(20.0) * change + gamma(1.0) * (std::fabs(p_before[i]) + change);
      });
    }
  }
}

TEST_P(AdamWOn, AZeroGradientAndNoDecayChangesNothing) {
  std::vector<float> p = {1, -2, 3}, m(3), v(3);
  const std::vector<float> gradient(3);
  simd::adamw({.learning_rate = 0.1F}, p, gradient, m, v);
  EXPECT_EQ(p, (std::vector<float>{1, -2, 3}));
}

TEST_P(AdamWOn, TheSumOfSquaresHasTheSameBitsOnEveryInstructionSet) {
  for (const std::size_t count : testing::odd_sizes) {
    Random random(count);
    const std::vector<float> values = random.values(count);
    const double sum = simd::sum_of_squares(values);
    const double expected =
        reference::sum_of_squares<double>(std::span<const double>(converted<double>(values)));
    // Squares are exact in double; the sums are rounded to 53 bits.
    EXPECT_NEAR(sum, expected, static_cast<double>(2 * count) * 0x1p-53 * expected);
    ASSERT_TRUE(select_instruction_set("SCALAR"));
    EXPECT_EQ(simd::sum_of_squares(values), sum);
    ASSERT_TRUE(select_instruction_set(GetParam()));
  }
}

}  // namespace
}  // namespace lookback::math
