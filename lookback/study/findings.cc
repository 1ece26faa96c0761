#include "lookback/study/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lookback/base/json_access.h"
#include "lookback/lens/to_json.h"
#include "lookback/lens/transition.h"
#include "lookback/study/metrics_file.h"

namespace lookback::study {
namespace {

/// A number of a line, probe or head; none where it was not finite when measured.
std::optional<double> number(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

/// Of the heads that made their pattern themselves: one that a clamp set has not learned it.
std::optional<double> best_score(const nlohmann::json& line) {
  std::optional<double> best;
  for (const nlohmann::json& head : main_probe_of(line)->at("heads")) {
    if (head.contains("pinned")) continue;
    best = std::max(best, number(head, "induction_score"));  // nothing is less than any number
  }
  return best;
}

std::optional<double> chance_of(const nlohmann::json& line) {
  return number(main_probe_of(line)->at("heads").at(0), "induction_chance");
}

std::vector<lens::CurvePoint> score_curve(std::span<const nlohmann::json> metrics) {
  std::vector<lens::CurvePoint> curve;
  for (const nlohmann::json& line : metrics) {
    const std::optional<double> tokens = number(line, "tokens");
    const std::optional<double> score = best_score(line);
    if (tokens && score) curve.push_back({*tokens, *score});
  }
  return curve;
}

nlohmann::json or_null(std::optional<double> value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
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

/// For a run that learned from text: the loss at the end, and the smallest during training.
void add_validation(std::span<const nlohmann::json> metrics, nlohmann::json& findings) {
  std::optional<double> least, last;
  std::string windows;
  for (const nlohmann::json& line : metrics) {
    const nlohmann::json measured = line.value("validation", nlohmann::json::object());
    last = number(measured, "loss");
    windows = base::find_text(measured, {"windows"});
    if (last) least = least ? std::min(*least, *last) : *last;
  }
  if (!least) return;
  findings["validation_loss"] = or_null(last);
  findings["validation_loss_least"] = *least;
  findings["validation_windows"] = windows;
}

void add_scores(std::span<const nlohmann::json> metrics, nlohmann::json& findings) {
  const std::vector<lens::CurvePoint> curve = score_curve(metrics);
  const auto peak = std::ranges::max_element(curve, {}, &lens::CurvePoint::score);
  const bool known = peak != curve.end();
  const nlohmann::json& last = metrics.back();
  findings["induction_score"] = or_null(best_score(last));
  findings["induction_score_peak"] = known ? nlohmann::json(peak->score) : nullptr;
  findings["peak_tokens"] = known ? nlohmann::json(std::llround(peak->tokens)) : nullptr;
  findings["induction_chance"] = or_null(chance_of(last));
  findings["first_half_loss"] = main_probe_of(last)->at("first_half_loss");
  findings["second_half_loss"] = main_probe_of(last)->at("second_half_loss");
  findings.update(transitions_of(metrics));
  const nlohmann::json& first = findings["transition"];
  findings["transition_tokens"] = first.is_null() ? nlohmann::json(nullptr) : first["tokens"];
  add_validation(metrics, findings);
  findings["last"] = last;
}

}  // namespace

nlohmann::json transitions_of(std::span<const nlohmann::json> metrics) {
  nlohmann::json found = {{"transition", nullptr}, {"later_transitions", nlohmann::json::array()}};
  if (metrics.empty()) return found;
  const std::vector<lens::CurvePoint> curve = score_curve(metrics);
  // Without a chance level nothing can be said to lie above it.
  const std::optional<double> chance = chance_of(metrics.back());
  if (!chance) return found;
  const lens::TransitionCriteria criteria{.chance = *chance};
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
