// Backward is the derivative of forward, for every wiring: each program's gradient in double
// against the complex step of the same program's forward pass.
//
// Tolerance: that of the whole gradient's norm (running.h), not of each component's size. A key's
// bias without rotary positions has gradient zero, for softmax does not see a shift, and gets only
// the rounding of numbers that are not zero. Along a direction d the error is at most the tolerance
// times |d| (Cauchy and Schwarz).
#include <gtest/gtest.h>

#include "tests/model/running.h"

namespace lookback::model::spec {
namespace {

TEST(Cases, CoverEveryPairOfOptionsThatCanMeet) {
  const Coverage coverage = pair_coverage(cases(small_sizes));
  EXPECT_EQ(coverage.missing, 0U);
  // Of 17 options with 17 * 16 / 2 pairs of them, each with at least 2 x 2 levels.
  EXPECT_GT(coverage.possible, 136U * 4U);
}

TEST(Cases, EachCanBeLacking) {
  std::vector<Case> all = cases(small_sizes);
  all.pop_back();  // the last was added for a pair that no other has
  EXPECT_GT(pair_coverage(all).missing, 0U);
}

class Gradient : public ::testing::TestWithParam<Case> {
 protected:
  Gradient()
      : ready(GetParam()),
        gradient(ready.run().gradient),
        allowed(tolerance<double>(ready).gradient) {}

  void expect_derivative(const Numbers& direction) {
    EXPECT_NEAR(complex_step(ready, direction), dot(gradient, direction),
                allowed * norm(direction));
  }

  Ready ready;
  Numbers gradient;
  double allowed;
};

TEST_P(Gradient, AlongRandomDirectionsIsTheDerivativeOfTheLoss) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    expect_derivative(random_direction(ready.program, seed));
  }
}

TEST_P(Gradient, BySomeNumbersOfEveryTensorIsTheDerivativeOfTheLoss) {
  base::RandomStream random(1, base::StreamPurpose::test, 0);
  for (const ParameterInfo& info : ready.program.parameters) {
    SCOPED_TRACE(info.name);
    for (int sample = 0; sample < 8; ++sample) {
      Numbers direction(gradient.size());
      direction[info.offset + random.below(info.size())] = 1;
      expect_derivative(direction);
    }
  }
}

/// A key's bias shifts all scores of a query alike, which softmax does not see; unless the shift is
/// turned by position or the key is also the value.
bool acts(const ParameterInfo& info, const Architecture& a) {
  return !info.name.ends_with(".b_K") || a.positions == Positions::rotary || a.no_ov;
}

TEST_P(Gradient, ReachesEveryTensor) {
  for (const ParameterInfo& info : ready.program.parameters) {
    const double size = norm(std::span(gradient).subspan(info.offset, info.size()));
    if (acts(info, ready.program.architecture)) {
      EXPECT_GT(size, 1e3 * allowed) << info.name;
    } else {
      EXPECT_LT(size, allowed) << info.name;
    }
  }
}

TEST_P(Gradient, IsAddedToWhatWasThere) {
  Executor<double> executor(ready.program, ready.batch, ready.length);
  Numbers twice(gradient.size());
  for (int pass = 0; pass < 2; ++pass) {
    executor.forward(ready.parameters, ready.tokens);
    executor.backward(loss_weight, twice);
  }
  Numbers expected;
  for (const double g : gradient) expected.push_back(2 * g);
  EXPECT_LE(norm(difference(twice, expected)), allowed);
}

INSTANTIATE_TEST_SUITE_P(Model, Gradient, ::testing::ValuesIn(cases(small_sizes)),
                         [](const auto& instance) { return instance.param.name; });

TEST(Gradient, OfTokensAndPositionsThatDoNotOccurIsZero) {
  Architecture a = two_layer(small_sizes);
  const Ready ready(Case{"", a, 1, 4, {}});
  const Numbers gradient = ready.run().gradient;
  const auto row_is_zero = [&](std::string_view name, std::size_t row) {
    const ParameterInfo& info = *ready.program.find_parameter(name);
    return norm(std::span(gradient).subspan(info.offset + row * info.cols, info.cols)) == 0;
  };
  for (Token token = 0; token < a.vocabulary; ++token) {
    // The last token is only predicted, but it is also read: its own prediction counts for nothing.
    const bool read = std::count(ready.tokens.begin(), ready.tokens.end() - 1, token) > 0;
    EXPECT_EQ(row_is_zero("embed.W_E", token), !read) << token;
  }
  for (std::size_t t = 0; t < a.context; ++t) {
    EXPECT_EQ(row_is_zero("pos_embed.W_pos", t), t >= 3) << t;
  }
}

TEST(Gradient, OfOneTokenIsZeroAndThereAreNoLosses) {
  const Ready ready(Case{"", two_layer(small_sizes), 2, 1, {}});
  const Outcome<double> outcome = ready.run();
  EXPECT_TRUE(outcome.losses.empty());
  EXPECT_EQ(norm(outcome.gradient), 0);
}

}  // namespace
}  // namespace lookback::model::spec
