#include "lookback/lens/circuit_corners.h"

#include <gtest/gtest.h>

#include <limits>

#include "lookback/base/workers.h"
#include "lookback/lens/circuits.h"
#include "tests/lens/wirings.h"

namespace lookback::lens {
namespace {

class CornersOfWirings : public testing::TestWithParam<Wiring> {};

/// The same circuit among those that are measured whole.
const CircuitSummary* whole_of(const Circuits& all, const CircuitId& id) {
  for (const auto* list : {&all.direct, &all.composed}) {
    for (const CircuitSummary& one : *list) {
      if (one.id.kind == id.kind && one.id.head == id.head && one.id.from == id.from) return &one;
    }
  }
  return nullptr;
}

TEST_P(CornersOfWirings, SayWhatTheWholeCircuitsSay) {
  const SmallModel model = random_model(GetParam().architecture);
  base::Workers workers(1);
  const auto all = circuits(model.program, model.parameters, CircuitOptions{}, workers);
  const auto found = circuit_corners(model.program, model.parameters, {.side = 3, .circuits = 99});
  ASSERT_TRUE(all);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->side, 3U);
  EXPECT_EQ(found->left_out, 0U);
  EXPECT_EQ(found->circuits.size(), all->direct.size() + all->composed.size() / 3);
  for (const CircuitCorner& one : found->circuits) {
    const CircuitSummary* whole = whole_of(*all, one.id);
    ASSERT_NE(whole, nullptr);
    EXPECT_NEAR(one.eigenvalue_score, whole->eigenvalue_score, 1e-6);
    EXPECT_NEAR(one.matching_score, whole->matching.score, 1e-6);
    EXPECT_EQ(one.eigenvalues.size(), whole->eigenvalues.size());
    ASSERT_EQ(one.corner.size(), 9U);
    const std::size_t side = all->vocabulary;
    for (std::size_t row = 0; row < 3; ++row) {
      for (std::size_t column = 0; column < 3; ++column) {
        const float expected = whole->dense[row * side + column];
        EXPECT_NEAR(one.corner[row * 3 + column], expected, 1e-5F * (1 + std::abs(expected)));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Wirings, CornersOfWirings, testing::ValuesIn(wirings()), wiring_name);

TEST(CircuitCorners, HaveAllTokensOfASmallVocabulary) {
  const SmallModel model = random_model(wirings()[0].architecture);
  const auto found = circuit_corners(model.program, model.parameters, {});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->side, 7U);
}

TEST(CircuitCorners, OfManyHeadsAreSpreadOverTheModelAndTheRestIsCounted) {
  model::Architecture many = wirings()[1].architecture;
  many.layers = 4;
  many.heads = 6;
  const SmallModel model = random_model(many);
  const auto found = circuit_corners(model.program, model.parameters, {.side = 2, .circuits = 32});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->circuits.size(), 32U);
  // Two of each of 24 heads, and 36 pairs for each of the 6 pairs of layers.
  EXPECT_EQ(found->left_out, 48U + 216U - 32U);
  std::size_t composed = 0;
  std::vector<std::size_t> of_layer(4);
  for (const CircuitCorner& one : found->circuits) {
    composed += one.id.from ? 1 : 0;
    if (!one.id.from) ++of_layer[one.id.head.layer];
  }
  EXPECT_EQ(composed, 8U);
  EXPECT_EQ(of_layer, (std::vector<std::size_t>{6, 6, 6, 6}));
}

TEST(CircuitCorners, RefuseWeightsThatAreNotFinite) {
  SmallModel model = random_model(wirings()[0].architecture);
  model.parameters[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(circuit_corners(model.program, model.parameters, {}));
}

TEST(CircuitCorners, RefuseALimitOfNothing) {
  const SmallModel model = random_model(wirings()[0].architecture);
  const auto found = circuit_corners(model.program, model.parameters, {.side = 0, .circuits = 1});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message,
            "found a limit of 0 tokens and 1 circuits, allowed at least 1 each");
}

}  // namespace
}  // namespace lookback::lens
