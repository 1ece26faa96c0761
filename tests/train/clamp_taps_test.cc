// What clamps do to a pass: the values they say, the gradient of the function that is left, and
// nothing else.
#include "lookback/train/clamp_taps.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "tests/base/temporary_directory.h"
#include "tests/model/running.h"
#include "tests/train/small_run.h"

namespace lookback::train {
namespace {

using model::spec::Complex;
using model::spec::Numbers;
using model::spec::Ready;

constexpr std::uint64_t forever = 1'000'000;

Clamp pin(ClampKind kind, std::size_t layer, std::size_t head, double gain = 0) {
  return {"a", kind, layer, head, "", FreezeTo::initial, gain, 0, forever};
}
Clamp frozen(const std::string& activation, FreezeTo to, std::optional<std::size_t> head = {}) {
  return {"b", ClampKind::freeze, 0, head, activation, to, 0, 0, forever};
}

/// Two layers of two heads; eight tokens of seven kinds, so that some come again.
model::Architecture small() {
  model::Architecture a;
  a.vocabulary = 7;
  a.context = 8;
  a.d_model = 12;
  a.d_head = 4;
  a.layers = 2;
  a.heads = 2;
  return a;
}
model::Architecture sequential() {
  model::Architecture a = small();
  a.layers = 1;
  a.heads = 1;
  a.steps = 2;
  return a;
}
model::Architecture no_ov() {
  model::Architecture a = small();
  a.positions = model::Positions::rotary;
  a.d_head = 6;
  a.no_ov = true;
  return a;
}
model::Architecture everything() {
  model::Architecture a = small();
  a.positions = model::Positions::shortformer;
  a.d_mlp = 10;
  a.biases = true;
  a.smeared_keys = true;
  a.tied_embeddings = true;
  return a;
}

/// One sequence with its clamps, whose starting weights are others than the present ones.
template <class N>
struct Clamped {
  Clamped(const Ready& ready, const std::vector<Clamp>& given)
      : clamps(given),
        starting(model::spec::as<N>(model::spec::random_parameters(ready.program, 2))),
        work(ready.program, clamps, starting, ready.length),
        taps(work.prepare(0, ready.tokens)) {}

