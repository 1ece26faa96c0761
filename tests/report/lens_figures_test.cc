// The charts of what the lens found: what is drawn is what was measured.
#include "lookback/report/lens_figures.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "lookback/report/lens_panels.h"
#include "tests/report/example_lens.h"

namespace lookback::report {
namespace {

using nlohmann::json;

/// The rows of a specification's data of that name, wherever it stands.
json named_rows(const json& spec, const std::string& name) {
  if (spec.is_object()) {
    const auto data = spec.find("data");
    if (data != spec.end() && data->value("name", "") == name) return (*data)["values"];
  }
  if (spec.is_structured()) {
    for (const json& part : spec) {
      json rows = named_rows(part, name);
      if (!rows.is_null()) return rows;
    }
  }
  return nullptr;
}

TEST(LensBars, HaveTheirIntervalsAndTheOrderGiven) {
  const std::vector<LensBar> bars = {{"K \u2190 head 0.0", "zero", {5.0, {{4.5, 5.75}}}},
                                     {"Q \u2190 token", "resample", {-0.25, {{-0.5, -0.125}}}}};
  LensRange range;
  for (const LensBar& bar : bars) range.add(bar.value);
  EXPECT_DOUBLE_EQ(range.low, -0.5);
  EXPECT_DOUBLE_EQ(range.high, 5.75);
  const json spec = lens_bars_figure("about", "rise (nats)", bars, range);
  EXPECT_EQ(named_rows(spec, "bars"), (json{{{"row", "K \u2190 head 0.0"},
                                             {"change", "zero"},
                                             {"value", 5.0},
                                             {"low", 4.5},
                                             {"high", 5.75}},
                                            {{"row", "Q \u2190 token"},
                                             {"change", "resample"},
                                             {"value", -0.25},
                                             {"low", -0.5},
                                             {"high", -0.125}}}));
  EXPECT_TRUE(spec["encoding"]["y"]["sort"].is_null()) << "not in the order of the alphabet";
  const json& x = spec["layer"][0]["encoding"]["x"];
  EXPECT_EQ(x["title"], "rise (nats)");
  EXPECT_EQ(x["scale"]["domain"], (json{-0.5, 5.75}));
}

/// The encoding of the kinds of change: the layer of points over bars and rules.
json shape_encoding(const json& spec) { return spec["layer"][2]["encoding"]["shape"]; }

TEST(LensBars, TellKindsOfChangeByShape) {
  std::vector<LensBar> bars;
  for (const char* change : {"removed", "resample", "frozen", "mean", "zero"}) {
    bars.push_back({"a", change, {1.0, {}}});
  }
  const json shape = shape_encoding(lens_bars_figure("", "", bars, range_of(bars)));
  EXPECT_EQ(shape["scale"]["domain"], (json{"zero", "mean", "resample", "frozen", "removed"}));
  const json& shapes = shape["scale"]["range"];
  EXPECT_EQ(std::set<json>(shapes.begin(), shapes.end()).size(), 5U);
  bars.resize(2);
  EXPECT_EQ(shape_encoding(lens_bars_figure("", "", bars, range_of(bars)))["scale"]["domain"],
            (json{"resample", "removed"}))
      << "only those that are there";
}

TEST(LensBars, HaveNoRuleWhereTheIntervalIsNotKnown) {
  const std::vector<LensBar> bars = {{"a", "zero", {2.0, {}}}, {"b", "zero", {1.0, {{0.5, 1.5}}}}};
  const LensRange range = range_of(bars);
  EXPECT_DOUBLE_EQ(range.high, 2.0) << "the bar itself has its place";
  const json spec = lens_bars_figure("", "", bars, range);
  const json rows = named_rows(spec, "bars");
  EXPECT_EQ(rows[0], (json{{"row", "a"}, {"change", "zero"}, {"value", 2.0}}));
  EXPECT_EQ(rows[1]["low"], 0.5);
  EXPECT_EQ(spec["layer"][1]["mark"]["type"], "rule");
  EXPECT_EQ(spec["layer"][1]["transform"][0]["filter"], "isValid(datum.low)");
}

TEST(LensBars, OfTheLargestNumbersHaveNumbers) {
  const double most = std::numeric_limits<double>::max();
  const std::vector<LensBar> bars = {{"a", "zero", {0.0, {{-most, most}}}}};
  const json spec = lens_bars_figure("", "", bars, range_of(bars));
  // What is not finite becomes null in the text.
  const json written = json::parse(spec.dump());
  EXPECT_TRUE(named_rows(written, "bars")[0]["low"].is_number());
  EXPECT_TRUE(written["layer"][0]["encoding"]["x"]["scale"]["domain"][1].is_number());
}

TEST(LensBars, OfOneKindOfChangeNeedNoLegend) {
  const std::vector<LensBar> bars = {{"a", "clean", {1.0, {}}}};
  const json spec = lens_bars_figure("", "", bars, {0.0, 1.0});
  EXPECT_TRUE(shape_encoding(spec)["legend"].is_null());
}

TEST(Eigenvalues, KeepTheirAngleAndHaveALogarithmicRadius) {
  LensCircuit circuit;
  circuit.eigenvalues = {{100.0, 0.0}, {0.0, 10.0}, {-1.0, 0.0}, {0.001, 0.0}, {0.0, 0.0}, {3, 4}};
  const json spec = eigenvalues_figure(circuit);
  EXPECT_TRUE(spec["usermeta"]["square"]);
  const json rows = named_rows(spec, "eigenvalues");
  ASSERT_EQ(rows.size(), 6U);
  const auto point = [&](std::size_t i) {
    return std::complex<double>(rows[i]["x"].get<double>(), rows[i]["y"].get<double>());
  };
  EXPECT_EQ(point(0), (std::complex<double>(1.0, 0.0)));
  EXPECT_EQ(point(1), (std::complex<double>(0.0, 0.5))) << "a tenth of the largest";
  for (const std::size_t i : {2U, 3U, 4U}) {
    EXPECT_EQ(std::abs(point(i)), 0.0) << "a hundredth of the largest, or less";
  }
  EXPECT_NEAR(std::arg(point(5)), std::atan2(4, 3), 0.01);
  EXPECT_NEAR(std::abs(point(5)), 1 + std::log10(0.05) / 2, 0.001);
  EXPECT_EQ(rows[5]["re"], 3.0);
  EXPECT_EQ(named_rows(spec, "labels")[1]["label"], "10.0");
}

TEST(Eigenvalues, OfNothingAndOfZerosAreAnEmptyDisk) {
  EXPECT_EQ(named_rows(eigenvalues_figure({}), "eigenvalues").size(), 0U);
  LensCircuit zero;
  zero.eigenvalues = {{0.0, 0.0}};
  EXPECT_EQ(named_rows(eigenvalues_figure(zero), "eigenvalues")[0]["x"], 0.0);
}

TEST(CompositionMap, HasACellAnInputColoredByTheRandomScore) {
  const LensResult found = test::example_lens();
  const json spec = composition_figure(found.composition);
  const json rows = named_rows(spec, "scores");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1], (json{{"from", "from 0.0"},
                           {"to", "K of 1.0"},
                           {"score", 0.2},
                           {"random", 0.1},
                           {"ratio", 2.0}}));
  EXPECT_EQ(spec["layer"].size(), 2U) << "few cells have their numbers";
}

