// Which figures there are of one model, and what a large one is cut to.
#include "lookback/report/lens_section.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "lookback/report/colors.h"
#include "tests/report/example_lens.h"

namespace lookback::report {
namespace {

using nlohmann::json;

/// The figure of that id, or null.
json figure_of(const json& figures, const std::string& id) {
  for (const json& one : figures) {
    if (one["id"] == id) return one;
  }
  return nullptr;
}

std::vector<std::string> panel_ids(const json& figures) {
  std::vector<std::string> ids;
  for (const json& one : figures) {
    for (const json& variant : one["variants"]) {
      for (const json& panel : variant["panels"]) ids.push_back(panel["id"]);
    }
  }
  return ids;
}

TEST(LensFigures, AreThoseOfWhatWasMeasured) {
  const json figures = lens_figures(test::example_lens());
  std::vector<std::string> ids;
  for (const json& one : figures) {
    ids.push_back(one["id"]);
    EXPECT_GT(one["caption"].get<std::string>().size(), 80U) << one["id"];
    for (const json& variant : one["variants"]) {
      for (const json& panel : variant["panels"]) EXPECT_TRUE(panel["spec"].contains("$schema"));
    }
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"ablation", "patching", "eigenvalues", "composition",
                                           "positional"}));
  EXPECT_EQ(
      panel_ids(figures),
      (std::vector<std::string>{
          "ablation-inputs-1.0", "ablation-heads", "ablation-norms", "ablation-logits",
          "patching-answer-v", "patching-paths-answer", "eigenvalues-ov-0.0", "eigenvalues-qk-1.0",
          "eigenvalues-k_composition-0.0-1.0", "composition", "positional-0.0"}));
  EXPECT_TRUE(lens_figures(LensResult{}).empty());
}

TEST(LensFigures, GroupTheInputsOfAHeadInTheOrderQKV) {
  const json figures = lens_figures(test::example_lens());
  const json panel = figure_of(figures, "ablation")["variants"][0]["panels"][0];
  EXPECT_EQ(panel["label"], "What head 1.0 reads");
  std::vector<std::string> rows;
  for (const json& row : panel["spec"]["data"]["values"]) rows.push_back(row["row"]);
  EXPECT_EQ(rows, (std::vector<std::string>{"Q \u2190 head 0.0", "Q \u2190 head 0.0",
                                            "K \u2190 head 0.0", "K \u2190 head 0.0",
                                            "V \u2190 head 0.0", "V \u2190 head 0.0"}));
}

TEST(LensFigures, DrawWhatHasNoName) {
  LensResult found;
  found.logits = {{"", {}, "", "", {1.0, {}}}};
  found.heads = {{"", "", {1.0, {}}}};
  EXPECT_EQ(panel_ids(lens_figures(found)),
            (std::vector<std::string>{"ablation-heads", "ablation-logits"}));
}

TEST(LensFigures, SayHowMuchThereWasToRestore) {
  const json figures = lens_figures(test::example_lens());
  const json patching = figure_of(figures, "patching");
  EXPECT_EQ(patching["variants"][0]["panels"][0]["note"],
            "right answer -0.10 clean, -5.00 corrupted (nats)");
}

TEST(LensFigures, OfManyHeadsAreCutToTheLargestAndSaySo) {
  LensResult found;
  for (std::size_t head = 0; head < 40; ++head) {
    const LensHead to{1, head};
    const double rise = head == 23 ? 9.0 : 0.01;
    for (std::size_t from = 0; from < 40; ++from) {
      found.paths.push_back(
          {"head 0." + std::to_string(from), to, "k", "zero", {from == 31 ? rise : 0.001, {}}});
    }
    found.direct.push_back({"ov", to, {}, {{1.0 + static_cast<double>(head), 0.0}}, 1.0, {}, {}});
    found.positional.push_back({to, {0.0, static_cast<double>(head), 0.0, 0.0}});
  }
  const json figures = lens_figures(found);
  EXPECT_LE(panel_ids(figures).size(), 27U);
  const json inputs = figure_of(figures, "ablation")["variants"][0]["panels"];
  std::set<std::string> ids;
  for (const json& panel : inputs) {
    ids.insert(panel["id"]);
    EXPECT_LE(panel["spec"]["data"]["values"].size(), 12U);
  }
  EXPECT_TRUE(ids.contains("ablation-inputs-1.23")) << "the largest effect stays";
  const json lines = figure_of(figures, "positional")["variants"][0]["panels"];
  EXPECT_EQ(lines.size(), 8U);
  EXPECT_EQ(lines.back()["id"], "positional-1.39") << "the line that rises most stays";
  for (const json& panel : lines) {
    EXPECT_EQ(panel["spec"]["encoding"]["y"]["scale"]["domain"], (json{0.0, 39.0}))
        << "one scale, so that heads can be compared";
  }
  for (const char* id : {"ablation", "eigenvalues", "positional"}) {
    EXPECT_NE(figure_of(figures, id)["caption"].get<std::string>().find("the largest"),
              std::string::npos)
        << id;
  }
  EXPECT_EQ(
      figure_of(lens_figures(test::example_lens()), "ablation")["caption"].get<std::string>().find(
          "inspection.json has all"),
      std::string::npos);
}

