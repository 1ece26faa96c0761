#include "lookback/lens/transition.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace lookback::lens {
namespace {

constexpr double spacing = 0.02;  // of points, in log10 tokens

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// A curve from 10^4 to 10^9 tokens.
template <class Score>
std::vector<CurvePoint> curve_of(Score score) {
  std::vector<CurvePoint> curve;
  for (int i = 0; i <= 250; ++i) {
    const double time = 4 + spacing * i;
    curve.push_back({std::pow(10.0, time), score(time)});
  }
  return curve;
}

/// A line between two points errs by at most spacing^2 / 8 max|f''|, in time by that over the
/// slope. For a logistic of height 1 and width w, |f''| < 0.0963 / w^2; its slope is 0.09 / w where
/// it is 10% or 90%, and more between.
double interpolation_error(double width) {
  return spacing * spacing / 8 * (0.0963 / (width * width)) / (0.09 / width);
}

TEST(Transition, OfASigmoidIsItsMiddleAndItsWidth) {
  const double width = 0.1;
  const auto curve = curve_of([&](double time) { return 0.9 * sigmoid((time - 6.5) / width); });
  const auto found = first_transition(curve, {});
  ASSERT_TRUE(found);
  // At both ends of the curve the sigmoid is within exp(-25) of its limits: nothing beside this.
  const double tolerance = interpolation_error(width);
  EXPECT_NEAR(std::log10(found->tokens), 6.5, tolerance);
  ASSERT_TRUE(found->sharpness);
  EXPECT_NEAR(*found->sharpness, 2 * std::log(9.0) * width, 2 * tolerance);
  EXPECT_NEAR(found->peak_score, 0.9, std::exp(-24));
  EXPECT_TRUE(later_transitions(curve, {}).empty());
}

TEST(Transition, CrossesHalfOfTheMaximumNotOfTheRise) {
  // From 0.2 to 0.8: half of the maximum, 0.4, is a third of the rise.
  const auto curve = curve_of([](double time) { return 0.2 + 0.6 * sigmoid((time - 6) / 0.2); });
  const auto found = first_transition(curve, {.chance = 0.2});
  ASSERT_TRUE(found);
  EXPECT_NEAR(std::log10(found->tokens), 6 + 0.2 * std::log((1.0 / 3) / (2.0 / 3)),
              interpolation_error(0.2));
  EXPECT_NEAR(*found->sharpness, 2 * std::log(9.0) * 0.2, 2 * interpolation_error(0.2));
}

TEST(Transition, ASharperRiseIsSharper) {
  const auto sharpness = [](double width) {
    const auto found =
        first_transition(curve_of([&](double time) { return sigmoid((time - 6) / width); }), {});
    return found ? found->sharpness.value_or(-1) : -1;
  };
  EXPECT_LT(sharpness(0.05), sharpness(0.1));
  EXPECT_GT(sharpness(0.05), 0);
}

TEST(Transition, AScoreThatNeverClearlyExceedsChanceHasNone) {
  const auto curve = curve_of([](double time) { return 0.25 * sigmoid((time - 6) / 0.1); });
  EXPECT_TRUE(first_transition(curve, {.chance = 0.04}));
  EXPECT_FALSE(first_transition(curve, {.chance = 0.06}));
  EXPECT_TRUE(later_transitions(curve, {.chance = 0.06}).empty());
  EXPECT_FALSE(first_transition({}, {}));
}

/// Up to 0.88 at 10^5.5, down by 0.12 at 10^7, up by 0.2 at 10^8.
double dip_and_jump(double time) {
  return 0.88 * sigmoid((time - 5.5) / 0.05) - 0.12 * sigmoid((time - 7) / 0.1) +
         0.2 * sigmoid((time - 8) / 0.05);
}

TEST(Transition, ADipAndAJumpAreALaterTransition) {
  const auto curve = curve_of(dip_and_jump);
  const auto first = first_transition(curve, {});
  ASSERT_TRUE(first);
  // Half of the maximum is 0.48 rather than 0.44; its tail ends at the first peak, not at the jump.
  EXPECT_NEAR(std::log10(first->tokens), 5.5 + 0.05 * std::log(0.48 / 0.40),
              interpolation_error(0.05));
  EXPECT_NEAR(first->peak_score, 0.88, 0.12 * std::exp(-5));
  EXPECT_LT(*first->sharpness, 0.3);

  const auto later = later_transitions(curve, {});
  ASSERT_EQ(later.size(), 1U);
  EXPECT_NEAR(std::log10(later[0].tokens), 8, spacing);
  EXPECT_NEAR(later[0].low_score, 0.76, 0.2 * std::exp(-5));
  EXPECT_NEAR(later[0].peak_score, 0.96, 0.12 * std::exp(-9));
  EXPECT_GT(*later[0].sharpness, 0);
}

TEST(Transition, LiesBetweenThePointsThatSawIt) {
  const std::vector<CurvePoint> curve{{1e3, 0}, {1e4, 0.1}, {1e5, 0.9}, {1e6, 0.5}, {1e7, 0.8}};
  const auto first = first_transition(curve, {});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->after_tokens, 1e4);
  EXPECT_EQ(first->by_tokens, 1e5);
  const auto later = later_transitions(curve, {});
  ASSERT_EQ(later.size(), 1U);
  EXPECT_EQ(later[0].after_tokens, 1e6);
  EXPECT_EQ(later[0].by_tokens, 1e7);
}

TEST(Transition, ARippleIsNone) {
  const auto curve = curve_of(
      [](double time) { return 0.8 * sigmoid((time - 5.5) / 0.05) + 0.02 * std::sin(20 * time); });
  EXPECT_TRUE(first_transition(curve, {}));
  EXPECT_TRUE(later_transitions(curve, {}).empty());
}

TEST(Transition, ACurveThatBeginsHighGivesAnUpperBoundWithoutWidth) {
  const std::vector<CurvePoint> curve{{1e6, 0.7}, {1e7, 0.9}, {1e8, 0.5}};
  const auto found = first_transition(curve, {});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->tokens, 1e6);
  EXPECT_EQ(found->after_tokens, 1e6);
  EXPECT_EQ(found->by_tokens, 1e6);
  EXPECT_FALSE(found->sharpness);
  EXPECT_EQ(found->peak_tokens, 1e7);
}

TEST(Transition, PassesOverWhatIsNotFiniteAndCountsZeroTokensAsOne) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<CurvePoint> curve{{0, 0}, {50, nan}, {100, 1}, {1000, nan}};
  const auto found = first_transition(curve, {});
  ASSERT_TRUE(found);
  EXPECT_NEAR(found->tokens, 10, 40 * std::numeric_limits<double>::epsilon());
}

}  // namespace
}  // namespace lookback::lens
