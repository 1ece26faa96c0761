#include "lookback/report/sweep_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "lookback/base/json_access.h"
#include "lookback/report/colors.h"
#include "lookback/report/figure_parts.h"
#include "lookback/report/json_access.h"

namespace lookback::report {
namespace {

using base::find_array;
using nlohmann::json;
using study::SweepAxis;

struct SweptMeasure {
  const char* id;
  const char* finding;  ///< of claims, and of a run's summary
  const char* label;
  const char* title;
  const char* format;
};
constexpr SweptMeasure measures[] = {
    {"transition", "transition_tokens", "transition", "tokens until the transition", "~s"},
    {"score", "induction_score", "induction score", "induction score at the end, best head", "~g"},
    {"loss", "second_half_loss", "loss", "second-half loss at the end (nats)", "~g"}};

/// One axis of a study, and what else tells its arms apart: the [[arm]] and the other axes.
class Along {
 public:
  Along(const StudyReport& study, std::size_t axis) : study_(study), axis_(axis) {
    for (const study::SweptArm& arm : study.swept.arms) {
      const std::string group = group_of(arm);
      if (std::ranges::find(groups_, group) == groups_.end()) groups_.push_back(group);
    }
  }

  const SweepAxis& axis() const { return study_.swept.axes[axis_]; }
  const std::vector<std::string>& groups() const { return groups_; }

  /// "sgd, learning_rate=0.1".
  std::string group_of(const study::SweptArm& arm) const {
    std::string name = arm.base;
    for (std::size_t i = 0; i < arm.at.size(); ++i) {
      if (i == axis_) continue;
      name +=
          fmt::format("{}{}={}", name.empty() ? "" : ", ", study_.swept.axes[i].label, arm.at[i]);
    }
    return name;
  }

  /// A row for each run that has the measure, above 0 where the axis of values is logarithmic.
  json rows(const SweptMeasure& measure, bool logarithmic) const {
    json rows = json::array();
    for (std::size_t i = 0; i < study_.arms.size(); ++i) {
      const study::SweptArm& arm = study_.swept.arms[i];
      for (const Run& run : study_.arms[i].runs) {
        const auto value = find_number(run.summary, {measure.finding});
        if (!value || (logarithmic && *value <= 0)) continue;
        rows.push_back({{"arm", arm.name},
                        {"group", group_of(arm)},
                        {"seed", run.seed},
                        {"at", arm.at[axis_]},
                        {"value", round_significant(*value, 5)}});
      }
    }
    return rows;
  }

  /// The arm of that name; null where there is none.
  const study::SweptArm* find(std::string_view name) const {
    const auto found = std::ranges::find(study_.swept.arms, name, &study::SweptArm::name);
    return found == study_.swept.arms.end() ? nullptr : &*found;
  }

