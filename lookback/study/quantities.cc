#include "lookback/study/quantities.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "lookback/base/json_access.h"
#include "lookback/study/metrics_file.h"

namespace lookback::study {
namespace {

using base::find_array;
using base::find_number;
using nlohmann::json;

Figure figure_of(std::optional<double> value) { return value ? Figure(*value) : Figure(); }

/// A field of findings.json.
template <const char* const& key>
Figure of_findings(const RunRecord& run, std::string_view /*probe*/) {
  return figure_of(find_number(run.findings, {key}));
}

constexpr const char* transition_tokens_key = "transition_tokens";
constexpr const char* peak_key = "induction_score_peak";
constexpr const char* peak_tokens_key = "peak_tokens";
constexpr const char* validation_key = "validation_loss";
constexpr const char* least_validation_key = "validation_loss_least";
constexpr const char* parameters_key = "parameters";

/// A mean of the last evaluation of a probe.
template <const char* const& key>
Figure of_last(const RunRecord& run, std::string_view probe) {
  if (run.metrics.empty()) return {};
  const json* measured = probe_of(run.metrics.back(), probe);
  return measured == nullptr ? Figure() : figure_of(find_number(*measured, {key}));
}

constexpr const char* loss_key = "second_half_loss";
constexpr const char* first_loss_key = "first_half_loss";
constexpr const char* answered_loss_key = "answered_loss";

/// The largest value of a score over the heads whose pattern is their own (findings.h).
std::optional<double> best_of_heads(const json& line, std::string_view probe,
                                    std::string_view score) {
  std::optional<double> best;
  const json* measured = probe_of(line, probe);
  if (measured == nullptr) return best;
  for (const json& head : find_array(*measured, {"heads"})) {
    if (base::find_value(head, {"pinned"}) != nullptr) continue;
    best = std::max(best, find_number(head, {score}));  // nothing is less than any number
  }
  return best;
}

template <const char* const& score>
Figure best_at_end(const RunRecord& run, std::string_view probe) {
  return run.metrics.empty() ? Figure()
                             : figure_of(best_of_heads(run.metrics.back(), probe, score));
}

constexpr const char* induction_key = "induction_score";
constexpr const char* previous_key = "previous_token_score";
constexpr const char* duplicate_key = "duplicate_token_score";
constexpr const char* chance_key = "induction_chance";

Figure head_similarity(const RunRecord& run, std::string_view probe) {
  if (run.metrics.empty()) return {};
  const json* measured = probe_of(run.metrics.back(), probe);
  if (measured == nullptr) return {};
  const json& rows = find_array(*measured, {"head_similarity"});
  double sum = 0;
  std::size_t pairs = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; rows[i].is_array() && j < std::min(i, rows[i].size()); ++j) {
      if (!rows[i][j].is_number()) continue;
      sum += rows[i][j].get<double>();
      ++pairs;
    }
  }
  return pairs > 0 ? Figure(sum / static_cast<double>(pairs)) : Figure();
}

constexpr double never = std::numeric_limits<double>::infinity();

/// Whether its curve was searched for transitions: with no score, or no chance level to compare
/// with, none could be found (findings.h).
bool was_looked_at(const RunRecord& run) {
  return find_number(run.findings, {peak_key}) && find_number(run.findings, {"induction_chance"});
}

Figure transition_tokens(const RunRecord& run, std::string_view /*probe*/) {
  const json* tokens = base::find_value(run.findings, {transition_tokens_key});
  if (tokens != nullptr && tokens->is_null() && was_looked_at(run)) return never;
  return figure_of(find_number(run.findings, {transition_tokens_key}));
}

Figure transition_sharpness(const RunRecord& run, std::string_view /*probe*/) {
  return figure_of(find_number(run.findings, {"transition", "sharpness"}));
}

/// One evaluation: tokens, the best head's score and the second-half loss on the main probe.
struct Point {
  double tokens = 0, score = 0, loss = 0;
};

std::vector<Point> curve_of(const RunRecord& run) {
  std::vector<Point> curve;
  for (const json& line : run.metrics) {
    const auto tokens = find_number(line, {"tokens"});
    const json* measured = main_probe_of(line);
    if (measured == nullptr) continue;
    const auto score = best_of_heads(line, "", induction_key);
    const auto loss = find_number(*measured, {loss_key});
    if (tokens && score && loss) curve.push_back({*tokens, *score, *loss});
  }
  return curve;
}

/// The peak of the first rise, the lowest point between it and a second rise or the end, and the
/// peak of that second rise.
struct AfterPeak {
  Point peak, low;
  std::optional<Point> second_peak;
};

std::optional<Point> at(const std::vector<Point>& curve, double tokens) {
  const auto found = std::ranges::find(curve, tokens, &Point::tokens);
  return found == curve.end() ? std::nullopt : std::optional<Point>(*found);
}

std::optional<AfterPeak> after_peak(const RunRecord& run) {
  const auto peak_tokens = find_number(run.findings, {"transition", "peak_tokens"});
  const std::vector<Point> curve = curve_of(run);
  const auto peak = peak_tokens ? at(curve, *peak_tokens) : std::nullopt;
  if (!peak) return std::nullopt;
  if (peak->tokens == curve.back().tokens) return std::nullopt;  // nothing is known of after it
  AfterPeak found{*peak, *peak, std::nullopt};
  const json& later = find_array(run.findings, {"later_transitions"});
  const json none;
  const json& second = later.empty() ? none : later.front();
  const double until = find_number(second, {"tokens"}).value_or(HUGE_VAL);
  for (const Point& point : curve) {
    if (point.tokens < peak->tokens || point.tokens >= until) continue;
    if (point.score < found.low.score) found.low = point;
  }
  if (const auto tokens = find_number(second, {"peak_tokens"}))
    found.second_peak = at(curve, *tokens);
  return found;
}

