#include "lookback/report/head_scores_figure.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "lookback/report/colors.h"
#include "lookback/report/figure_parts.h"
#include "lookback/report/json_access.h"

namespace lookback::report {
namespace {

using nlohmann::json;

/// Arm and head.
using HeadOfArm = std::pair<std::string, std::string>;

double larger_score(const CheckpointScores& scores, std::size_t i) {
  double largest = 0.0;
  for (const double score : {scores.induction[i], scores.previous_token[i]}) {
    if (score > largest) largest = score;  // NaN is not
  }
  return largest;
}

/// Of every arm its heads in their order, of many those with the largest scores.
std::vector<HeadOfArm> heads_shown(const FigureArms& arms, std::span<const CheckpointScores> scores,
                                   bool& cut) {
  std::vector<HeadOfArm> shown;
  for (const std::string& arm : arms) {
    std::vector<std::string> order;
    std::map<std::string, double> largest;
    for (const CheckpointScores& one : scores) {
      if (one.arm != arm) continue;
      for (std::size_t i = 0; i < one.heads.size(); ++i) {
        if (!largest.contains(one.heads[i])) order.push_back(one.heads[i]);
        double& most = largest[one.heads[i]];
        most = std::max(most, larger_score(one, i));
      }
    }
    std::vector<std::string> by_score = order;
    std::ranges::stable_sort(by_score, {}, [&](const std::string& h) { return -largest[h]; });
    if (by_score.size() > most_scored_heads) {
      by_score.resize(most_scored_heads);
      cut = true;
    }
    const std::set<std::string> kept(by_score.begin(), by_score.end());
    for (const std::string& head : order) {
      if (kept.contains(head)) shown.push_back({arm, head});
    }
  }
  return shown;
}

json short_score(double score) {
  return std::isfinite(score) ? json(round_significant(score, 3)) : json(nullptr);
}

json score_rows(std::span<const CheckpointScores> scores, const std::set<HeadOfArm>& shown) {
  json rows = json::array();
  for (const CheckpointScores& one : scores) {
    json heads = json::array();
    json induction = json::array();
    json previous = json::array();
    for (std::size_t i = 0; i < one.heads.size(); ++i) {
      if (!shown.contains({one.arm, one.heads[i]})) continue;
      heads.push_back(one.heads[i]);
      induction.push_back(short_score(one.induction[i]));
      previous.push_back(short_score(one.previous_token[i]));
    }
    if (heads.empty()) continue;
    rows.push_back({{"arm", one.arm},
                    {"seed", one.seed},
                    {"checkpoint", one.checkpoint},
                    {"head", std::move(heads)},
                    {"induction score", std::move(induction)},
                    {"previous-token score", std::move(previous)}});
  }
  return rows;
}

json mean_bars(const FigureArms& arms) {
  json bars = json::parse(R"json({
    "mark": {"type": "bar", "strokeWidth": 1.2},
    "encoding": {
      "x": {"aggregate": "mean", "field": "value", "stack": null},
      "fillOpacity": {"field": "measure", "type": "ordinal", "title": null,
        "scale": {"domain": ["induction score", "previous-token score"], "range": [0.9, 0.15]},
        "legend": null},
      "tooltip": [{"field": "arm", "title": "arm"}, {"field": "head", "title": "head"},
                  {"field": "measure", "title": "score"},
                  {"aggregate": "mean", "field": "value", "title": "mean", "format": ".3~r"},
                  {"aggregate": "count", "title": "seeds"}]
    }
  })json");
  json colors;
  arms.encode(colors);
  colors["color"]["legend"]["symbolType"] = "square";
  colors["color"]["legend"]["labelLimit"] = 260;
  bars["encoding"]["fill"] = colors["color"];
  bars["encoding"]["stroke"] = colors["color"];
  return bars;
}

json seed_dots() {
  json dots = json::parse(R"json({
    "mark": {"type": "point", "filled": true, "size": 18, "opacity": 1, "strokeWidth": 0.7},
    "encoding": {
      "x": {"field": "value"},
      "tooltip": [{"field": "arm", "title": "arm"}, {"field": "seed", "title": "seed"},
                  {"field": "head", "title": "head"}, {"field": "measure", "title": "score"},
                  {"field": "value", "title": "value", "format": ".3~r"}]
    }
  })json");
  dots["mark"]["color"] = ink_color;
  dots["mark"]["stroke"] = paper_color;
  return dots;
}

}  // namespace

json head_scores_figure(const FigureArms& arms, std::span<const std::uint64_t> checkpoints,
                        std::span<const CheckpointScores> scores, bool& cut) {
  const std::vector<HeadOfArm> shown = heads_shown(arms, scores, cut);
  json places = json::array();
  for (const HeadOfArm& head : shown) places.push_back(head.first + " " + head.second);

  json spec = figure_specification(
      "Induction and previous-token score of every head, at one "
      "checkpoint");
  spec["params"] =
      json::array({checkpoint_parameter(checkpoints.empty() ? 0 : checkpoints.size() - 1)});
  spec["data"] = {{"name", "scores"}, {"values", score_rows(scores, {shown.begin(), shown.end()})}};
  spec["transform"] = json::parse(R"json([
    {"filter": "datum.checkpoint == checkpoint"},
    {"flatten": ["head", "induction score", "previous-token score"]},
    {"fold": ["induction score", "previous-token score"], "as": ["measure", "value"]},
    {"filter": "isValid(datum.value)"},
    {"calculate": "datum.arm + ' ' + datum.head", "as": "place"}
  ])json");
  constexpr std::size_t pixels_a_head = 30;
  spec["height"] = std::max<std::size_t>(1, shown.size()) * pixels_a_head;
  // The axis stays the same if the checkpoint has no scores of a head.
  spec["encoding"] = json::parse(R"json({
    "y": {"field": "place", "type": "nominal", "title": null,
          "scale": {"paddingInner": 0.3}, "axis": {"grid": false, "ticks": false, "labelLimit": 260}},
    "yOffset": {"field": "measure", "type": "nominal",
                "sort": ["induction score", "previous-token score"]},
    "x": {"type": "quantitative", "title": ["filled: induction score", "pale: previous-token score"],
          "scale": {"domain": [0, 1]}}
  })json");
  spec["encoding"]["y"]["scale"]["domain"] = places;
  spec["layer"] = json::array({mean_bars(arms), seed_dots()});
  for (json& layer : spec["layer"]) {
    layer["encoding"]["x"].update(spec["encoding"]["x"]);
  }
  spec["encoding"].erase("x");
  return spec;
}

}  // namespace lookback::report