 private:
  const StudyReport& study_;
  std::size_t axis_;
  std::vector<std::string> groups_;
};

/// value = factor * at^exponent, from one end of the axis to the other.
struct LawLine {
  std::string group;
  double exponent = 0, lower = 0, upper = 0, factor = 0;
  double first = 0, last = 0;
};

/// The law of a test of the ledger, where it is of this measure along this axis and could be fitted.
std::optional<LawLine> line_of(const json& test, const Along& along, const SweptMeasure& measure) {
  const json* law = base::find_value(test, {"law"});
  if (law == nullptr || base::find_text(test, {"finding"}) != measure.finding) return std::nullopt;
  if (base::find_text(*law, {"key"}) != along.axis().key) return std::nullopt;
  const auto exponent = find_number(*law, {"exponent"}), factor = find_number(*law, {"factor"});
  const json& interval = find_array(test, {"interval"});
  const json& runs = find_array(*law, {"runs"});
  if (!exponent || !factor || interval.size() != 2 || runs.empty()) return std::nullopt;
  const std::string run = base::find_text(runs.front(), {"run"});
  const study::SweptArm* arm = along.find(run.substr(0, run.find('/')));
  if (arm == nullptr || !interval[0].is_number() || !interval[1].is_number()) return std::nullopt;
  const auto [first, last] = std::ranges::minmax(along.axis().values);
  return LawLine{along.group_of(*arm),
                 *exponent,
                 interval[0].get<double>(),
                 interval[1].get<double>(),
                 *factor,
                 first,
                 last};
}

/// Claims may ask of one fit in several ways: each is drawn once.
std::vector<LawLine> law_lines(const json& ledger, const Along& along,
                               const SweptMeasure& measure) {
  std::vector<LawLine> lines;
  for (const json& claim : find_array(ledger, {"claims"})) {
    for (const json& test : find_array(claim, {"tests"})) {
      const auto line = line_of(test, along, measure);
      const auto is_same = [&](const LawLine& other) {
        return other.group == line->group && other.exponent == line->exponent;
      };
      if (line && std::ranges::none_of(lines, is_same)) lines.push_back(*line);
    }
  }
  return lines;
}

json line_rows(const std::vector<LawLine>& lines) {
  json rows = json::array();
  for (const LawLine& line : lines) {
    for (const double at : {line.first, line.last}) {
      rows.push_back({{"group", line.group},
                      {"at", at},
                      {"value", round_significant(line.factor * std::pow(at, line.exponent), 5)}});
    }
  }
  return rows;
}

/// "sgd: context^1.42 [1.31, 1.53]", a line each.
json title_of(const std::vector<LawLine>& lines, const Along& along) {
  json text = json::array();
  for (const LawLine& line : lines) {
    text.push_back(fmt::format("{}{}{}^{:.2f} [{:.2f}, {:.2f}]", line.group,
                               line.group.empty() ? "" : ": ", along.axis().label, line.exponent,
                               line.lower, line.upper));
  }
  return {{"text", std::move(text)}, {"anchor", "start"},   {"fontSize", 12},
          {"fontWeight", 500},       {"color", text_color}, {"offset", 6}};
}

json color_of(const Along& along) {
  json colors = json::array();
  for (std::size_t i = 0; i < along.groups().size(); ++i)
    colors.push_back(std::string(arm_color(i)));
  return {{"field", "group"},
          {"type", "nominal"},
          {"title", nullptr},
          {"scale", {{"domain", along.groups()}, {"range", std::move(colors)}}},
          {"legend", {{"orient", "bottom"}, {"symbolOpacity", 1}}}};
}

json scale_of(bool logarithmic) {
  if (!logarithmic) return {{"zero", false}};
  return {{"type", "log"}, {"nice", false}, {"padding", 12}};
}

json encoding_of(const Along& along, const SweptMeasure& measure, bool log_x, bool log_y) {
  const SweepAxis& axis = along.axis();
  json encoding = {{"x",
                    {{"field", "at"},
                     {"type", "quantitative"},
                     {"title", axis.key},
                     {"scale", scale_of(log_x)},
                     {"axis", {{"values", axis.values}, {"labelOverlap", true}}}}},
                   {"y",
                    {{"field", "value"},
                     {"type", "quantitative"},
                     {"title", measure.title},
                     {"scale", scale_of(log_y)},
                     {"axis", {{"format", measure.format}, {"labelOverlap", true}}}}}};
  if (along.groups().size() > 1) encoding["color"] = color_of(along);
  return encoding;
}

json sweep_specification(const Along& along, const SweptMeasure& measure, bool log_x,
                         const std::vector<LawLine>& lines) {
  const bool log_y = !lines.empty() || (log_x && std::string_view(measure.id) == "transition");
  json spec = figure_specification(fmt::format("{} against {}", measure.title, along.axis().key));
  if (!lines.empty()) spec["title"] = title_of(lines, along);
  if (along.groups().size() > 1) spec["usermeta"] = {{"keepsLegend", true}};
  const json encoding = encoding_of(along, measure, log_x, log_y);
  json line = {{"data", {{"name", "laws"}, {"values", line_rows(lines)}}},
               {"mark", {{"type", "line"}, {"strokeWidth", 1.5}, {"strokeDash", {5, 3}}}},
               {"encoding", encoding}};
  json dots = {{"data", {{"name", "runs"}, {"values", along.rows(measure, log_y)}}},
               {"mark", {{"type", "point"}, {"filled", true}, {"size", 60}, {"opacity", 0.85}}},
               {"encoding", encoding}};
  const json place = {{"field", "at"}, {"title", along.axis().key}};
  dots["encoding"]["tooltip"] = run_tooltip(place, measure.title);
  if (along.groups().size() == 1) line["mark"]["color"] = dots["mark"]["color"] = ink_color;
  spec["layer"] = json::array({std::move(line), std::move(dots)});
  return spec;
}

/// How many runs have ended without a transition.
std::size_t without_transition(const StudyReport& study) {
  std::size_t count = 0;
  for (const Arm& arm : study.arms) {
    for (const Run& run : arm.runs) {
      const bool has_finished = find_text(run.summary, {"status"}) == "finished";
      if (has_finished && !find_number(run.summary, {measures[0].finding})) ++count;
    }
  }
  return count;
}

std::string caption_of(const StudyReport& study, const Along& along, bool has_laws) {
  std::string text = fmt::format(
      "What the runs come to against {}, a dot a run. A transition is where the induction score "
      "first "
      "crosses half of its maximum; score and loss are of the last evaluation, as in the figures "
      "below.",
      along.axis().key);
  if (const std::size_t count = without_transition(study); count > 0) {
    text +=
        fmt::format(" {} of the runs have had no transition and have no dot among those.", count);
  }
  if (has_laws) {
    text +=
        " A dashed line is a power law, fitted by least squares to the logarithms of all its runs; "
        "its "
        "exponent stands above, with the interval of 95%.";
  }
  return text;
}

json axis_figure(const StudyReport& study, std::size_t place) {
  const Along along(study, place);
  std::vector<std::vector<LawLine>> laws;
  for (const SweptMeasure& measure : measures)
    laws.push_back(law_lines(study.ledger, along, measure));
  const bool has_laws = std::ranges::any_of(laws, [](const auto& lines) { return !lines.empty(); });
  const bool log_x = along.axis().logarithmic || has_laws;
  const std::string id = "sweep-" + along.axis().label;
  json variants = json::array();
  for (std::size_t i = 0; i < std::size(measures); ++i) {
    variants.push_back({{"id", fmt::format("{}-{}", id, measures[i].id)},
                        {"label", measures[i].label},
                        {"spec", sweep_specification(along, measures[i], log_x, laws[i])}});
  }
  return {{"id", id},
          {"title", "Against " + along.axis().key},
          {"caption", caption_of(study, along, has_laws)},
          {"variants", std::move(variants)}};
}

}  // namespace

json sweep_figures(const StudyReport& study) {
  json figures = json::array();
  if (study.swept.arms.size() != study.arms.size()) return figures;
  for (std::size_t i = 0; i < study.swept.axes.size(); ++i)
    figures.push_back(axis_figure(study, i));
  return figures;
}

}  // namespace lookback::report
