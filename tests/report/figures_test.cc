#include "lookback/report/figures.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "lookback/report/colors.h"

namespace lookback::report {
namespace {

using nlohmann::json;

const std::vector<std::string> arms = {"composed", "alone"};
const std::vector<Curve> curves = {{"composed", 0, {1000, 1000000}, {0.05, 0.9}},
                                   {"alone", 0, {1000, 1000000}, {0.05, 0.0}}};
const std::vector<Transition> marks = {
    {"composed", 2, 30000}, {"composed", 0, 10000}, {"composed", 1, 20000}};

/// Every value at `key` anywhere below `value`.
void collect(const json& value, const std::string& key, std::vector<json>& found) {
  if (value.is_object() && value.contains(key)) found.push_back(value[key]);
  if (!value.is_structured()) return;
  for (const json& below : value) collect(below, key, found);
}

std::vector<json> all(const json& value, const std::string& key) {
  std::vector<json> found;
  collect(value, key, found);
  return found;
}

/// The rows of the data set of that name.
json rows_of(const json& spec, const std::string& name) {
  for (const json& data : all(spec, "data")) {
    if (data.value("name", "") == name) return data["values"];
  }
  return nullptr;
}

/// The types of all marks.
std::set<std::string> marks_of(const json& spec) {
  std::set<std::string> types;
  for (const json& mark : all(spec, "mark")) types.insert(mark["type"].get<std::string>());
  return types;
}

TEST(InductionScoreFigure, IsASpecificationThatCarriesItsData) {
  const json spec = induction_score_figure(arms, curves, marks, 0.05);
  EXPECT_NE(spec["$schema"].get<std::string>().find("vega-lite/v5"), std::string::npos);
  const json rows = rows_of(spec, "curves");
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[1], (json{{"arm", "composed"}, {"seed", 0}, {"tokens", 1000000}, {"value", 0.9}}));
}

TEST(InductionScoreFigure, HasALogAxisOfTokensAndAScoreFromZeroToOne) {
  const json spec = induction_score_figure(arms, curves, marks, 0.05);
  for (const json& x : all(spec, "x")) {
    if (!x.contains("scale")) continue;
    EXPECT_EQ(x["scale"]["type"], "log");
    EXPECT_EQ(x["scale"]["domain"], (json{1000.0, 1000000.0}));
    EXPECT_EQ(x["axis"]["values"], (json{1000.0, 10000.0, 100000.0, 1000000.0}));
  }
  EXPECT_NE(spec.dump().find(R"("domain":[0,1])"), std::string::npos);
}

TEST(InductionScoreFigure, MarksChanceOnlyWhereItIsKnown) {
  const std::string with = induction_score_figure(arms, curves, marks, 0.0468).dump();
  const std::string without = induction_score_figure(arms, curves, marks, std::nullopt).dump();
  EXPECT_NE(with.find("chance 0.047"), std::string::npos);
  EXPECT_EQ(without.find("chance"), std::string::npos);
}

TEST(InductionScoreFigure, MarksEveryTransitionAndLabelsTheMedianRun) {
  const json rows = rows_of(induction_score_figure(arms, curves, marks, 0.05), "transitions");
  ASSERT_EQ(rows.size(), 3U);
  int labeled = 0;
  for (const json& row : rows) {
    if (!row["labeled"].get<bool>()) continue;
    ++labeled;
    EXPECT_EQ(row["tokens"], 20000);
  }
  EXPECT_EQ(labeled, 1);
}

TEST(InductionScoreFigure, AnswersToThePointer) {
  const json spec = induction_score_figure(arms, curves, marks, 0.05);
  EXPECT_EQ(all(spec, "tooltip").back().size(), 4U);
  EXPECT_EQ(marks_of(spec), (std::set<std::string>{"line", "point", "rule", "text"}));
}

TEST(InductionScoreFigure, GivesEveryArmItsColorInTheOrderOfTheStudy) {
  const json spec = induction_score_figure(arms, curves, marks, 0.05);
  for (const json& color : all(spec, "color")) {
    if (!color.is_object()) continue;
    EXPECT_EQ(color["scale"]["domain"], json(arms));
    EXPECT_EQ(color["scale"]["range"], (json{arm_color(0), arm_color(1)}));
  }
  EXPECT_TRUE(all(spec, "strokeDash").empty() || !all(spec, "strokeDash").front().is_object());
}

TEST(InductionScoreFigure, DashesTheArmsWhoseColorsReturn) {
  std::vector<std::string> many(9, "arm ");
  for (std::size_t i = 0; i < many.size(); ++i) many[i] += std::to_string(i);
  EXPECT_EQ(arm_color(0), arm_color(arm_colors));
  const json spec = induction_score_figure(many, curves, marks, 0.05);
  bool found = false;
  for (const json& dash : all(spec, "strokeDash")) {
    if (!dash.is_object()) continue;
    found = true;
    EXPECT_NE(dash["scale"]["range"][0], dash["scale"]["range"][7]);
  }
  EXPECT_TRUE(found);
}

TEST(InductionScoreFigure, IsDrawnForAStudyWithoutData) {
  const json spec = induction_score_figure(std::vector<std::string>(), {}, {}, std::nullopt);
  EXPECT_TRUE(rows_of(spec, "curves").empty());
  EXPECT_EQ(spec.dump().find("null,null"), std::string::npos);
}

TEST(InductionScoreFigure, GivesASingleRecordAnExtent) {
  const std::vector<Curve> single = {{"composed", 0, {1000}, {0.5}}};
  const json spec = induction_score_figure(arms, single, {}, std::nullopt);
  EXPECT_NE(spec.dump().find(R"("domain":[500.0,2000.0])"), std::string::npos);
}

TEST(SecondHalfLossFigure, PutsALossOfZeroAtTheFootOfALogAxis) {
  const json spec = second_half_loss_figure(arms, curves, marks, LossAxis::logarithmic);
  bool found = false;
  for (const json& y : all(spec, "y")) {
    if (y.value("title", "") != "second-half loss (nats)") continue;
    found = true;
    EXPECT_EQ(y["scale"]["type"], "log");
    EXPECT_EQ(y["scale"]["clamp"], true);
    EXPECT_EQ(y["scale"]["domain"], (json{0.05, 0.9}));
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(second_half_loss_figure(arms, curves, marks, LossAxis::linear).dump().find("clamp"),
            std::string::npos);
}

TEST(SecondHalfLossFigure, DrawsTheIdealLossOnceWhereItIsOfAllArms) {
  const auto labels = [](const json& spec) {
    std::set<std::string> found;
    for (const json& label : all(spec, "label")) found.insert(label.get<std::string>());
    return found;
  };
  const std::vector<IdealLoss> same = {{"composed", 0.50604}, {"alone", 0.50598}};
  const std::vector<IdealLoss> two = {{"composed", 0.5}, {"alone", 0.7}};
  const std::vector<IdealLoss> far = {{"composed", 0.05}, {"alone", 1e-9}};
  using Labels = std::set<std::string>;
  EXPECT_EQ(labels(second_half_loss_figure(arms, curves, marks, LossAxis::linear, same)),
            (Labels{"ideal 0.506"}));
  EXPECT_EQ(labels(second_half_loss_figure(arms, curves, marks, LossAxis::linear, two)),
            (Labels{"ideal of composed 0.5", "ideal of alone 0.7"}));
  EXPECT_EQ(labels(second_half_loss_figure(arms, curves, marks, LossAxis::logarithmic, far)),
            (Labels{"ideal 0.05"}));
  EXPECT_TRUE(labels(second_half_loss_figure(arms, curves, marks, LossAxis::linear)).empty());
}

TEST(PredictorsFigure, HasADashForEachPredictorAndNoColorOfAnArm) {
  const std::vector<std::string> predictors = {"uniform", "unigram", "bigram"};
  const std::vector<Curve> lines = {{"uniform", 0, {1000, 1000000}, {0.01, 0.2}},
                                    {"bigram", 0, {1000, 1000000}, {0.15, 0.02}}};
  const json spec = predictors_figure(predictors, lines, 0.2);
  EXPECT_EQ(rows_of(spec, "curves").size(), 4U);
  const std::vector<json> dashes = all(spec, "strokeDash");
  const auto encoded = std::ranges::find_if(dashes, &json::is_object);
  ASSERT_NE(encoded, dashes.end());
  EXPECT_EQ((*encoded)["scale"]["domain"], json(predictors));
  EXPECT_EQ((*encoded)["scale"]["range"].back(), (json{1, 0}));  // who knows most is a whole line
  EXPECT_EQ(spec.dump().find(std::string(arm_color(0))), std::string::npos);
  EXPECT_NE(spec.dump().find(R"("domain":[0,0.2])"), std::string::npos);
}

TEST(ProbesFigure, HasADotForEveryRunWithTheMeasure) {
  const std::vector<ProbeEnd> ends = {{"composed", 0, "repeated-blocks", 0.1, 0.9},
                                      {"composed", 0, "broken-period", 0.2, std::nullopt}};
  const json losses = probes_figure(arms, ends, ProbeMeasure::second_half_loss);
  EXPECT_EQ(losses["data"]["values"].size(), 2U);
  EXPECT_EQ(losses["encoding"]["x"]["title"], "second-half loss (nats)");
  const json scores = probes_figure(arms, ends, ProbeMeasure::induction_score);
  ASSERT_EQ(scores["data"]["values"].size(), 1U);
  EXPECT_EQ(scores["data"]["values"][0]["value"], 0.9);
}

TEST(LossByPositionFigure, ChoosesOneCheckpointByAParameter) {
  const std::vector<std::uint64_t> checkpoints = {0, 1000, 2000};
  const std::vector<PositionLosses> losses = {{"composed", 0, 1, {5.5, 0.123456}}};
  const json spec = loss_by_position_figure(arms, checkpoints, losses);
  EXPECT_EQ(spec["params"][0]["name"], "checkpoint");
  EXPECT_EQ(spec["params"][0]["value"], 2);
  EXPECT_EQ(spec["params"][0]["bind"]["max"], 2);
  EXPECT_EQ(spec["data"]["values"][0]["loss"], (json{5.5, 0.1235}));
  EXPECT_EQ(spec["transform"][0]["filter"], "datum.checkpoint == checkpoint");
}

}  // namespace
}  // namespace lookback::report