TEST(LensFigures, ThinLongLinesButKeepTheirPeaks) {
  LensResult found;
  std::vector<double> scores(8000, 0.0);
  scores[1] = 5.0;
  scores[2345] = 3.0;
  scores[3456] = -3.0;
  found.positional = {{{0, 0}, scores}};
  const json figure = figure_of(lens_figures(found), "positional");
  const json rows = figure["variants"][0]["panels"][0]["spec"]["data"]["values"];
  EXPECT_LE(rows.size(), 256U);
  std::map<std::size_t, double> points;
  for (const json& row : rows) points[row["offset"]] = row["score"];
  EXPECT_EQ(points[1], 5.0);
  EXPECT_EQ(points[2345], 3.0);
  EXPECT_EQ(points[3456], -3.0);
  EXPECT_GT(points.rbegin()->first, 3900U) << "up to half the context";
  EXPECT_NE(figure["caption"].get<std::string>().find("of 96 stretches"), std::string::npos);
}

TEST(LensFigures, HaveTheLargestOfVeryManyEigenvalues) {
  LensResult found;
  std::vector<std::complex<double>> values;
  for (int i = 1; i <= 2000; ++i) values.emplace_back(i, 0.0);
  found.direct = {{"ov", {0, 0}, {}, values, 1.0, {}, {}}};
  const json figure = figure_of(lens_figures(found), "eigenvalues");
  const json panel = figure["variants"][0]["panels"][0];
  const json dots = panel["spec"]["layer"][3]["data"]["values"];
  EXPECT_EQ(dots.size(), 500U);
  EXPECT_EQ(dots[0]["re"], 2000.0);
  EXPECT_NE(figure["caption"].get<std::string>().find("the largest"), std::string::npos);
}

TEST(MechanismData, HasTheHalfWidthOfEveryInterval) {
  const json data = mechanism_data(test::example_lens().mechanism);
  EXPECT_EQ(data["verdict"], "k-composition");
  EXPECT_EQ(data["facts"], (json{{{"name", "cost, nats"}, {"value", 5.0}, {"reach", 0.5}}}));
}

TEST(MechanismData, HasNoReachWhereTheIntervalIsNotKnown) {
  const json data = mechanism_data({"none", "", {{"cost, nats", {5.0, {}}}}});
  EXPECT_EQ(data["facts"], (json{{{"name", "cost, nats"}, {"value", 5.0}, {"reach", nullptr}}}));
}

TEST(MechanismData, HasAFiniteReachWhereTheWidthIsNot) {
  const json data = mechanism_data({"none", "", {{"cost, nats", {0.0, {{-1e308, 1.7e308}}}}}});
  EXPECT_DOUBLE_EQ(data["facts"][0]["reach"].get<double>(), 1.4e308);
}

TEST(CircuitTitle, SaysWhatTheCircuitReadsAndThroughWhat) {
  EXPECT_EQ(circuit_title({"ov", {2, 3}, {}, {}, 0.0, {}, {}}), "OV of head 2.3");
  EXPECT_EQ(circuit_title({"k_composition", {1, 0}, LensHead{0, 0}, {}, 0.0, {}, {}}),
            "QK of 1.0, keys through 0.0");
}

/// Every text within `value` that could be a color, but the ends of heat maps.
void collect_colors(const json& value, std::set<std::string>& found) {
  if (value.is_string() && value.get<std::string>().starts_with('#')) found.insert(value);
  if (!value.is_structured()) return;
  const bool is_heat_map = value.is_object() && value.value("interpolate", "") == "rgb";
  if (is_heat_map) return;
  for (const json& part : value) collect_colors(part, found);
}

TEST(LensFigures, HaveNoColorOfAnArm) {
  std::set<std::string> found;
  collect_colors(lens_figures(test::example_lens()), found);
  EXPECT_GE(found.size(), 3U);
  for (std::size_t arm = 0; arm < arm_colors; ++arm) {
    EXPECT_FALSE(found.contains(std::string(arm_color(arm)))) << arm_color(arm);
  }
}

TEST(LensFigures, SayInTheirCaptionsHowTheyWereComputed) {
  LensResult result = test::example_lens();
  result.probe = "repeated-blocks";
  result.sequences = 64;
  result.patchings[0].sequences = 32;
  std::size_t measured = 0;
  for (const nlohmann::json& figure : lens_figures(result)) {
    const auto caption = figure["caption"].get<std::string>();
    EXPECT_NE(caption.find("interval"), std::string::npos) << figure["id"];
    EXPECT_EQ(caption.find(" x "), std::string::npos) << "a product has its own sign";
    if (figure["id"] == "ablation") {
      EXPECT_NE(caption.find("on 64 held-out sequences of the probe repeated-blocks"),
                std::string::npos);
      ++measured;
    } else if (figure["id"] == "patching") {
      EXPECT_NE(caption.find("on 32 held-out sequences"), std::string::npos);
      ++measured;
    } else {
      EXPECT_NE(caption.find("weights of the run's last checkpoint"), std::string::npos);
    }
  }
  EXPECT_EQ(measured, 2U);
}

}  // namespace
}  // namespace lookback::report
