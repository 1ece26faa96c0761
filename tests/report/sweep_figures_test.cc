// Figures of a sweep: measures against the swept number, laws beside them, and arms that are told apart
// by the number.
#include "lookback/report/sweep_figures.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "lookback/report/colors.h"
#include "lookback/report/figure_arms.h"
#include "lookback/report/study_data.h"

namespace lookback::report {
namespace {

using nlohmann::json;

Run run_with(std::uint64_t seed, const json& transition, double loss) {
  Run run;
  run.seed = seed;
  run.summary = {{"status", "finished"},
                 {"transition_tokens", transition},
                 {"induction_score", 0.9},
                 {"second_half_loss", loss}};
  return run;
}

/// Arms a and b at contexts of 24, 48 and 96, two seeds each; one run of b has no transition.
StudyReport swept_study(bool logarithmic) {
  StudyReport study;
  study.name = "swept";
  study.swept.axes = {{"model.context", "context", {24, 48, 96}, logarithmic}};
  for (const std::string base : {"a", "b"}) {
    for (const double at : {24.0, 48.0, 96.0}) {
      const std::string name = base + ",context=" + std::to_string(static_cast<int>(at));
      const bool is_last = base == "b" && at == 96;
      study.swept.arms.push_back({name, base, {at}});
      study.arms.push_back(
          {name,
           100,
           {run_with(0, 3 * at, 0.5), run_with(1, is_last ? json() : json(4 * at), 0)},
           "",
           64});
    }
  }
  return study;
}

/// A ledger whose claim has a law of this arm.
json ledger_with(const std::string& arm, const char* key = "model.context") {
  const json law = {{"key", key},
                    {"exponent", 2.0},
                    {"factor", 3.0},
                    {"runs", {{{"run", arm + ",context=24/seed-0"}, {"at", 24}}}}};
  const json test = {{"finding", "transition_tokens"}, {"interval", {1.5, 2.5}}, {"law", law}};
  return {{"claims", {{{"tests", {test, test}}}}}};
}

json specification(const json& figures, std::size_t variant) {
  return figures.at(0).at("variants").at(variant).at("spec");
}

/// Rows of the layer of that name.
json layer_rows(const json& spec, const std::string& name) {
  for (const json& layer : spec["layer"]) {
    if (layer["data"]["name"] == name) return layer["data"]["values"];
  }
  return nullptr;
}

TEST(SweepFigures, ThereAreNoneWithoutASweep) { EXPECT_TRUE(sweep_figures(StudyReport()).empty()); }

TEST(SweepFigures, ShowEachMeasureAgainstTheNumber) {
  const json figures = sweep_figures(swept_study(false));
  ASSERT_EQ(figures.size(), 1U);
  EXPECT_EQ(figures[0]["id"], "sweep-context");
  std::vector<std::string> ids;
  for (const json& variant : figures[0]["variants"]) ids.push_back(variant["id"]);
  EXPECT_EQ(ids, std::vector<std::string>(
                     {"sweep-context-transition", "sweep-context-score", "sweep-context-loss"}));
}

TEST(SweepFigures, HaveADotForEachRunThatHasTheMeasure) {
  const json figures = sweep_figures(swept_study(false));
  const json rows = layer_rows(specification(figures, 0), "runs");
  EXPECT_EQ(rows.size(), 11U);
  EXPECT_EQ(
      rows[3],
      json({{"arm", "a,context=48"}, {"group", "a"}, {"seed", 1}, {"at", 48.0}, {"value", 192.0}}));
  EXPECT_EQ(layer_rows(specification(figures, 1), "runs").size(), 12U);
  EXPECT_NE(figures[0]["caption"].get<std::string>().find("1 of the runs"), std::string::npos);
}

TEST(SweepFigures, HaveLogAxesWhereTheSweepDoes) {
  const json linear = specification(sweep_figures(swept_study(false)), 0);
  const json log = specification(sweep_figures(swept_study(true)), 0);
  for (const json& layer : linear["layer"])
    EXPECT_FALSE(layer["encoding"]["x"]["scale"].contains("type"));
  for (const json& layer : log["layer"]) {
    EXPECT_EQ(layer["encoding"]["x"]["scale"]["type"], "log");
    EXPECT_EQ(layer["encoding"]["y"]["scale"]["type"], "log");
  }
  const json loss = specification(sweep_figures(swept_study(true)), 2);
  EXPECT_FALSE(loss["layer"][1]["encoding"]["y"]["scale"].contains("type"));
  EXPECT_EQ(layer_rows(loss, "runs").size(), 12U);  // a loss of 0 among them
}

TEST(SweepFigures, DrawALawOnceWithItsExponentInTheTitle) {
  StudyReport study = swept_study(false);
  study.ledger = ledger_with("a");
  const json spec = specification(sweep_figures(study), 0);
  EXPECT_EQ(spec["title"]["text"], json({"a: context^2.00 [1.50, 2.50]"}));
  EXPECT_EQ(spec["layer"][0]["encoding"]["x"]["scale"]["type"], "log");
  const json rows = layer_rows(spec, "laws");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0], json({{"group", "a"}, {"at", 24.0}, {"value", 1728.0}}));
  EXPECT_EQ(rows[1]["value"], 27648.0);
  EXPECT_FALSE(specification(sweep_figures(study), 1).contains("title"));
}

