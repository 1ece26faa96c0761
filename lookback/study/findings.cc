#include "lookback/study/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "lookback/lens/to_json.h"
#include "lookback/lens/transition.h"

namespace lookback::study {
namespace {

/// A number of a probe or head, or 0 where it was not finite when measured.
double number(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : 0.0;
}

const nlohmann::json& main_probe(const nlohmann::json& line) {
  return line.at("probes").at(data::name_of(data::BlockKind::repeated_blocks));
}

/// Of the heads that made their pattern themselves: one that a clamp set has not learned it.
double best_score(const nlohmann::json& line) {
  double best = 0;
  for (const nlohmann::json& head : main_probe(line).at("heads")) {
    if (head.contains("pinned")) continue;
    best = std::max(best, number(head, "induction_score"));
  }
  return best;
}

double chance_of(const nlohmann::json& line) {
  return number(main_probe(line).at("heads").at(0), "induction_chance");
}

std::vector<lens::CurvePoint> score_curve(std::span<const nlohmann::json> metrics) {
  std::vector<lens::CurvePoint> curve;
  for (const nlohmann::json& line : metrics) {
    curve.push_back({number(line, "tokens"), best_score(line)});
  }
  return curve;
}

nlohmann::json transition_json(const lens::Transition& transition) {
  return {{"tokens", std::llround(transition.tokens)},
          {"interval", {std::llround(transition.after_tokens), std::llround(transition.by_tokens)}},
          {"sharpness",
           transition.sharpness ? lens::rounded(*transition.sharpness) : nlohmann::json(nullptr)},
          {"low_score", lens::rounded(transition.low_score)},
          {"peak_score", lens::rounded(transition.peak_score)},
          {"peak_tokens", std::llround(transition.peak_tokens)}};
}

void add_scores(std::span<const nlohmann::json> metrics, nlohmann::json& findings) {
  const std::vector<lens::CurvePoint> curve = score_curve(metrics);
  const auto peak = std::ranges::max_element(curve, {}, &lens::CurvePoint::score);
  const nlohmann::json& last = metrics.back();
  findings["induction_score"] = curve.back().score;
  findings["induction_score_peak"] = peak->score;
  findings["peak_tokens"] = std::llround(peak->tokens);
  findings["induction_chance"] = chance_of(last);
  findings["first_half_loss"] = main_probe(last).at("first_half_loss");
  findings["second_half_loss"] = main_probe(last).at("second_half_loss");
  findings.update(transitions_of(metrics));
  const nlohmann::json& first = findings["transition"];
  findings["transition_tokens"] = first.is_null() ? nlohmann::json(nullptr) : first["tokens"];
  findings["last"] = last;
}

}  // namespace

nlohmann::json transitions_of(std::span<const nlohmann::json> metrics) {
  nlohmann::json found = {{"transition", nullptr}, {"later_transitions", nlohmann::json::array()}};
  if (metrics.empty()) return found;
  const std::vector<lens::CurvePoint> curve = score_curve(metrics);
  const lens::TransitionCriteria criteria{.chance = chance_of(metrics.back())};
  const auto first = lens::first_transition(curve, criteria);
  if (first) found["transition"] = transition_json(*first);
  for (const lens::Transition& later : lens::later_transitions(curve, criteria)) {
    found["later_transitions"].push_back(transition_json(later));
  }
  return found;
}

nlohmann::json make_findings(const RunConfig& config, const RunEnd& end,
                             std::span<const nlohmann::json> metrics) {
  nlohmann::json findings = {{"arm", config.arm},
                             {"seed", config.seed},
                             {"status", end.diverged ? "diverged" : "finished"},
                             {"tokens", end.tokens},
                             {"parameters", end.parameters}};
  if (end.diverged) findings["message"] = end.message;
  if (!metrics.empty()) add_scores(metrics, findings);
  return findings;
}

std::string line_of(const nlohmann::json& findings) {
  const auto text = [&](const char* key) {
    const auto found = findings.find(key);
    const bool known = found != findings.end() && found->is_number();
    return known ? fmt::format("{:.4g}", found->get<double>()) : std::string("none");
  };
  const nlohmann::json transition = findings.value("transition_tokens", nlohmann::json());
  return fmt::format(
      "{} seed {}: induction score {} (peak {}), second-half loss {}, transition {}",
      findings.value("arm", ""), findings.value("seed", std::uint64_t{0}), text("induction_score"),
      text("induction_score_peak"), text("second_half_loss"),
      transition.is_number() ? fmt::format("at {:.2f}M tokens", transition.get<double>() / 1e6)
                             : "none");
}

nlohmann::json summary_of(const nlohmann::json& findings) {
  nlohmann::json row = findings;
  row.erase("last");
  return row;
}

}  // namespace lookback::study
