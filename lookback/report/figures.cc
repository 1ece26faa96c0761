#include "lookback/report/figures.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "lookback/data/task.h"
#include "lookback/report/colors.h"
#include "lookback/report/figure_parts.h"
#include "lookback/report/json_access.h"

namespace lookback::report {
namespace {

using nlohmann::json;

constexpr int printed_digits = 5;

struct Range {
  double first = std::numeric_limits<double>::infinity();
  double last = -std::numeric_limits<double>::infinity();

  void add(double value) {
    first = std::min(first, value);
    last = std::max(last, value);
  }
  bool empty() const { return first > last; }
};

/// Labeled places on a log axis: powers of ten, with 2 and 5 between them on a short axis.
json log_ticks(const Range& range) {
  json ticks = json::array();
  if (range.empty()) return ticks;
  const bool dense = range.last / range.first < 300.0;
  const auto lowest = static_cast<int>(std::floor(std::log10(range.first)));
  const auto highest = static_cast<int>(std::ceil(std::log10(range.last)));
  for (int exponent = lowest; exponent <= highest; ++exponent) {
    for (const int digit : {1, 2, 5}) {
      const double tick = round_significant(digit * std::pow(10.0, exponent), 1);
      if (tick < range.first || tick > range.last) continue;
      if (digit == 1 || dense) ticks.push_back(tick);
    }
  }
  return ticks;
}

json token_axis(std::span<const Curve> curves, std::span<const Transition> transitions) {
  Range range;
  for (const Curve& curve : curves) {
    for (const std::uint64_t tokens : curve.tokens) range.add(static_cast<double>(tokens));
  }
  for (const Transition& transition : transitions)
    range.add(static_cast<double>(transition.tokens));
  json scale = {{"type", "log"}, {"nice", false}};
  // A single record has no extent, which a log scale cannot show.
  if (!range.empty() && range.first == range.last) range = {range.first / 2.0, range.last * 2.0};
  if (!range.empty()) scale["domain"] = {range.first, range.last};
  return {{"field", "tokens"},
          {"type", "quantitative"},
          {"title", "training tokens"},
          {"scale", scale},
          {"axis", {{"values", log_ticks(range)}, {"format", "~s"}, {"labelFlush", true}}}};
}

json curve_rows(std::span<const Curve> curves) {
  json rows = json::array();
  for (const Curve& curve : curves) {
    const std::size_t count = std::min(curve.tokens.size(), curve.values.size());
    for (std::size_t i = 0; i < count; ++i) {
      rows.push_back({{"arm", curve.arm},
                      {"seed", curve.seed},
                      {"tokens", curve.tokens[i]},
                      {"value", round_significant(curve.values[i], printed_digits)}});
    }
  }
  return rows;
}

/// With more arms their labels would be a figure of their own.
constexpr std::size_t most_labeled_arms = 6;

/// A row a transition. One run of an arm, that of the median, has a label, so that labels do not
/// cover each other; `row` stacks the labels of the arms.
json transition_rows(const FigureArms& arms, std::span<const Transition> transitions) {
  json rows = json::array();
  int row = 0;
  for (const std::string& arm : arms) {
    std::vector<Transition> of_arm;
    for (const Transition& transition : transitions) {
      if (transition.arm == arm) of_arm.push_back(transition);
    }
    if (of_arm.empty()) continue;
    std::sort(of_arm.begin(), of_arm.end(),
              [](const Transition& a, const Transition& b) { return a.tokens < b.tokens; });
    for (std::size_t i = 0; i < of_arm.size(); ++i) {
      rows.push_back({{"arm", arm},
                      {"seed", of_arm[i].seed},
                      {"tokens", of_arm[i].tokens},
                      {"row", row},
                      {"labeled", arms.size() <= most_labeled_arms && i == of_arm.size() / 2}});
    }
    ++row;
  }
  return rows;
}

json cursor_layer(const json& x) {
  json layer = json::parse(R"json({
    "data": {"values": [{}]},
    "transform": [{"calculate": "cursor", "as": "tokens"}, {"filter": "cursor > 0"}],
    "mark": {"type": "rule", "strokeWidth": 1, "tooltip": null}
  })json");
  layer["mark"]["color"] = muted_color;
  layer["encoding"]["x"] = x;
  return layer;
}

/// Dashed levels, each with a value, a label and whether that stands above it.
json level_layers(const json& levels) {
  json layer = {{"encoding", {{"y", {{"field", "value"}, {"type", "quantitative"}}}}},
                {"layer", json::array({{{"mark", {{"type", "rule"}, {"strokeDash", {5, 4}}}}}})}};
  // Labels of either kind only where there are any: of an empty layer Vega cannot tell the extent.
  for (const bool above : {false, true}) {
    const auto stands_there = [&](const json& level) { return level["above"] == above; };
    if (std::ranges::none_of(levels, stands_there)) continue;
    layer["layer"].push_back(
        {{"transform", json::array({{{"filter", above ? "datum.above" : "!datum.above"}}})},
         {"mark",
          {{"type", "text"},
           {"align", "right"},
           {"dx", -2},
           {"dy", above ? -6 : 9},
           {"fontSize", 10.5}}},
         {"encoding", {{"x", {{"value", "width"}}}, {"text", {{"field", "label"}}}}}});
  }
  for (json& part : layer["layer"]) part["mark"]["color"] = muted_color;
  layer["data"]["values"] = levels;
  return layer;
}

/// A level for each different loss, with the arms it is of where there are several; the highest has its
/// label above.
json ideal_levels(std::span<const IdealLoss> ideals) {
  std::map<double, std::string, std::greater<>> arms;
  for (const IdealLoss& ideal : ideals) {
    std::string& names = arms[round_significant(ideal.loss, 3)];
    names += (names.empty() ? "" : ", ") + ideal.arm;
  }
  json levels = json::array();
  for (const auto& [loss, names] : arms) {
    const std::string whose = arms.size() > 1 ? " of " + names : "";
    levels.push_back({{"value", loss},
                      {"label", "ideal" + whose + " " + json(loss).dump()},
                      {"above", levels.empty()}});
  }
  return levels;
}

json transition_layers(const json& x, const json& color, const json& rows) {
  json layer = json::parse(R"json({
    "layer": [
      {"mark": {"type": "rule", "strokeWidth": 1.2, "opacity": 0.75, "strokeDash": [2, 3]}},
      {"transform": [
         {"filter": "datum.labeled"},
         {"calculate": "-7 - 14 * datum.row", "as": "above"}],
       "encoding": {"y": {"field": "above", "type": "quantitative", "scale": null}},
       "layer": [
         {"mark": {"type": "text", "align": "center", "fontSize": 11},
          "encoding": {"text": {"field": "tokens", "format": ".3~s"}}},
         {"mark": {"type": "point", "shape": "square", "filled": true, "opacity": 1, "size": 36,
                   "xOffset": -23},
          "encoding": {}}]}
    ]
  })json");
  layer["data"] = {{"name", "transitions"}, {"values", rows}};
  json& rules = layer["layer"][0];
  json& labels = layer["layer"][1]["layer"];
  labels[0]["mark"]["color"] = text_color;  // pale arms' colors cannot be read
  for (json* part : {&rules, &labels[0], &labels[1]}) (*part)["encoding"]["x"] = x;
  for (json* part : {&rules, &labels[1]}) (*part)["encoding"]["color"] = color;
  return layer;
}

