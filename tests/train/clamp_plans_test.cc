// What clamps do to a pass: the values they say, what learns nothing by them, and when.
#include "lookback/train/clamp_plans.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "lookback/data/ideal_patterns.h"
#include "tests/train/clamped.h"

namespace lookback::train {
namespace {

using model::spec::Numbers;
using model::spec::Ready;
using spec::Clamped;
using spec::frozen;
using spec::no_ov;
using spec::pin;
using spec::sequential;
using spec::small;

/// Every activation of one name, by head, as a run with these taps leaves it.
std::map<std::size_t, Numbers> seen(const Ready& ready, const std::string& name,
                                    const model::Taps<double>* taps = nullptr) {
  std::map<std::size_t, Numbers> values;
  model::Taps<double> watched = taps == nullptr ? model::Taps<double>(ready.program) : *taps;
  const Status set =
      watched.on_forward(name, [&](const model::Tapped& at, math::Matrix<double> value) {
        for (std::size_t r = 0; r < value.rows; ++r) {
          values[at.head].insert(values[at.head].end(), value.row(r), value.row(r) + value.cols);
        }
      });
  EXPECT_TRUE(set) << set.error().message;
  model::Executor<double> executor(ready.program, 1, ready.length);
  executor.forward(ready.parameters, ready.tokens, &watched);
  return values;
}

/// What a plan has of them: floats.
std::map<std::size_t, Numbers> rounded(std::map<std::size_t, Numbers> values) {
  for (auto& [head, numbers] : values) {
    for (double& number : numbers) number = static_cast<double>(static_cast<float>(number));
  }
  return values;
}

Numbers ideal(data::IdealPattern kind, const std::vector<model::Token>& tokens) {
  std::vector<float> numbers(tokens.size() * tokens.size());
  data::ideal_pattern(kind, tokens, {numbers.data(), tokens.size(), tokens.size(), tokens.size()});
  return {numbers.begin(), numbers.end()};
}

TEST(ClampPlans, APinnedPatternIsTheIdealOneInItsHeadOnly) {
  const Ready ready(small(), 1);
  const std::string pattern = "blocks.1.attn.hook_pattern";
  const auto plain = seen(ready, pattern);
  for (const auto& [clamp, kind] :
       {std::pair{ClampKind::previous_token, data::IdealPattern::previous_token},
        std::pair{ClampKind::matching, data::IdealPattern::matching}}) {
    Clamped<double> clamped(ready, {pin(clamp, 1, 1)});
    const auto pinned = seen(ready, pattern, clamped.taps);
    EXPECT_EQ(pinned.at(1), ideal(kind, ready.tokens));
    EXPECT_EQ(pinned.at(0), plain.at(0));
  }
}

TEST(ClampPlans, StepsOfALayerAreCountedAsItsHeads) {
  const Ready ready(sequential(), 1);
  const std::string pattern = "blocks.0.attn.hook_pattern";
  Clamped<double> clamped(ready, {pin(ClampKind::matching, 0, 1)});
  const auto pinned = seen(ready, pattern, clamped.taps);
  EXPECT_EQ(pinned.at(0), seen(ready, pattern).at(0));
  EXPECT_EQ(pinned.at(1), ideal(data::IdealPattern::matching, ready.tokens));
}

TEST(ClampPlans, AnIdealCopyStandsInThePlaceOfWhatTheHeadWrites) {
  for (const model::Architecture& architecture : {small(), no_ov()}) {
    const Ready ready(architecture, 1);
    constexpr double gain = 3;
    Clamped<double> clamped(ready, {pin(ClampKind::copying, 1, 0, gain)});
    Clamped<double> silent(ready, {frozen("blocks.1.attn.hook_z", FreezeTo::zero, 0)});
    Numbers expected = seen(ready, "logits", silent.taps).at(0);
    const Numbers pattern = seen(ready, "blocks.1.attn.hook_pattern").at(0);
    for (std::size_t t = 0; t < ready.length; ++t) {
      for (std::size_t s = 0; s <= t; ++s) {
        expected[t * 7 + ready.tokens[s]] += gain * pattern[t * ready.length + s];
      }
    }
    EXPECT_EQ(seen(ready, "logits", clamped.taps).at(0), expected);
  }
}

TEST(ClampPlans, ACopyFollowsThePatternThatAnotherClampSets) {
  const Ready ready(small(), 1);
  Clamped<double> clamped(ready,
                          {pin(ClampKind::copying, 1, 0, 200), pin(ClampKind::matching, 1, 0)});
  const Numbers logits = seen(ready, "logits", clamped.taps).at(0);
  const Numbers pattern = ideal(data::IdealPattern::matching, ready.tokens);
  for (std::size_t t = 0; t < ready.length; ++t) {
    const auto attended =
        std::max_element(pattern.begin() + static_cast<std::ptrdiff_t>(t * 8),
                         pattern.begin() + static_cast<std::ptrdiff_t>(t * 8 + 8));
    const std::size_t source = static_cast<std::size_t>(attended - pattern.begin()) - t * 8;
    EXPECT_GT(logits[t * 7 + ready.tokens[source]], 50) << t;
  }
}

TEST(ClampPlans, AFrozenActivationIsWhatItWasUnderTheStartingWeights) {
  const Ready ready(small(), 1);
  Ready start = ready;
  start.parameters = model::spec::random_parameters(ready.program, 2);
  for (const std::string name :
       {"hook_embed", "blocks.0.attn.hook_pattern", "blocks.1.attn.hook_k", "blocks.1.hook_q_input",
        "blocks.0.attn.hook_result", "ln_final.hook_scale"}) {
    Clamped<double> whole(ready, {frozen(name, FreezeTo::initial)});
    EXPECT_EQ(seen(ready, name, whole.taps), rounded(seen(start, name))) << name;
    EXPECT_NE(seen(ready, name), seen(start, name)) << name;
  }
  Clamped<double> one(ready, {frozen("blocks.0.attn.hook_v", FreezeTo::initial, 1)});
  const auto values = seen(ready, "blocks.0.attn.hook_v", one.taps);
  EXPECT_EQ(values.at(0), seen(ready, "blocks.0.attn.hook_v").at(0));
  EXPECT_EQ(values.at(1), rounded(seen(start, "blocks.0.attn.hook_v")).at(1));
}

TEST(ClampPlans, WithoutGradientAnActivationKeepsItsValueAndItsSourcesLearnNothing) {
  const Ready ready(small(), 1);
  Clamped<double> clamped(ready, {frozen("blocks.1.attn.hook_q", FreezeTo::no_gradient)});
  const auto run = ready.run(clamped.taps);
  EXPECT_EQ(run.losses, ready.run().losses);
  const auto size = [&](std::string_view name) {
    const model::ParameterInfo& info = *ready.program.find_parameter(name);
    return model::spec::norm(std::span(run.gradient).subspan(info.offset, info.size()));
  };
  EXPECT_EQ(size("blocks.1.attn.W_Q"), 0);
  EXPECT_GT(size("blocks.1.attn.W_K"), 0);
}

/// The part of a weight's gradient that belongs to one head: columns of W_Q, W_K and W_V.
double head_gradient(const Ready& ready, const Numbers& gradient, const std::string& name,
                     std::size_t head) {
  const model::ParameterInfo& info = *ready.program.find_parameter(name);
  double square = 0;
  for (std::size_t r = 0; r < info.rows; ++r) {
    for (std::size_t c = head * info.cols / 2; c < (head + 1) * info.cols / 2; ++c) {
      square += std::pow(gradient[info.offset + r * info.cols + c], 2);
    }
  }
  return square;
}

TEST(ClampPlans, APinnedHeadsQueriesAndKeysLearnNothingAndAllElseDoes) {
  const Ready ready(small(), 1);
  Clamped<double> clamped(ready, {pin(ClampKind::matching, 1, 0)});
  const Numbers gradient = ready.run(clamped.taps).gradient;
  for (const std::string name : {"blocks.1.attn.W_Q", "blocks.1.attn.W_K"}) {
    EXPECT_EQ(head_gradient(ready, gradient, name, 0), 0) << name;
    EXPECT_GT(head_gradient(ready, gradient, name, 1), 0) << name;
  }
  EXPECT_GT(head_gradient(ready, gradient, "blocks.1.attn.W_V", 0), 0);
  EXPECT_GT(head_gradient(ready, gradient, "blocks.0.attn.W_Q", 0), 0);
}

TEST(ClampPlans, ACopyingHeadsValuesLearnNothingAndItsQueriesAndKeysDo) {
  const Ready ready(small(), 1);
  Clamped<double> clamped(ready, {pin(ClampKind::copying, 1, 0, 3)});
  const Numbers gradient = ready.run(clamped.taps).gradient;
  EXPECT_EQ(head_gradient(ready, gradient, "blocks.1.attn.W_V", 0), 0);
  EXPECT_GT(head_gradient(ready, gradient, "blocks.1.attn.W_V", 1), 0);
  EXPECT_GT(head_gradient(ready, gradient, "blocks.1.attn.W_Q", 0), 0);
  EXPECT_GT(head_gradient(ready, gradient, "blocks.1.attn.W_K", 0), 0);
}

// --- in time

TEST(ClampPlans, ChangeWhereARangeBeginsAndEnds) {
  const Ready ready(small(), 1);
  std::vector<Clamp> clamps = {pin(ClampKind::matching, 1, 0), pin(ClampKind::copying, 1, 1, 3),
                               frozen("hook_embed", FreezeTo::initial)};
  for (std::size_t i = 0; i < 3; ++i) {
    clamps[i].first = 100 * (i + 1);
    clamps[i].end = 100 * (i + 1) + 150;
  }
  model::CpuEngine engine(1);
  ClampPlans work(ready.program, clamps, model::initialize(ready.program, 1), engine);
  const std::vector<std::vector<data::Token>> sequences{ready.tokens};
  const auto clamped = [&](std::uint64_t tokens, const std::string& name) {
    const auto plans = work.prepare(tokens, sequences);
    return plans && !plans->empty() &&
           std::ranges::count(plans->front().edits, name, &model::Edit::activation) > 0;
  };
  const auto none = [&](std::uint64_t tokens) { return work.prepare(tokens, sequences)->empty(); };
  EXPECT_TRUE(none(0));
  EXPECT_TRUE(none(99));
  EXPECT_TRUE(clamped(100, "blocks.1.attn.hook_pattern"));
  EXPECT_FALSE(clamped(199, "logits"));
  EXPECT_TRUE(clamped(200, "logits"));
  EXPECT_TRUE(clamped(349, "logits"));
  EXPECT_FALSE(clamped(350, "logits"));
  EXPECT_FALSE(clamped(299, "hook_embed"));
  EXPECT_TRUE(clamped(300, "hook_embed"));
  EXPECT_FALSE(clamped(400, "blocks.1.attn.hook_pattern"));
  EXPECT_TRUE(none(450));
}

}  // namespace
}  // namespace lookback::train
