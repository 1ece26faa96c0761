// The closed form itself: codes that tell tokens apart, the room it needs, and what is refused.
#include "lookback/model/construct.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "lookback/model/program.h"
#include "tests/base/like.h"

namespace lookback::model {
namespace {

constexpr float epsilon = std::numeric_limits<float>::epsilon();

std::vector<std::vector<float>> codes_of(const TokenCode& code, std::size_t vocabulary) {
  std::vector<std::vector<float>> codes(vocabulary, std::vector<float>(code.width()));
  for (std::size_t x = 0; x < vocabulary; ++x) code.write(x, codes[x]);
  return codes;
}

double product(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

TEST(TokenCode, IsOfUnitLengthAndNoTwoAreNearerThanItsCoherence) {
  constexpr std::size_t most = 2 * 13 * 13;  // all that p = 13 has
  const TokenCode code(most, 13);
  ASSERT_EQ(code.prime(), 13U);
  const auto codes = codes_of(code, most);
  for (std::size_t x = 0; x < most; ++x) {
    EXPECT_NEAR(product(codes[x], codes[x]), 1, 2 * epsilon);
    for (std::size_t y = 0; y < x; ++y) {
      EXPECT_LE(std::abs(product(codes[x], codes[y])), code.coherence() + epsilon) << x << " " << y;
    }
  }
}

TEST(TokenCode, HasTheLeastPrimeWithRoomForTheVocabulary) {
  EXPECT_EQ(TokenCode(256, 29).prime(), 29U);
  EXPECT_EQ(TokenCode(2 * 29 * 29, 29).prime(), 29U);
  EXPECT_EQ(TokenCode(2 * 29 * 29 + 1, 29).prime(), 31U);
  EXPECT_EQ(TokenCode(50257, 29).prime(), 163U);
}

TEST(Construct, StatesTheLeastSizes) {
  const Circuit circuit = circuit_of({ConstructionKind::two_layer, 256, 256, 0, 0});
  EXPECT_EQ(circuit.least_d_model, 4 * 29U + 2 * 4 + 1);  // within the article's 128
  EXPECT_EQ(circuit.least_d_head, 2 * 29U + 1);           // and 64
  EXPECT_EQ(circuit_of({ConstructionKind::sequential, 256, 257, 0, 0}).circles, 4U);
  EXPECT_EQ(circuit_of({ConstructionKind::sequential, 256, 258, 0, 0}).circles, 5U);
  const Circuit smeared = circuit_of({ConstructionKind::smeared, 8192, 256, 0, 0});
  EXPECT_EQ(smeared.least_d_model, 2 * 67U);
  EXPECT_EQ(smeared.least_d_head, 2 * 67U);
}

std::string refusal(const Construction& construction) {
  const Result<ConstructedModel> model = construct(construction);
  return model ? "" : model.error().message;
}

TEST(Construct, RefusesLessWithTheReason) {
  EXPECT_EQ(refusal({ConstructionKind::two_layer, 256, 256, 125, 59}), "");
  EXPECT_TRUE(test::like(refusal({ConstructionKind::two_layer, 256, 256, 124, 59}),
                         "two-layer: found d_model 124, * 125: *p = 29 *V = 256"));
  EXPECT_TRUE(test::like(refusal({ConstructionKind::sequential, 256, 256, 125, 58}),
                         "sequential: found d_head 58, * 59: *p = 29 *V = 256"));
  EXPECT_TRUE(test::like(refusal({ConstructionKind::smeared, 2000, 256, 73, 74}),
                         "smeared: found d_model 73, * 74: *p = 37 *V = 2000"));
  EXPECT_TRUE(test::like(refusal({ConstructionKind::smeared, 2000, 256, 74, 73}),
                         "smeared: found d_head 73, * 74: *p = 37 *V = 2000"));
}

TEST(Construct, RefusesWhatNoArchitectureMayHave) {
  EXPECT_TRUE(test::like(refusal({ConstructionKind::two_layer, 1, 256, 125, 59}),
                         "model.vocabulary is 1; *2 to 1048576"));
  EXPECT_TRUE(test::like(refusal({ConstructionKind::two_layer, SIZE_MAX, 256, 125, 59}),
                         "model.vocabulary is 18446744073709551615; *2 to 1048576"));
  EXPECT_TRUE(test::like(refusal({ConstructionKind::smeared, 256, 1, 125, 59}),
                         "model.context is 1; *2 to 65536"));
}

TEST(Construct, TwoHeadsWithoutNormsInTwoLayersOrInOne) {
  const auto two = construct({ConstructionKind::two_layer, 256, 256, 128, 64});
  const auto one = construct({ConstructionKind::sequential, 256, 256, 128, 64});
  ASSERT_TRUE(two && one);
  EXPECT_EQ(two->architecture.layers * two->architecture.heads_per_layer(), 2U);
  EXPECT_EQ(one->architecture.layers, 1U);
  EXPECT_EQ(one->architecture.heads_per_layer(), 2U);
  EXPECT_EQ(one->architecture.heads, 1U);
  const auto program = compile(one->architecture);
  ASSERT_TRUE(program);
  for (const ParameterInfo& parameter : program->parameters) {
    EXPECT_TRUE(parameter.matrix) << parameter.name << " is of a norm or a bias";
  }
}

TEST(Construct, LeavesTheRestOfTheStreamZero) {
  const auto model = construct({ConstructionKind::two_layer, 256, 256, 128, 64});
  ASSERT_TRUE(model);
  const auto program = compile(model->architecture);
  ASSERT_TRUE(program);
  for (const char* name : {"embed.W_E", "pos_embed.W_pos", "blocks.0.attn.W_O"}) {
    const ParameterInfo* info = program->find_parameter(name);
    ASSERT_NE(info, nullptr) << name;
    for (std::size_t row = 0; row < info->rows; ++row) {
      for (std::size_t col = 125; col < 128; ++col) {
        EXPECT_EQ(model->parameters[info->offset + row * info->cols + col], 0) << name;
      }
    }
  }
}

}  // namespace
}  // namespace lookback::model