TEST(CompositionMap, OfManyHeadsHasUprightNamesAndNoNumbers) {
  std::vector<LensComposition> pairs;
  for (std::size_t from = 0; from < 8; ++from) {
    for (std::size_t to = 0; to < 8; ++to) pairs.push_back({{0, from}, {1, to}, 0, 0, 0, 0.1});
  }
  const json spec = composition_figure(pairs);
  EXPECT_EQ(named_rows(spec, "scores").size(), 192U);
  EXPECT_EQ(spec["encoding"]["x"]["axis"]["labelAngle"], -90);
  EXPECT_EQ(spec["layer"].size(), 1U);
}

TEST(PatchingGrid, HasACellAPositionAndMarksWhatWasChangedAndAsked) {
  const LensResult found = test::example_lens();
  const LensPatching& patching = found.patchings[0];
  const json spec = patching_figure(patching.heads, patching);
  const json rows = named_rows(spec, "restored");
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_EQ(rows[3], (json{{"h", "1.0  (all: 1.00)"}, {"t", 0}, {"r", 0.988}}));
  EXPECT_EQ(rows[4]["r"], -0.2);
  EXPECT_EQ(rows[0]["h"], "0.0  (all: 0.00)");
  EXPECT_EQ(named_rows(spec, "marks"), (json{{{"t", 0}}, {{"t", 1}}}));
}

TEST(PatchingGrid, LeavesOutWhatIsNotKnown) {
  LensPatching patching;
  patching.changed = 7;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  patching.heads = {{{0, 0}, "q", {}, {nan, 0.5}}, {{0, 1}, "q", {}, {}}};
  const json spec = patching_figure(patching.heads, patching);
  EXPECT_EQ(named_rows(spec, "restored"), (json{{{"h", "0.0"}, {"t", 1}, {"r", 0.5}}}));
  EXPECT_EQ(named_rows(spec, "marks").size(), 0U) << "not within the grid";
}

TEST(PositionalLine, HasAPointAnOffsetAndTheScaleOfAllHeads) {
  const LensResult found = test::example_lens();
  const json spec = positional_figure(found.positional[0], {-1.0, 4.0});
  const json rows = named_rows(spec, "offsets");
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[1], (json{{"head", "head 0.0"}, {"offset", 1}, {"score", 2.0}}));
  EXPECT_EQ(spec["encoding"]["y"]["scale"]["domain"], (json{-1.0, 4.0}));
}

}  // namespace
}  // namespace lookback::report