TEST(SweepFigures, PassOverWhatIsNoLawOfTheirs) {
  StudyReport study = swept_study(false);
  for (const json& ledger :
       {json(), json(3), json({{"claims", 3}}), ledger_with("other"),
        ledger_with("a", "model.d_model"), json({{"claims", {{{"tests", {{{"law", 3}}}}}}}})}) {
    study.ledger = ledger;
    EXPECT_FALSE(specification(sweep_figures(study), 0).contains("title")) << ledger.dump();
  }
}

TEST(SweepFigures, OfAGridTellTheOtherAxesApart) {
  StudyReport study = swept_study(false);
  study.swept.axes.push_back({"train.learning_rate", "learning_rate", {0.1, 0.2}, true});
  for (std::size_t i = 0; i < study.swept.arms.size(); ++i) {
    study.swept.arms[i].base = "";
    study.swept.arms[i].at.push_back(i < 3 ? 0.1 : 0.2);
  }
  const json figures = sweep_figures(study);
  ASSERT_EQ(figures.size(), 2U);
  const json color = specification(figures, 0)["layer"][1]["encoding"]["color"];
  EXPECT_EQ(color["scale"]["domain"], json({"learning_rate=0.1", "learning_rate=0.2"}));
}

TEST(FigureArms, OfASweepAreColoredByTheNumberAndDashedByTheArm) {
  const FigureArms arms(swept_study(true));
  EXPECT_EQ(arms.color(0), swept_color(0));
  EXPECT_EQ(arms.color(1), swept_color(0.5));  // 48 on a log axis from 24 to 96
  EXPECT_EQ(arms.color(2), swept_color(1));
  EXPECT_EQ(arms.color(3), arms.color(0));
  EXPECT_NE(FigureArms(swept_study(false)).color(1), arms.color(1));
  json encoding;
  arms.encode(encoding);
  EXPECT_EQ(encoding["color"]["title"], "model.context");
  EXPECT_EQ(encoding["color"]["legend"]["values"],
            json({"a,context=24", "a,context=48", "a,context=96"}));
  EXPECT_EQ(encoding["strokeDash"]["legend"]["values"], json({"a,context=24", "b,context=24"}));
  const json& dashes = encoding["strokeDash"]["scale"]["range"];
  EXPECT_EQ(dashes[0], dashes[2]);
  EXPECT_NE(dashes[0], dashes[3]);
}

TEST(FigureArms, OfALongSweepHaveAShortLegend) {
  StudyReport study;
  study.swept.axes = {{"train.learning_rate", "learning_rate", {}, false}};
  for (int i = 0; i < 40; ++i) {
    const std::string name = "learning_rate=" + std::to_string(i);
    study.swept.axes[0].values.push_back(i);
    study.swept.arms.push_back({name, "", {static_cast<double>(i)}});
    study.arms.push_back({name, 100, {}, "", 64});
  }
  const json legend = FigureArms(study).legend();
  EXPECT_EQ(legend["title"], "train.learning_rate");
  ASSERT_EQ(legend["entries"].size(), 8U);
  EXPECT_EQ(legend["entries"][0]["label"], "0");
  EXPECT_EQ(legend["entries"][7]["label"], "39");
}

TEST(FigureArms, OfPlainNamesHaveAColorEach) {
  const FigureArms arms(std::vector<std::string>{"a", "b"});
  EXPECT_EQ(arms.color(1), arm_color(1));
  EXPECT_TRUE(arms.legend().is_null());
  json encoding;
  arms.encode(encoding);
  EXPECT_FALSE(encoding.contains("strokeDash"));
}

TEST(StudyData, OfASweepHasItsFigureFirstAndALegendOfNumbers) {
  const StudyReport study = swept_study(true);
  const json data = study_data(study, {});
  EXPECT_EQ(data["figures"][0]["id"], "sweep-context");
  EXPECT_EQ(data["legend"]["entries"].size(), 5U);  // three numbers, two arms
  EXPECT_EQ(data["arms"][2]["color"], swept_color(1));
  EXPECT_TRUE(study_data(StudyReport(), {})["legend"].is_null());
}

}  // namespace
}  // namespace lookback::report
