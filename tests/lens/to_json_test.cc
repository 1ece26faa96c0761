#include "lookback/lens/to_json.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>

#include "lookback/lens/evaluate.h"
#include "lookback/model/cpu_engine.h"
#include "tests/lens/models.h"
#include "tests/lens/patterns.h"

namespace lookback::lens {
namespace {

using Keys = std::set<std::string>;

Keys keys_in(const nlohmann::json& object) {
  Keys keys;
  for (const auto& item : object.items()) keys.insert(item.key());
  return keys;
}

TEST(Json, NumbersHaveSevenSignificantDigits) {
  EXPECT_EQ(rounded(1.0 / 3).dump(), "0.3333333");
  EXPECT_EQ(rounded(-2.0e-7 / 3).dump(), "-6.666667e-08");
  EXPECT_EQ(rounded(123456789.0).dump(), "123456800.0");
  EXPECT_EQ(rounded(0).dump(), "0.0");
  EXPECT_EQ(rounded(5.5451774444795).dump(), "5.545177");
}

TEST(Json, WhatIsNotFiniteIsNull) {
  EXPECT_TRUE(rounded(std::numeric_limits<double>::quiet_NaN()).is_null());
  EXPECT_TRUE(rounded(std::numeric_limits<double>::infinity()).is_null());
}

TEST(Json, AProbeHasTheShapeThatReportsRead) {
  const SmallModel model = make_model(small_architecture());
  const auto probe = small_probe(data::BlockKind::repeated_blocks);
  ASSERT_NE(probe, nullptr);
  model::CpuEngine engine(1);
  const auto result = evaluate(model.program, model.parameters, *probe, 3, engine);
  ASSERT_TRUE(result);
  const nlohmann::json json = probe_json(*result);
  EXPECT_EQ(keys_in(json),
            (Keys{"loss", "first_half_loss", "second_half_loss", "answered_loss",
                  "in_context_learning_score", "in_context_positions", "loss_by_position",
                  "loss_by_occurrence", "heads", "head_similarity"}));
  EXPECT_EQ(json["in_context_positions"], nlohmann::json({5, 46}));  // 4.69; 46.9, at most T - 2
  EXPECT_EQ(json["loss"], rounded(result->mean.loss));
  EXPECT_EQ(json["loss_by_position"].size(), 47U);
  EXPECT_EQ(json["loss_by_position"][9], rounded(result->loss_by_position[9]));
  EXPECT_EQ(json["loss_by_occurrence"].size(), result->loss_by_occurrence.size());
  ASSERT_EQ(json["heads"].size(), 4U);
  EXPECT_EQ(keys_in(json["heads"][2]),
            (Keys{"layer", "head", "induction_score", "induction_stripe", "induction_chance",
                  "previous_token_score", "duplicate_token_score", "entropy", "band_share"}));
  EXPECT_EQ(json["heads"][2]["layer"], 1);
  EXPECT_EQ(json["heads"][2]["head"], 0);
  EXPECT_EQ(json["heads"][2]["entropy"], rounded(result->heads[2].mean.entropy));
  EXPECT_EQ(json["heads"][2]["induction_stripe"], rounded(result->heads[2].mean.induction_stripe));
  ASSERT_EQ(json["head_similarity"].size(), 4U);
  EXPECT_EQ(json["head_similarity"][3].size(), 4U);
}

TEST(Json, AProbeWithoutAnInContextScoreHasNullInItsPlace) {
  const SmallModel model = make_model(small_architecture());
  const auto probe = small_probe(data::BlockKind::random_repeat);
  ASSERT_NE(probe, nullptr);
  model::CpuEngine engine(1);
  const auto result = evaluate(model.program, model.parameters, *probe, 3, engine);
  ASSERT_TRUE(result);
  const nlohmann::json json = probe_json(*result);
  EXPECT_TRUE(json["in_context_learning_score"].is_null());
  EXPECT_TRUE(json["in_context_positions"].is_null());
  EXPECT_TRUE(json["second_half_loss"].is_number());
}

TEST(Json, CompositionIsAListOfPairs) {
  const Composition composition{{0.25, 0.01, 32}, {{{0, 1}, {1, 0}, 0.5, 1.0 / 3, 0}}};
  EXPECT_EQ(composition_json(composition).dump(),
            R"([{"baseline":0.25,"from":{"head":1,"layer":0},"k":0.3333333,"q":0.5,)"
            R"("to":{"head":0,"layer":1},"v":0.0}])");
  EXPECT_EQ(composition_json({}).dump(), "[]");
}

}  // namespace
}  // namespace lookback::lens
