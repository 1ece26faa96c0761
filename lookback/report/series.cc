#include "lookback/report/series.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "lookback/report/json_access.h"
#include "lookback/study/metrics_file.h"

namespace lookback::report {
namespace {

using nlohmann::json;

/// The heads' measures of one probe's results, or null.
const json* heads_of_probe(const json* probe) {
  const json* heads = probe == nullptr ? nullptr : find_value(*probe, {"heads"});
  return heads != nullptr && heads->is_array() ? heads : nullptr;
}

const json* heads_of(const json& record) { return heads_of_probe(study::main_probe_of(record)); }

/// Of the heads whose pattern no clamp set.
std::optional<double> best_score_of(const json* heads) {
  std::optional<double> best;
  if (heads == nullptr) return best;
  for (const json& head : *heads) {
    if (find_value(head, {"pinned"}) != nullptr) continue;
    const std::optional<double> score = find_number(head, {"induction_score"});
    if (score && (!best || *score > *best)) best = score;
  }
  return best;
}

std::optional<double> best_induction_score(const json& record) {
  return best_score_of(heads_of(record));
}

template <class Measure>
void add_curve(std::string_view name, const Run& run, const Measure& measure,
               std::vector<Curve>& curves) {
  Curve curve{std::string(name), run.seed, {}, {}};
  for (const json& record : run.metrics) {
    const std::optional<std::uint64_t> tokens = find_count(record, {"tokens"});
    const std::optional<double> value = measure(record);
    if (!tokens || *tokens == 0 || !value) continue;
    curve.tokens.push_back(*tokens);
    curve.values.push_back(*value);
  }
  if (!curve.tokens.empty()) curves.push_back(std::move(curve));
}

template <class Measure>
std::vector<Curve> curves_of(const StudyReport& study, const Measure& measure) {
  std::vector<Curve> curves;
  for (const Arm& arm : study.arms) {
    for (const Run& run : arm.runs) add_curve(arm.name, run, measure, curves);
  }
  return curves;
}

/// What the main probe's predictors of a record are.
const json& predictors_of(const json& record) {
  static const json none;
  const json* probe = study::main_probe_of(record);
  return base::find_array(probe == nullptr ? none : *probe, {"predictors"});
}

double log_tokens(std::uint64_t tokens) { return std::log1p(static_cast<double>(tokens)); }

/// The run's record nearest in log tokens to `tokens`, or null when it has none.
const json* nearest_record(const Run& run, std::uint64_t tokens) {
  const json* nearest = nullptr;
  double smallest = 0.0;
  for (const json& record : run.metrics) {
    const std::optional<std::uint64_t> at = find_count(record, {"tokens"});
    if (!at) continue;
    const double distance = std::abs(log_tokens(*at) - log_tokens(tokens));
    if (nearest == nullptr || distance < smallest) {
      nearest = &record;
      smallest = distance;
    }
  }
  return nearest;
}

std::uint64_t last_tokens(const Run& run) {
  std::uint64_t last = 0;
  for (const json& record : run.metrics) {
    last = std::max(last, find_count(record, {"tokens"}).value_or(0));
  }
  for (const auto& checkpoint : run.checkpoints) last = std::max(last, checkpoint->tokens);
  return last;
}

void add_scores_of(const json& head, CheckpointScores& scores) {
  const std::optional<std::uint64_t> layer = find_count(head, {"layer"});
  const std::optional<std::uint64_t> number = find_count(head, {"head"});
  if (!layer || !number) return;
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  scores.heads.push_back(std::to_string(*layer) + "." + std::to_string(*number));
  scores.induction.push_back(find_number(head, {"induction_score"}).value_or(unknown));
  scores.previous_token.push_back(find_number(head, {"previous_token_score"}).value_or(unknown));
}

std::vector<double> finite_numbers(const json* array) {
  std::vector<double> numbers;
  if (array == nullptr || !array->is_array()) return numbers;
  for (const json& value : *array) {
    const std::optional<double> number = find_number(value, {});
    if (!number) return {};
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace

std::vector<Curve> induction_score_curves(const StudyReport& study) {
  return curves_of(study, best_induction_score);
}

std::vector<Curve> validation_loss_curves(const StudyReport& study) {
  return curves_of(study, [](const json& record) {
    return find_number(record, {"validation", "loss"});
  });
}

std::vector<Curve> second_half_loss_curves(const StudyReport& study) {
  return curves_of(study, [](const json& record) {
    const json* probe = study::main_probe_of(record);
    return probe == nullptr ? std::nullopt : find_number(*probe, {"second_half_loss"});
  });
}

std::vector<IdealLoss> ideal_losses(const StudyReport& study) {
  std::vector<IdealLoss> found;
  for (const Arm& arm : study.arms) {
    for (const Run& run : arm.runs) {
      if (run.metrics.empty() || (!found.empty() && found.back().arm == arm.name)) continue;
      for (const json& predictor : predictors_of(run.metrics.back())) {
        const json* ideal = find_value(predictor, {"ideal"});
        const std::optional<double> loss = find_number(predictor, {"second_half_loss"});
        if (ideal != nullptr && *ideal == json(true) && loss) found.push_back({arm.name, *loss});
      }
    }
  }
  return found;
}

std::vector<Curve> predictor_curves(const Arm& arm, std::vector<std::string>& names) {
  std::vector<Curve> curves;
  for (const Run& run : arm.runs) {
    for (const json& record : run.metrics) {
      for (const json& predictor : predictors_of(record)) {
        const std::string name = find_text(predictor, {"name"});
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
      }
    }
  }
  for (const Run& run : arm.runs) {
    for (const std::string& name : names) {
      const auto measure = [&](const json& record) {
        std::optional<double> kl;
        for (const json& predictor : predictors_of(record)) {
          if (find_text(predictor, {"name"}) == name) kl = find_number(predictor, {"kl"});
        }
        return kl;
      };
      add_curve(name, run, measure, curves);
    }
  }
  return curves;
}

std::vector<ProbeEnd> probe_ends(const StudyReport& study) {
  std::vector<ProbeEnd> ends;
  for (const Arm& arm : study.arms) {
    for (const Run& run : arm.runs) {
      if (run.metrics.empty()) continue;
      const json* probes = find_value(run.metrics.back(), {"probes"});
      if (probes == nullptr || !probes->is_object()) continue;
      for (const auto& [name, probe] : probes->items()) {
        ends.push_back({arm.name, run.seed, name, find_number(probe, {"second_half_loss"}),
                        best_score_of(heads_of_probe(&probe))});
      }
    }
  }
  return ends;
}

std::vector<Transition> transitions(const StudyReport& study) {
  std::vector<Transition> found;
  for (const Arm& arm : study.arms) {
    for (const Run& run : arm.runs) {
      // The count may have been interpolated between records, and so have a fraction.
      const std::optional<double> tokens = find_number(run.summary, {"transition_tokens"});
      constexpr double largest = 1e18;
      // A curve that begins above half its maximum crosses it nowhere.
      const json* whole = find_value(run.summary, {"transition"});
      const bool crosses = whole == nullptr || find_number(*whole, {"sharpness"}).has_value();
      if (!crosses) continue;
      if (!tokens || *tokens < 1.0 || *tokens > largest) continue;
      found.push_back({arm.name, run.seed, static_cast<std::uint64_t>(std::llround(*tokens))});
    }
  }
  return found;
}

std::optional<double> induction_chance(const StudyReport& study) {
  double sum = 0.0;
  double count = 0.0;
  for (const Arm& arm : study.arms) {
    for (const Run& run : arm.runs) {
      std::optional<double> chance = find_number(run.summary, {"induction_chance"});
      if (!chance && !run.metrics.empty()) {
        const json* heads = heads_of(run.metrics.back());
        if (heads != nullptr && !heads->empty()) {
          chance = find_number(heads->front(), {"induction_chance"});
        }
      }
      if (!chance) continue;
      sum += *chance;
      count += 1.0;
    }
  }
  if (count == 0.0) return std::nullopt;
  return sum / count;
}

std::vector<std::uint64_t> metric_checkpoints(const StudyReport& study, std::size_t most) {
  std::set<std::uint64_t> found;
  for (const Arm& arm : study.arms) {
    for (const Run& run : arm.runs) {
      for (const json& record : run.metrics) {
        const json* probe = study::main_probe_of(record);
        if (probe == nullptr || find_value(*probe, {"loss_by_position"}) == nullptr) continue;
        const std::optional<std::uint64_t> tokens = find_count(record, {"tokens"});
        if (tokens) found.insert(*tokens);
      }
    }
  }
  const std::vector<std::uint64_t> all(found.begin(), found.end());
  const std::size_t stride = (all.size() + most - 1) / std::max<std::size_t>(most, 1);
  std::vector<std::uint64_t> kept;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if ((all.size() - 1 - i) % stride == 0) kept.push_back(all[i]);
  }
  return kept;
}

std::vector<PositionLosses> position_losses(const StudyReport& study,
                                            const std::vector<std::uint64_t>& checkpoints) {
  std::vector<PositionLosses> found;
  for (const Arm& arm : study.arms) {
    for (const Run& run : arm.runs) {
      const std::uint64_t last = last_tokens(run);
      for (std::size_t i = 0; i < checkpoints.size(); ++i) {
        if (checkpoints[i] > last) break;
        const json* record = nearest_record(run, checkpoints[i]);
        const json* probe = record == nullptr ? nullptr : study::main_probe_of(*record);
        if (probe == nullptr) continue;
        std::vector<double> losses = finite_numbers(find_value(*probe, {"loss_by_position"}));
        if (!losses.empty()) found.push_back({arm.name, run.seed, i, std::move(losses)});
      }
    }
  }
  return found;
}

std::vector<CheckpointScores> checkpoint_scores(const StudyReport& study,
                                                const std::vector<std::uint64_t>& checkpoints) {
  std::vector<CheckpointScores> found;
  for (const Arm& arm : study.arms) {
    for (const Run& run : arm.runs) {
      const std::uint64_t last = last_tokens(run);
      for (std::size_t i = 0; i < checkpoints.size() && checkpoints[i] <= last; ++i) {
        const json* record = nearest_record(run, checkpoints[i]);
        const json* heads = record == nullptr ? nullptr : heads_of(*record);
        if (heads == nullptr) continue;
        CheckpointScores scores{arm.name, run.seed, i, {}, {}, {}};
        for (const json& head : *heads) add_scores_of(head, scores);
        if (!scores.heads.empty()) found.push_back(std::move(scores));
      }
    }
  }
  return found;
}

HeadScores head_scores(const Run& run, std::uint64_t tokens, std::size_t layer, std::size_t head) {
  const json* record = nearest_record(run, tokens);
  const json* heads = record == nullptr ? nullptr : heads_of(*record);
  if (heads == nullptr) return {};
  for (const json& scores : *heads) {
    if (find_count(scores, {"layer"}) == layer && find_count(scores, {"head"}) == head) {
      return {find_number(scores, {"induction_score"}),
              find_number(scores, {"previous_token_score"})};
    }
  }
  return {};
}

}  // namespace lookback::report
