#include "lookback/report/head_scores_figure.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "tests/report/example_study.h"

namespace lookback::report {
namespace {

using nlohmann::json;

constexpr double unknown_score = std::numeric_limits<double>::quiet_NaN();
const std::vector<std::string> two_names = {"composed", "alone"};
const std::vector<std::uint64_t> stops = {0, 1000, 2000};

TEST(CheckpointScoresOf, AreThoseOfTheNearestRecordWhileTheRunLasts) {
  const auto found = checkpoint_scores(test::example_study(), {900, 9000, 50000});
  ASSERT_EQ(found.size(), 6U);
  EXPECT_EQ(found[1].arm, "composed");
  EXPECT_EQ(found[1].checkpoint, 1U);
  EXPECT_EQ(found[1].heads, (std::vector<std::string>{"0.0", "0.1"}));
  EXPECT_EQ(found[1].induction, (std::vector<double>{0.4, 0.8}));
  EXPECT_EQ(found[1].previous_token, (std::vector<double>{0.9, 0.1}));
}

TEST(HeadScoresFigure, HasARowARunAndCheckpoint) {
  bool cut = false;
  const std::vector<CheckpointScores> scores = {
      {"composed", 2, 1, {"0.0", "1.0"}, {0.1, 0.87654}, {0.9, unknown_score}}};
  const json spec = head_scores_figure(two_names, stops, scores, cut);
  EXPECT_FALSE(cut);
  EXPECT_EQ(spec["params"][0]["name"], "checkpoint");
  EXPECT_EQ(spec["params"][0]["value"], 2);
  EXPECT_EQ(spec["transform"][0]["filter"], "datum.checkpoint == checkpoint");
  ASSERT_EQ(spec["data"]["values"].size(), 1U);
  EXPECT_EQ(spec["data"]["values"][0], (json{{"arm", "composed"},
                                             {"seed", 2},
                                             {"checkpoint", 1},
                                             {"head", {"0.0", "1.0"}},
                                             {"induction score", {0.1, 0.877}},
                                             {"previous-token score", {0.9, nullptr}}}));
  EXPECT_EQ(spec["encoding"]["y"]["scale"]["domain"], (json{"composed 0.0", "composed 1.0"}));
}

TEST(HeadScoresFigure, TellsArmsByColorAndScoresByFilling) {
  bool cut = false;
  const json spec = head_scores_figure(two_names, stops, {}, cut);
  const json& bars = spec["layer"][0];
  EXPECT_EQ(bars["mark"]["type"], "bar");
  EXPECT_EQ(bars["encoding"]["fill"]["scale"]["domain"], json(two_names));
  EXPECT_EQ(bars["encoding"]["fillOpacity"]["field"], "measure");
  EXPECT_EQ(bars["encoding"]["x"]["aggregate"], "mean");
  EXPECT_EQ(spec["layer"][1]["mark"]["type"], "point");
  for (const json& layer : spec["layer"]) {
    EXPECT_EQ(layer["encoding"]["x"]["scale"]["domain"], (json{0, 1}));
  }
}

TEST(HeadScoresFigure, ShowsTheHeadsWithTheLargestScoresOfAnArmWithMany) {
  CheckpointScores many{"composed", 0, 0, {}, {}, {}};
  for (std::size_t i = 0; i < 40; ++i) {
    many.heads.push_back("0." + std::to_string(i));
    many.induction.push_back(i == 30 ? 0.9 : 0.001 * static_cast<double>(i));
    many.previous_token.push_back(i == 3 ? 0.8 : 0.0);
  }
  bool cut = false;
  const std::vector<CheckpointScores> all = {many};
  const json spec = head_scores_figure(two_names, stops, all, cut);
  EXPECT_TRUE(cut);
  const json& heads = spec["data"]["values"][0]["head"];
  ASSERT_EQ(heads.size(), most_scored_heads);
  EXPECT_EQ(heads[0], "0.3");
  EXPECT_NE(heads.dump().find("0.30"), std::string::npos);
}

TEST(HeadScoresFigure, IsDrawnWithoutData) {
  bool cut = false;
  const json spec = head_scores_figure(std::vector<std::string>(), {}, {}, cut);
  EXPECT_TRUE(spec["data"]["values"].empty());
  EXPECT_EQ(spec["params"][0]["value"], 0);
  EXPECT_GT(spec["height"], 0);
}

}  // namespace
}  // namespace lookback::report