/// Lines, one per run, and over them the points that respond to the pointer.
json line_layers(const json& encoding, const json& tooltip) {
  json lines = {{"mark", {{"type", "line"}, {"strokeWidth", 2}, {"strokeJoin", "round"}}},
                {"encoding", encoding}};
  lines["encoding"]["detail"] = {{"field", "seed"}, {"type", "nominal"}};
  json points = json::parse(R"json({
    "mark": {"type": "point", "filled": true, "size": 55},
    "params": [{"name": "hover", "select": {"type": "point", "on": "pointerover",
                "clear": "pointerout", "nearest": true}}],
    "encoding": {"opacity": {"value": 0, "condition":
                 {"param": "hover", "empty": false, "value": 1}}}
  })json");
  points["encoding"].update(encoding);
  points["encoding"].erase("strokeDash");
  points["encoding"]["tooltip"] = tooltip;
  return json::array({lines, points});
}

json curves_figure(std::string_view description, std::string_view value_title, const json& y,
                   const FigureArms& arms, std::span<const Curve> curves,
                   std::span<const Transition> transitions, const json& levels = json::array(),
                   void (*encode)(json&, std::span<const std::string>) = nullptr) {
  json spec = figure_specification(description);
  spec["params"] = json::array({{{"name", "cursor"}, {"value", 0}}});
  const json x = token_axis(curves, transitions);
  json encoding = {{"x", x}, {"y", y}};
  if (encode == nullptr) {
    arms.encode(encoding);
  } else {
    encode(encoding, arms.names());
  }

  json layers = json::array();
  if (!levels.empty()) layers.push_back(level_layers(levels));
  layers.push_back(cursor_layer(x));
  layers.push_back(transition_layers(x, encoding["color"], transition_rows(arms, transitions)));
  const json tokens = {{"field", "tokens"}, {"title", "training tokens"}, {"format", ",d"}};
  layers.push_back({{"data", {{"name", "curves"}, {"values", curve_rows(curves)}}},
                    {"layer", line_layers(encoding, run_tooltip(tokens, value_title))}});
  spec["layer"] = layers;
  return spec;
}

}  // namespace

