#include "lookback/report/figure_arms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "lookback/report/colors.h"

namespace lookback::report {
namespace {

using nlohmann::json;

/// A legend has no more colors of a sweep than these, both ends among them.
constexpr std::size_t most_places = 8;

json dash_pattern(std::size_t dash) {
  return dash == 0 ? json::array({1, 0}) : json::array({2 + 3 * static_cast<int>(dash), 2});
}

/// Where a value lies between the least and the largest of its axis, from 0 to 1.
double share_of(double value, const study::SweepAxis& axis) {
  const auto [least, most] = std::ranges::minmax(axis.values);
  if (least == most) return 0.5;
  if (axis.logarithmic) return std::log(value / least) / std::log(most / least);
  return (value - least) / (most - least);
}

/// Evenly spread over `count` items, so many of their places, the first and the last among them.
std::vector<std::size_t> spread(std::size_t count, std::size_t most) {
  std::vector<std::size_t> places;
  const std::size_t shown = std::min(count, most);
  for (std::size_t i = 0; i < shown; ++i) {
    places.push_back(shown == 1 ? 0 : i * (count - 1) / (shown - 1));
  }
  return places;
}

}  // namespace

FigureArms::FigureArms(std::vector<std::string> names) : names_(std::move(names)) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    colors_.emplace_back(arm_color(i));
    dashes_.push_back(i / arm_colors);
  }
}

FigureArms::FigureArms(const StudyReport& study) {
  const study::SweptArms& swept = study.swept;
  std::vector<std::string> names;
  for (const Arm& arm : study.arms) names.push_back(arm.name);
  if (swept.axes.empty() || swept.arms.size() != names.size()) {
    *this = FigureArms(std::move(names));
    return;
  }
  is_swept_ = true;
  names_ = std::move(names);
  const study::SweepAxis& axis = swept.axes.front();
  key_ = axis.key;
  const std::vector<std::string> bases = swept.bases();
  for (const study::SweptArm& arm : swept.arms) {
    const auto base = static_cast<std::size_t>(std::ranges::find(bases, arm.base) - bases.begin());
    colors_.push_back(swept_color(share_of(arm.at.front(), axis)));
    dashes_.push_back(base);
  }
  std::vector<double> values = axis.values;
  std::ranges::sort(values);
  for (const std::size_t place : spread(values.size(), most_places)) {
    const auto is_there = [&](const study::SweptArm& arm) {
      return arm.at.front() == values[place];
    };
    const auto arm = std::ranges::find_if(swept.arms, is_there);
    places_.push_back(
        {static_cast<std::size_t>(arm - swept.arms.begin()), fmt::format("{}", values[place])});
  }
  for (const std::string& base : bases) {
    const auto arm = std::ranges::find(swept.arms, base, &study::SweptArm::base);
    bases_.push_back({static_cast<std::size_t>(arm - swept.arms.begin()), base});
  }
}

json FigureArms::legend_of(const std::vector<Entry>& entries) const {
  json values = json::array(), labels = json::object();
  for (const Entry& entry : entries) {
    values.push_back(names_[entry.arm]);
    labels[names_[entry.arm]] = entry.label;
  }
  return {{"orient", "bottom"},
          {"symbolType", "stroke"},
          {"symbolOpacity", 1},
          {"values", std::move(values)},
          {"labelExpr", labels.dump() + "[datum.label]"}};
}

void FigureArms::encode(json& encoding) const {
  json dashes = json::array();
  for (const std::size_t dash : dashes_) dashes.push_back(dash_pattern(dash));
  encoding["color"] = {
      {"field", "arm"},
      {"type", "nominal"},
      {"title", is_swept_ ? json(key_) : json(nullptr)},
      {"scale", {{"domain", names_}, {"range", colors_}}},
      {"legend", {{"orient", "bottom"}, {"symbolType", "stroke"}, {"symbolOpacity", 1}}}};
  if (is_swept_) encoding["color"]["legend"] = legend_of(places_);
  if (std::ranges::all_of(dashes_, [](std::size_t dash) { return dash == 0; })) return;
  encoding["strokeDash"] = {{"field", "arm"},
                            {"type", "nominal"},
                            {"title", nullptr},
                            {"scale", {{"domain", names_}, {"range", dashes}}}};
  if (is_swept_) encoding["strokeDash"]["legend"] = legend_of(bases_);
}

json FigureArms::legend() const {
  if (!is_swept_) return nullptr;
  json entries = json::array();
  for (const Entry& entry : places_) {
    entries.push_back({{"label", entry.label}, {"color", colors_[entry.arm]}, {"dashed", false}});
  }
  for (const Entry& entry : bases_) {
    if (bases_.size() == 1) break;
    entries.push_back(
        {{"label", entry.label}, {"color", ink_color}, {"dashed", dashes_[entry.arm] > 0}});
  }
  return {{"title", key_}, {"entries", std::move(entries)}};
}

}  // namespace lookback::report
