// The gradient of a clamped pass is the derivative of the clamped function: against its complex step.
#include <gtest/gtest.h>

#include <ostream>

#include "tests/train/clamped.h"

namespace lookback::train {
namespace {

using model::spec::Complex;
using model::spec::Numbers;
using model::spec::Ready;
using spec::Clamped;
using spec::everything;
using spec::frozen;
using spec::no_ov;
using spec::pin;
using spec::sequential;
using spec::small;

struct Wiring {
  const char* name;
  model::Architecture architecture;
  std::vector<Clamp> clamps;

  friend std::ostream& operator<<(std::ostream& out, const Wiring& wiring) {
    return out << wiring.name;
  }
};

class ClampGradient : public testing::TestWithParam<Wiring> {};

TEST_P(ClampGradient, IsTheDerivativeOfTheClampedLoss) {
  const Ready ready(GetParam().architecture, 1);
  const Status valid = validate(GetParam().clamps, ready.program, spec::forever);
  ASSERT_TRUE(valid) << valid.error().message;
  Clamped<double> clamped(ready, GetParam().clamps);
  Clamped<Complex> complex_clamped(ready, GetParam().clamps);
  const auto run = ready.run(clamped.taps);
  EXPECT_NE(run.losses, ready.run().losses);
  const double allowed = model::spec::tolerance<double>(ready, clamped.taps).gradient;
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Numbers direction = model::spec::random_direction(ready.program, seed);
    EXPECT_NEAR(model::spec::complex_step(ready, direction, complex_clamped.taps),
                model::spec::dot(run.gradient, direction), allowed * model::spec::norm(direction));
  }
}

std::vector<Wiring> wirings() {
  const std::vector<Clamp> circuit = {pin(ClampKind::copying, 1, 1, 4),
                                      pin(ClampKind::previous_token, 0, 0)};
  return {
      {"PreviousToken", small(), {pin(ClampKind::previous_token, 0, 1)}},
      {"Matching", small(), {pin(ClampKind::matching, 1, 0)}},
      {"Copying", small(), {pin(ClampKind::copying, 1, 0, 3)}},
      {"CopyingInTheFirstLayer", small(), {pin(ClampKind::copying, 0, 1, 3)}},
      {"CopyingOfTwoHeads",
       small(),
       {pin(ClampKind::copying, 1, 0, 3), pin(ClampKind::copying, 1, 1, 2)}},
      {"LookingBackAndCopying", small(), circuit},
      {"LookingBackAndCopyingWithEverything", everything(), circuit},
      {"LookingBackAndCopyingInSteps",
       sequential(),
       {pin(ClampKind::copying, 0, 1, 4), pin(ClampKind::previous_token, 0, 0)}},
      {"CopyingWithoutOv", no_ov(), {pin(ClampKind::copying, 1, 0, 3)}},
      {"CopyingAPinnedMatch",
       small(),
       {pin(ClampKind::copying, 1, 0, 3), pin(ClampKind::matching, 1, 0)}},
      {"FrozenStart", small(), {frozen("blocks.0.attn.hook_result", FreezeTo::initial, 1)}},
      {"FrozenScores", small(), {frozen("blocks.1.attn.hook_attn_scores", FreezeTo::initial)}},
      {"Zero", everything(), {frozen("blocks.0.mlp.hook_post", FreezeTo::zero)}},
  };
}

INSTANTIATE_TEST_SUITE_P(Each, ClampGradient, testing::ValuesIn(wirings()),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(ClampPlans, WithoutGradientTheGradientIsThatOfTheActivationHeldWhereItIs) {
  const Ready ready(everything(), 1);
  for (const std::string name : {"blocks.0.attn.hook_pattern", "blocks.1.hook_resid_pre",
                                 "blocks.1.hook_k_input", "ln_final.hook_scale"}) {
    Clamped<double> clamped(ready, {frozen(name, FreezeTo::no_gradient)});
    model::Taps<Complex> holding(ready.program);
    ASSERT_TRUE(holding.on_forward(name, [](const model::Tapped&, math::Matrix<Complex> x) {
      for (std::size_t r = 0; r < x.rows; ++r) {
        for (std::size_t c = 0; c < x.cols; ++c) x(r, c) = x(r, c).real();  // no step reaches it
      }
    }));
    const Numbers gradient = ready.run(clamped.taps).gradient;
    const double allowed = model::spec::tolerance<double>(ready, clamped.taps).gradient;
    const Numbers direction = model::spec::random_direction(ready.program, 1);
    EXPECT_NEAR(model::spec::complex_step(ready, direction, &holding),
                model::spec::dot(gradient, direction), allowed * model::spec::norm(direction))
        << name;
  }
}

}  // namespace
}  // namespace lookback::train