json induction_score_figure(const FigureArms& arms, std::span<const Curve> curves,
                            std::span<const Transition> transitions, std::optional<double> chance) {
  const json y = {{"field", "value"},
                  {"type", "quantitative"},
                  {"title", "induction score, best head"},
                  {"scale", {{"domain", {0, 1}}}}};
  json levels = json::array();
  if (chance) {
    const std::string label = "chance " + json(round_significant(*chance, 2)).dump();
    levels.push_back({{"value", *chance}, {"label", label}, {"above", false}});
  }
  return curves_figure("Induction score of the best head against training tokens",
                       "induction score", y, arms, curves, transitions, levels);
}

json second_half_loss_figure(const FigureArms& arms, std::span<const Curve> curves,
                             std::span<const Transition> transitions, LossAxis axis,
                             std::span<const IdealLoss> ideals) {
  std::vector<IdealLoss> shown(ideals.begin(), ideals.end());
  Range positive;
  for (const Curve& curve : curves) {
    for (const double value : curve.values) {
      if (value > 0.0) positive.add(value);
    }
  }
  json y = {{"field", "value"},
            {"type", "quantitative"},
            {"title", "second-half loss (nats)"},
            {"scale", {{"zero", true}}}};
  if (axis == LossAxis::logarithmic) {
    const double least = positive.first / 100;  // further below, the losses would be a line above
    std::erase_if(shown, [&](const IdealLoss& ideal) { return !(ideal.loss >= least); });
    for (const IdealLoss& ideal : shown) positive.add(ideal.loss);
    y["scale"] = {{"type", "log"}, {"nice", false}};
    y["axis"] = {{"values", log_ticks(positive)}, {"format", "~g"}};
    // A loss of zero has no place on a log axis; it is drawn at the smallest positive one.
    if (!positive.empty() && positive.first < positive.last) {
      y["scale"]["domain"] = {positive.first, positive.last};
      y["scale"]["clamp"] = true;
    }
  }
  return curves_figure("Second-half loss against training tokens", "second-half loss", y, arms,
                       curves, transitions, ideal_levels(shown));
}

json predictors_figure(std::span<const std::string> predictors, std::span<const Curve> curves,
                       double largest) {
  const json y = {{"field", "value"},
                  {"type", "quantitative"},
                  {"title", "KL(predictor || model) (nats)"},
                  {"scale", {{"domain", {0, round_significant(largest, 2)}}, {"clamp", true}}}};
  return curves_figure("KL divergence of predictors from the model against training tokens",
                       "KL divergence", y, std::vector(predictors.begin(), predictors.end()),
                       curves, {}, json::array(), encode_predictors);
}

json validation_loss_figure(const FigureArms& arms, std::span<const Curve> curves,
                            std::span<const Transition> transitions) {
  const json y = {{"field", "value"},
                  {"type", "quantitative"},
                  {"title", "validation loss (nats a token)"},
                  {"scale", {{"zero", false}}}};
  return curves_figure("Validation loss against training tokens", "validation loss", y, arms,
                       curves, transitions);
}