  std::vector<Clamp> clamps;
  std::vector<N> starting;
  ClampTaps<N> work;
  const model::Taps<N>* taps;
};

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

Numbers ideal(data::IdealPattern kind, const std::vector<model::Token>& tokens) {
  std::vector<float> numbers(tokens.size() * tokens.size());
  data::ideal_pattern(kind, tokens, {numbers.data(), tokens.size(), tokens.size(), tokens.size()});
  return {numbers.begin(), numbers.end()};
}

TEST(ClampTaps, APinnedPatternIsTheIdealOneInItsHeadOnly) {
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

TEST(ClampTaps, StepsOfALayerAreCountedAsItsHeads) {
  const Ready ready(sequential(), 1);
  const std::string pattern = "blocks.0.attn.hook_pattern";
  Clamped<double> clamped(ready, {pin(ClampKind::matching, 0, 1)});
  const auto pinned = seen(ready, pattern, clamped.taps);
  EXPECT_EQ(pinned.at(0), seen(ready, pattern).at(0));
  EXPECT_EQ(pinned.at(1), ideal(data::IdealPattern::matching, ready.tokens));
}

TEST(ClampTaps, AnIdealCopyStandsInThePlaceOfWhatTheHeadWrites) {
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

TEST(ClampTaps, ACopyFollowsThePatternThatAnotherClampSets) {
  const Ready ready(small(), 1);
  Clamped<double> clamped(ready, {pin(ClampKind::copying, 1, 0, 200), pin(ClampKind::matching, 1, 0)});
  const Numbers logits = seen(ready, "logits", clamped.taps).at(0);
  const Numbers pattern = ideal(data::IdealPattern::matching, ready.tokens);
  for (std::size_t t = 0; t < ready.length; ++t) {
    const auto attended = std::max_element(pattern.begin() + static_cast<std::ptrdiff_t>(t * 8),
                                           pattern.begin() + static_cast<std::ptrdiff_t>(t * 8 + 8));
    const std::size_t source = static_cast<std::size_t>(attended - pattern.begin()) - t * 8;
    EXPECT_GT(logits[t * 7 + ready.tokens[source]], 50) << t;
  }
}

TEST(ClampTaps, AFrozenActivationIsWhatItWasUnderTheStartingWeights) {
  const Ready ready(small(), 1);
  Ready start = ready;
  start.parameters = model::spec::random_parameters(ready.program, 2);
  for (const std::string name : {"hook_embed", "blocks.0.attn.hook_pattern", "blocks.1.attn.hook_k",
                                 "blocks.1.hook_q_input", "blocks.0.attn.hook_result",
                                 "ln_final.hook_scale"}) {
    Clamped<double> whole(ready, {frozen(name, FreezeTo::initial)});
    EXPECT_EQ(seen(ready, name, whole.taps), seen(start, name)) << name;
    EXPECT_NE(seen(ready, name), seen(start, name)) << name;
  }
  Clamped<double> one(ready, {frozen("blocks.0.attn.hook_v", FreezeTo::initial, 1)});
  const auto values = seen(ready, "blocks.0.attn.hook_v", one.taps);
  EXPECT_EQ(values.at(0), seen(ready, "blocks.0.attn.hook_v").at(0));
  EXPECT_EQ(values.at(1), seen(start, "blocks.0.attn.hook_v").at(1));
}

TEST(ClampTaps, WithoutGradientAnActivationKeepsItsValueAndItsSourcesLearnNothing) {
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

TEST(ClampTaps, APinnedHeadsQueriesAndKeysLearnNothingAndAllElseDoes) {
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

TEST(ClampTaps, ACopyingHeadsValuesLearnNothingAndItsQueriesAndKeysDo) {
  const Ready ready(small(), 1);
  Clamped<double> clamped(ready, {pin(ClampKind::copying, 1, 0, 3)});
  const Numbers gradient = ready.run(clamped.taps).gradient;
  EXPECT_EQ(head_gradient(ready, gradient, "blocks.1.attn.W_V", 0), 0);
  EXPECT_GT(head_gradient(ready, gradient, "blocks.1.attn.W_V", 1), 0);
  EXPECT_GT(head_gradient(ready, gradient, "blocks.1.attn.W_Q", 0), 0);
  EXPECT_GT(head_gradient(ready, gradient, "blocks.1.attn.W_K", 0), 0);
}

// --- the gradient is the derivative of the clamped function: against its complex step

struct Wiring {
  const char* name;
  model::Architecture architecture;
  std::vector<Clamp> clamps;
};

class ClampGradient : public testing::TestWithParam<Wiring> {};

TEST_P(ClampGradient, IsTheDerivativeOfTheClampedLoss) {
  const Ready ready(GetParam().architecture, 1);
  const Status valid = validate(GetParam().clamps, ready.program, forever);
  ASSERT_TRUE(valid) << valid.error().message;
  Clamped<double> clamped(ready, GetParam().clamps);
  Clamped<Complex> complex_clamped(ready, GetParam().clamps);
  const auto run = ready.run(clamped.taps);
  EXPECT_NE(run.losses, ready.run().losses);
  const double allowed = model::spec::tolerance<double>(ready, clamped.taps).gradient;
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Numbers direction = model::spec::random_direction(ready.program, seed);
    EXPECT_NEAR(model::spec::complex_step(ready, direction, complex_clamped.taps),
                model::spec::dot(run.gradient, direction),
                allowed * model::spec::norm(direction));
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

TEST(ClampTaps, WithoutGradientTheGradientIsThatOfTheActivationHeldWhereItIs) {
  const Ready ready(everything(), 1);
  for (const std::string name : {"blocks.0.attn.hook_pattern", "blocks.1.hook_resid_pre",
                                 "blocks.1.hook_k_input", "ln_final.hook_scale"}) {
    Clamped<double> clamped(ready, {frozen(name, FreezeTo::no_gradient)});
    const std::vector<Clamp> held = {frozen(name, FreezeTo::initial)};
    const std::vector<Complex> present = model::spec::as<Complex>(ready.parameters);
    ClampTaps<Complex> holding(ready.program, held, present, ready.length);
    const Numbers gradient = ready.run(clamped.taps).gradient;
    const double allowed = model::spec::tolerance<double>(ready, clamped.taps).gradient;
    const Numbers direction = model::spec::random_direction(ready.program, 1);
    EXPECT_NEAR(model::spec::complex_step(ready, direction, holding.prepare(0, ready.tokens)),
                model::spec::dot(gradient, direction), allowed * model::spec::norm(direction))
        << name;
  }
}

// --- in time

TEST(ClampTaps, ChangeWhereARangeBeginsAndEnds) {
  const Ready ready(small(), 1);
  std::vector<Clamp> clamps = {pin(ClampKind::matching, 1, 0), pin(ClampKind::copying, 1, 1, 3),
                               frozen("hook_embed", FreezeTo::initial)};
  for (std::size_t i = 0; i < 3; ++i) {
    clamps[i].first = 100 * (i + 1);
    clamps[i].end = 100 * (i + 1) + 150;
  }
  const std::vector<float> starting = model::initialize(ready.program, 1);
  ClampTaps<float> work(ready.program, clamps, starting, ready.length);
  const auto hooked = [&](std::uint64_t tokens, const std::string& name) {
    const model::Taps<float>* taps = work.prepare(tokens, ready.tokens);
    if (taps == nullptr) return false;
    const auto site = std::ranges::find(ready.program.sites, name, &model::SiteInfo::name);
    return taps->any(static_cast<std::size_t>(site - ready.program.sites.begin()));
  };
  EXPECT_EQ(work.prepare(0, ready.tokens), nullptr);
  EXPECT_EQ(work.prepare(99, ready.tokens), nullptr);
  EXPECT_TRUE(hooked(100, "blocks.1.attn.hook_pattern"));
  EXPECT_FALSE(hooked(199, "logits"));
  EXPECT_TRUE(hooked(200, "logits"));
  EXPECT_TRUE(hooked(349, "logits"));
  EXPECT_FALSE(hooked(350, "logits"));
  EXPECT_FALSE(hooked(299, "hook_embed"));
  EXPECT_TRUE(hooked(300, "hook_embed"));
  EXPECT_FALSE(hooked(400, "blocks.1.attn.hook_pattern"));
  EXPECT_EQ(work.prepare(450, ready.tokens), nullptr);
}

/// A run whose clamps of every kind begin and end on its way.
class ClampedRun : public testing::Test {
 protected:
  /// Trains to the end in stretches of `stretch` steps, each by a process of its own as it were.
  TrainState trained(std::size_t threads, std::uint64_t stretch = 100) {
    TrainState state = initial_state(program_, 4);
    for (bool done = false; !done;) {
      base::Workers workers(threads);
      RunClamps clamps(program_, clamps_, 4, spec::length, threads);
      const train::Run run{program_, *source_, config_, 4, "", directory_.path(),
                           clamps.training_taps(*source_)};
      std::uint64_t steps = 0;
      const Result<Outcome> outcome =
          train(run, {{}, {}, [&] { return ++steps == stretch; }}, workers, state);
      if (!outcome) ADD_FAILURE() << outcome.error().message;
      done = !outcome || outcome->kind != Outcome::Kind::stopped;
    }
    return state;
  }

  test::TemporaryDirectory directory_;
  model::Program program_ = spec::small_program();
  std::unique_ptr<data::BlockSource> source_ = spec::small_source();
  TrainConfig config_ = spec::small_config();
  std::vector<Clamp> clamps_ = {
      {"look-back", ClampKind::previous_token, 0, 0, "", {}, 0, 0, 1000},
      {"match", ClampKind::matching, 1, 0, "", {}, 0, 1000, 2000},
      {"copy", ClampKind::copying, 1, 0, "", {}, 5, 300, 1500},
      {"start", ClampKind::freeze, 0, {}, "hook_embed", FreezeTo::initial, 0, 500, 1800},
      {"still", ClampKind::freeze, 0, 0, "blocks.1.attn.hook_q", FreezeTo::no_gradient, 0, 0, 700}};
};

TEST_F(ClampedRun, HasTheSameBitsOnAnyNumberOfThreadsAndHoweverOftenItIsStopped) {
  const Status valid = validate(clamps_, program_, config_.tokens);
  ASSERT_TRUE(valid) << valid.error().message;
  const TrainState one = trained(1);
  for (const std::size_t threads : {2U, 3U, 8U}) {
    SCOPED_TRACE(threads);
    spec::expect_same_bits(trained(threads), one);
  }
  for (const std::uint64_t stretch : {1U, 5U}) {
    SCOPED_TRACE(stretch);
    spec::expect_same_bits(trained(2, stretch), one);
  }
}

TEST_F(ClampedRun, IsNotTheRunWithoutClamps) {
  const TrainState clamped = trained(2);
  clamps_.clear();
  EXPECT_FALSE(spec::same_bits(trained(2).parameters, clamped.parameters));
}

TEST_F(ClampedRun, WithoutClampsAsksForNoTaps) {
  RunClamps none(program_, {}, 4, spec::length, 2);
  EXPECT_FALSE(none.training_taps(*source_));
  EXPECT_FALSE(none.any_in_force(0));
}

TEST_F(ClampedRun, AFrozenStartIsThatOfTheRunsSeed) {
  RunClamps clamps(program_, {frozen("hook_embed", FreezeTo::initial)}, 4, spec::length, 1);
  const std::vector<float> starting = model::initialize(program_, 4);
  const std::vector<float> later = model::initialize(program_, 5);
  const std::vector<model::Token> tokens = source_->sequence(0);
  model::Taps<float> watched = *clamps.prepare(0, 0, tokens);
  bool same = true;
  const Status set =
      watched.on_forward("hook_embed", [&](const model::Tapped&, math::Matrix<float> value) {
        const std::span<const float> table = spec::tensor(program_, starting, "embed.W_E");
        for (std::size_t t = 0; t < value.rows; ++t) {
          same &= spec::same_bits({value.row(t), value.cols},
                                  table.subspan(tokens[t] * value.cols, value.cols));
        }
      });
  ASSERT_TRUE(set) << set.error().message;
  model::Executor<float>(program_, 1, spec::length).forward(later, tokens, &watched);
  EXPECT_TRUE(same);
}

}  // namespace
}  // namespace lookback::train
