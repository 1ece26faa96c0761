// What validate() refuses, and what it says.
#include "lookback/model/architecture.h"

#include <gtest/gtest.h>

#include <limits>

#include "lookback/model/program.h"
#include "tests/base/like.h"
#include "tests/model/cases.h"

namespace lookback::model::spec {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Expects the message of the default architecture with one change.
template <class Change>
void expect_refused(const std::string& message, Change change) {
  Architecture a;
  change(a);
  const Status status = validate(a);
  ASSERT_FALSE(status) << "accepted, but expected: " << message;
  EXPECT_TRUE(test::like(status.error().message, message));
  const Result<Program> program = compile(a);
  ASSERT_FALSE(program) << message;
  EXPECT_TRUE(test::like(program.error().message, message));
}

TEST(Validate, AcceptsTheDefaultAndEveryCaseOfTheseTests) {
  EXPECT_TRUE(validate(Architecture{}));
  for (const Case& c : cases(small_sizes)) EXPECT_TRUE(validate(c.architecture)) << c;
}

struct SizeLimits {
  const char* name;
  std::size_t Architecture::*size;
  std::size_t least, most;
};

TEST(Validate, BoundsEverySizeSoThatNoProductOverflows) {
  const SizeLimits limits[] = {
      {"vocabulary", &Architecture::vocabulary, 2, 1048576},
      {"context", &Architecture::context, 2, 65536},
      {"d_model", &Architecture::d_model, 1, 65536},
      {"d_head", &Architecture::d_head, 1, 16384},
      {"layers", &Architecture::layers, 1, 1024},
      {"heads", &Architecture::heads, 1, 1024},
      {"steps", &Architecture::steps, 1, 256},
      {"d_mlp", &Architecture::d_mlp, 0, 262144},
  };
  for (const SizeLimits& limit : limits) {
    const auto message = [&](std::size_t size) {
      return std::string("model.") + limit.name + " is " + std::to_string(size) + "; *" +
             std::to_string(limit.least) + " to " + std::to_string(limit.most);
    };
    Architecture a;
    a.*limit.size = limit.least;
    EXPECT_TRUE(validate(a)) << limit.name;
    a.*limit.size = limit.most;
    EXPECT_TRUE(validate(a)) << limit.name;
    for (const std::size_t wrong : {limit.most + 1, std::numeric_limits<std::size_t>::max()}) {
      expect_refused(message(wrong), [&](Architecture& b) { b.*limit.size = wrong; });
    }
    if (limit.least == 0) continue;
    expect_refused(message(limit.least - 1),
                   [&](Architecture& b) { b.*limit.size = limit.least - 1; });
  }
}

TEST(Validate, RefusesOptionsOfSeveralStepsWhereThereIsOne) {
  expect_refused(
      "model.shared_weights needs model.steps > 1: with one step there is nothing to share",
      [](Architecture& a) { a.shared_weights = true; });
  for (const NormKind kind : {NormKind::layernorm, NormKind::rmsnorm}) {
    expect_refused(
        "model.norm_between needs model.steps > 1: with one step there is nothing between",
        [&](Architecture& a) { a.norm_between = kind; });
  }
  expect_refused(
      "model.step_input = \"raw\" needs model.steps > 1: the first step always reads the layer's "
      "normed input",
      [](Architecture& a) { a.step_input = StepInput::raw; });
}

TEST(Validate, RefusesExceptionsForLayersThatDoNotExist) {
  Architecture a;
  a.layers = 2;
  a.layers_without_norm = {1, 0};
  EXPECT_TRUE(validate(a));
  expect_refused("model.layers_without_norm names layer 2, but the layers are 0 to 1",
                 [](Architecture& b) {
                   b.layers = 2;
                   b.layers_without_norm = {0, 2};
                 });
}

TEST(Validate, RefusesRotaryPositionsOfOddWidth) {
  const auto odd = [](Architecture& a) { a.d_head = 63; };
  expect_refused("model.d_head is 63, *even", [&](Architecture& a) {
    odd(a);
    a.positions = Positions::rotary;
  });
  Architecture a;
  odd(a);
  EXPECT_TRUE(validate(a)) << "other positions do not mind";
}

TEST(Validate, RefusesHeadsWithoutOvThatDoNotFillTheStream) {
  const auto no_ov = [](std::size_t heads) {
    return [=](Architecture& a) {
      a.no_ov = true;
      a.heads = heads;
    };
  };
  expect_refused(
      "model.no_ov writes the heads' outputs side by side into the stream: heads x d_head (1 x 64 "
      "= 64) must equal d_model (128)",
      no_ov(1));
  Architecture a;
  no_ov(2)(a);
  EXPECT_TRUE(validate(a));
}

TEST(Validate, RefusesAValueAfterRotationWhereNothingIsRotatedOrWritten) {
  const std::string message =
      "model.no_ov_value = \"after-rotation\" needs model.no_ov = true and rotary positions";
  expect_refused(message, [](Architecture& a) { a.no_ov_value = NoOvValue::after_rotation; });
  expect_refused(message, [](Architecture& a) {
    a.no_ov_value = NoOvValue::after_rotation;
    a.positions = Positions::rotary;
  });
  expect_refused(message, [](Architecture& a) {
    a.no_ov_value = NoOvValue::after_rotation;
    a.no_ov = true;
    a.heads = 2;
  });
}

TEST(Validate, RefusesOptionsOfPartsThatTheModelDoesNotHave) {
  expect_refused("model.mlp_norm needs model.d_mlp > 0*",
                 [](Architecture& a) { a.mlp_norm = NormKind::rmsnorm; });
  expect_refused("model.rotary_base needs model.positions = \"rotary\"",
                 [](Architecture& a) { a.rotary_base = 500; });
  Architecture a;
  a.mlp_norm = NormKind::none;
  EXPECT_TRUE(validate(a)) << "no norm before no MLP is no contradiction";
}

TEST(Validate, RefusesStartsThatAreNoDeviations) {
  expect_refused("init.embedding is -0.1; *>= 0",
                 [](Architecture& a) { a.initialization.embedding = -0.1; });
  expect_refused("init.position is inf; *>= 0",
                 [](Architecture& a) { a.initialization.position = infinity; });
  expect_refused("init.gain is nan; *>= 0", [](Architecture& a) {
    a.initialization.gain = std::numeric_limits<double>::quiet_NaN();
  });
  expect_refused("init.residual_gain is -inf; *>= 0",
                 [](Architecture& a) { a.initialization.residual_gain = -infinity; });
  Architecture a;
  a.initialization = {0, 0, true, 0, 0, true};
  EXPECT_TRUE(validate(a)) << "zero is a start, if a poor one";
}

TEST(Validate, RefusesRotaryBasesThatTurnNothingSlower) {
  const std::pair<double, std::string> bases[] = {{1.0, "1"}, {-2.0, "-2"}, {infinity, "inf"}};
  for (const auto& refused : bases) {
    expect_refused("model.rotary_base is " + refused.second + "; it must be above 1",
                   [&](Architecture& a) { a.rotary_base = refused.first; });
  }
  expect_refused("model.rotary_base is nan; it must be above 1",
                 [](Architecture& a) { a.rotary_base = std::numeric_limits<double>::quiet_NaN(); });
}

}  // namespace
}  // namespace lookback::model::spec