json probes_figure(const FigureArms& arms, std::span<const ProbeEnd> ends, ProbeMeasure measure) {
  const bool score = measure == ProbeMeasure::induction_score;
  const char* title = score ? "induction score, best head" : "second-half loss (nats)";
  json rows = json::array();
  std::set<std::string_view> probes;
  for (const ProbeEnd& end : ends) {
    const std::optional<double> value = score ? end.induction_score : end.second_half_loss;
    if (!value) continue;
    probes.insert(end.probe);
    rows.push_back({{"arm", end.arm},
                    {"seed", end.seed},
                    {"probe", end.probe},
                    {"value", round_significant(*value, printed_digits)}});
  }
  json spec = figure_specification("A measure at the end of training on every held-out probe");
  spec["data"] = {{"name", "probes"}, {"values", rows}};
  // A height in pixels, since a height in steps cannot be combined with a width that fits the page.
  const std::size_t step = arms.size() < 4 ? 16 : 9;
  spec["height"] = std::max<std::size_t>(1, probes.size()) * (step * arms.size() + 14);
  spec["mark"] = {{"type", "point"}, {"filled", true}, {"size", 70}, {"opacity", 0.9}};
  json encoding = json::parse(R"json({
    "y": {"field": "probe", "type": "nominal", "title": null,
          "scale": {"paddingInner": 0.35},
          "axis": {"grid": false, "labelFontSize": 12, "labelLimit": 130}},
    "yOffset": {"field": "arm", "type": "nominal"},
    "x": {"field": "value", "type": "quantitative", "scale": {"zero": true},
          "axis": {"grid": true}}
  })json");
  const auto tasks = data::task_names();
  encoding["y"]["sort"] = std::vector<std::string>(tasks.begin(), tasks.end());
  encoding["yOffset"]["sort"] = arms.names();
  encoding["x"]["title"] = title;
  if (score) encoding["x"]["scale"]["domain"] = {0, 1};
  arms.encode(encoding);
  encoding.erase("strokeDash");
  encoding["color"]["legend"]["symbolType"] = "circle";
  encoding["tooltip"] = run_tooltip({{"field", "probe"}, {"title", "probe"}}, title);
  spec["encoding"] = std::move(encoding);
  return spec;
}

json loss_by_position_figure(const FigureArms& arms, std::span<const std::uint64_t> checkpoints,
                             std::span<const PositionLosses> losses) {
  json rows = json::array();
  Range range;
  for (const PositionLosses& run : losses) {
    json values = json::array();
    for (const double loss : run.losses) {
      values.push_back(round_significant(loss, 4));
      range.add(loss);
    }
    rows.push_back({{"arm", run.arm},
                    {"seed", run.seed},
                    {"checkpoint", run.checkpoint},
                    {"loss", std::move(values)}});
  }
  const std::size_t last = checkpoints.empty() ? 0 : checkpoints.size() - 1;

  json spec =
      figure_specification("Loss of each prediction against its position, at one checkpoint");
  spec["params"] = json::array({checkpoint_parameter(last)});
  spec["data"] = {{"name", "losses"}, {"values", rows}};
  spec["transform"] = json::parse(R"json([
    {"filter": "datum.checkpoint == checkpoint"},
    {"flatten": ["loss"], "as": ["value"]},
    {"window": [{"op": "row_number", "as": "row"}], "groupby": ["arm", "seed"]},
    {"calculate": "datum.row - 1", "as": "position"}
  ])json");
  json encoding = json::parse(R"json({
    "x": {"field": "position", "type": "quantitative", "title": "position of the prediction",
          "scale": {"nice": false}, "axis": {"tickMinStep": 1}},
    "y": {"field": "value", "type": "quantitative", "title": "loss (nats)"}
  })json");
  // One scale for all checkpoints, so that the lines move and the axis does not.
  if (!range.empty()) encoding["y"]["scale"]["domain"] = {0, round_significant(range.last, 3)};
  arms.encode(encoding);
  const json position = {{"field", "position"}, {"title", "position"}};
  spec["layer"] = line_layers(encoding, run_tooltip(position, "loss (nats)"));
  return spec;
}

}  // namespace lookback::report