Figure score_change_after_peak(const RunRecord& run, std::string_view /*probe*/) {
  const auto found = after_peak(run);
  return found ? Figure(found->low.score - found->peak.score) : Figure();
}

Figure loss_ratio_after_peak(const RunRecord& run, std::string_view /*probe*/) {
  const auto found = after_peak(run);
  return found && found->peak.loss > 0 ? Figure(found->low.loss / found->peak.loss) : Figure();
}

Figure second_transition_tokens(const RunRecord& run, std::string_view /*probe*/) {
  const json& later = find_array(run.findings, {"later_transitions"});
  if (!later.empty()) return figure_of(find_number(later.front(), {"tokens"}));
  return was_looked_at(run) ? Figure(never) : Figure();
}

/// The largest rise after the first peak, 0 if there was none; nothing without a first.
Figure largest_later_rise(const RunRecord& run, std::string_view /*probe*/) {
  if (!find_number(run.findings, {transition_tokens_key})) return {};
  double largest = 0;
  for (const json& later : find_array(run.findings, {"later_transitions"})) {
    const auto low = find_number(later, {"low_score"}), peak = find_number(later, {"peak_score"});
    if (low && peak) largest = std::max(largest, *peak - *low);
  }
  return largest;
}

Figure second_transition_loss_ratio(const RunRecord& run, std::string_view /*probe*/) {
  const auto found = after_peak(run);
  if (!found || !found->second_peak || found->low.loss <= 0) return {};
  return found->second_peak->loss / found->low.loss;
}

constexpr Quantity measured[] = {
    {.name = "transition_tokens",
     .unit = "tokens",
     .says = "tokens until the first transition",
     .logarithmic = true,
     .may_be_never = true,
     .read = transition_tokens},
    {.name = "transition_sharpness",
     .unit = "decades",
     .says = "the width of the first transition, from 10% to 90% of the rise",
     .read = transition_sharpness},
    {.name = "induction_score",
     .says = "the best head's induction score at the end",
     .of_probe = true,
     .read = best_at_end<induction_key>},
    {.name = "induction_score_peak",
     .says = "the best head's highest induction score",
     .read = of_findings<peak_key>},
    {.name = "peak_tokens",
     .unit = "tokens",
     .says = "tokens until the highest induction score",
     .logarithmic = true,
     .read = of_findings<peak_tokens_key>},
    {.name = "induction_chance",
     .says = "the induction score of uniform attention",
     .of_probe = true,
     .read = best_at_end<chance_key>},
    {.name = "previous_token_score",
     .says = "the best head's previous-token score at the end",
     .of_probe = true,
     .read = best_at_end<previous_key>},
    {.name = "duplicate_token_score",
     .says = "the best head's duplicate-token score at the end",
     .of_probe = true,
     .read = best_at_end<duplicate_key>},
    {.name = "head_similarity",
     .says = "the similarity of two heads' patterns at the end",
     .of_probe = true,
     .read = head_similarity},
    {.name = "second_half_loss",
     .unit = "nats",
     .says = "second-half loss at the end",
     .of_probe = true,
     .read = of_last<loss_key>},
    {.name = "first_half_loss",
     .unit = "nats",
     .says = "first-half loss at the end",
     .of_probe = true,
     .read = of_last<first_loss_key>},
    {.name = "answered_loss",
     .unit = "nats",
     .says = "the loss at the end where looking back answers",
     .of_probe = true,
     .read = of_last<answered_loss_key>},
    {.name = "score_change_after_peak",
     .says = "the induction score's change from its first peak to the lowest point after it",
     .read = score_change_after_peak},
    {.name = "loss_ratio_after_peak",
     .says = "the loss where the score is lowest after its first peak over that at the peak",
     .logarithmic = true,
     .read = loss_ratio_after_peak},
    {.name = "second_transition_tokens",
     .unit = "tokens",
     .says = "tokens until the second transition",
     .logarithmic = true,
     .may_be_never = true,
     .read = second_transition_tokens},
    {.name = "largest_later_rise",
     .says = "the largest rise of the induction score after its first peak",
     .read = largest_later_rise},
    {.name = "second_transition_loss_ratio",
     .says = "the loss after the second transition over that before it",
     .logarithmic = true,
     .read = second_transition_loss_ratio},
    {.name = "validation_loss",
     .unit = "nats",
     .says = "the validation loss at the end",
     .read = of_findings<validation_key>},
    {.name = "validation_loss_least",
     .unit = "nats",
     .says = "the least validation loss",
     .read = of_findings<least_validation_key>},
    {.name = "parameters", .says = "the number of parameters", .read = of_findings<parameters_key>},
};

std::vector<Quantity> make_all() {
  std::vector<Quantity> all(std::begin(measured), std::end(measured));
  for (const auto& more :
       {predicted_quantities(), inspected_quantities(), evaluated_quantities()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace

std::span<const Quantity> quantities() {
  static const std::vector<Quantity> all = make_all();
  return all;
}

const Quantity* find_quantity(std::string_view name) {
  const auto found = std::ranges::find(quantities(), name, &Quantity::name);
  return found == quantities().end() ? nullptr : &*found;
}

}  // namespace lookback::study
