#include "lookback/lens/circuits_json.h"

#include <gtest/gtest.h>

#include "tests/lens/wirings.h"

namespace lookback::lens {
namespace {

TEST(CircuitsJson, ACircuitIsAnObjectThatSaysWhatWasDone) {
  CircuitSummary summary;
  summary.id = {CircuitKind::k_composition, {1, 0}, HeadPlace{0, 1}};
  summary.eigenvalues = {{0.5, 1.0 / 3}, {0.5, -1.0 / 3}};
  summary.singular_values = {2};
  summary.matching = {1.5, 0.25, 4};
  summary.largest = {{3, 2, 7}};
  summary.dense = {1};
  summary.notes = {{Treatment::folded, "a"}, {Treatment::ignored, "b"}, {Treatment::ignored, "c"}};
  EXPECT_EQ(circuit_json(summary).dump(),
            R"({"diagonal_share":0.25,"eigenvalue_score":0.0,)"
            R"("eigenvalues":[[0.5,0.3333333],[0.5,-0.3333333]],"folded":["a"],)"
            R"("frobenius_norm":0.0,"from":{"head":1,"layer":0},"frozen":[],)"
            R"("head":{"head":0,"layer":1},"ignored":["b","c"],"kind":"k_composition",)"
            R"("largest":[{"column":2,"row":3,"value":7.0}],"matching_score":1.5,"rows":4,)"
            R"("singular_values":[2.0],"trace":0.0})");
}

TEST(CircuitsJson, ADirectCircuitComesFromNoOtherHead) {
  EXPECT_FALSE(circuit_json({}).contains("from"));
}

TEST(CircuitsJson, AModelHasAllItsCircuits) {
  const SmallModel model = random_model(wirings()[1].architecture);
  base::Workers workers(1);
  CircuitOptions options;
  options.max_pairs = 3;
  const auto found = circuits(model.program, model.parameters, options, workers);
  ASSERT_TRUE(found);
  const nlohmann::json json = circuits_json(*found);
  EXPECT_EQ(json["vocabulary"], 7);
  EXPECT_EQ(json["direct"].size(), 8U);
  EXPECT_EQ(json["composed"].size(), 9U);
  EXPECT_EQ(json["pairs_left_out"], 1);
  ASSERT_EQ(json["positional"].size(), 4U);
  EXPECT_EQ(json["positional"][3]["head"], nlohmann::json({{"layer", 1}, {"head", 1}}));
  EXPECT_EQ(json["positional"][3]["by_offset"].size(), 8U);
  EXPECT_EQ(json["positional"][3]["folded"], nlohmann::json({"blocks.1.ln1: gain and centering"}));
}

}  // namespace
}  // namespace lookback::lens
