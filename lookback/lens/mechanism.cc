#include "lookback/lens/mechanism.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "lookback/lens/ablation_edits.h"
#include "lookback/lens/evaluate.h"

namespace lookback::lens {
namespace {

using data::IdealPattern;
using model::Architecture;

Intervention with_ideal_pattern(HeadPlace place, IdealPattern kind) {
  return [=](Context& context) {
    return Edits{model::set(pattern_name(place.layer), place.head, context.ideal(kind))};
  };
}

/// The head keeps that part of its own pattern where the ideal one has any weight.
Intervention with_only(HeadPlace place, IdealPattern kind) {
  return [=](Context& context) {
    Edit edit = model::set(pattern_name(place.layer), place.head, context.ideal_mask(kind));
    edit.kind = Edit::Kind::multiply;
    return Edits{edit};
  };
}

/// The mean pattern, averaged along its diagonals too: row t is proportional to the mean of
/// A[t', t' - d] over all t', at the offsets d = 0 .. t.
math::Matrix<const float> band_of(HeadPlace place, Context& context) {
  const auto mean = context.mean().at(pattern_name(place.layer), place.head);
  std::vector<double> by_offset(mean.rows);
  for (std::size_t t = 0; t < mean.rows; ++t) {
    for (std::size_t s = 0; s <= t; ++s) by_offset[t - s] += static_cast<double>(mean(t, s));
  }
  for (std::size_t d = 0; d < mean.rows; ++d) by_offset[d] /= static_cast<double>(mean.rows - d);
  const math::Matrix<float> band = context.make(mean.rows, mean.rows);
  double sum = 0;
  for (std::size_t t = 0; t < mean.rows; ++t) {
    sum += by_offset[t];
    for (std::size_t s = 0; s <= t; ++s) band(t, s) = static_cast<float>(by_offset[t - s] / sum);
  }
  return band;
}

Intervention with_band(HeadPlace place) {
  return [=](Context& context) {
    return Edits{model::set(pattern_name(place.layer), place.head, band_of(place, context))};
  };
}

Intervention unsmeared(HeadPlace place) {
  return [=](Context&) {
    return Edits{model::copy(Edit::Kind::copy,
                             fmt::format("blocks.{}.attn.hook_smeared_k", place.layer), place.head,
                             fmt::format("blocks.{}.attn.hook_k", place.layer))};
  };
}

template <class Ablation>
Intervention as_intervention(const Ablation& ablation) {
  return [ablation](Context& context) { return edits_of(ablation, context); };
}

Component written_by(HeadPlace head) { return {Component::Kind::head, head.layer, head.head}; }

using Names = std::span<const std::string>;

/// Fills in the head, its cost and the loss.
Status find_head(const Setting& setting, Names recorded, MechanismResult& result) {
  const std::vector<HeadPlace> heads = all_heads(setting.model.architecture());
  std::vector<Intervention> direct;
  direct.reserve(heads.size());
  for (const HeadPlace head : heads) {
    direct.push_back(as_intervention(LogitsAblation{written_by(head), Replacement::mean}));
  }
  const Result<Measured> measured = measure(setting, recorded, direct);
  if (!measured) return measured.error();
  result.loss = measured->unedited();
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const Estimate cost = measured->rise(i);
    const bool more = cost.mean > result.direct_cost.mean || std::isnan(result.direct_cost.mean);
    if (result.head && !more) continue;
    result.direct_cost = cost;
    result.head = heads[i];
  }
  return {};
}

/// The head's effect on each sequence, and the groups of sequences that the standard error is taken
/// over (Measured::groups).
struct Stakes {
  std::vector<double> values;
  std::size_t groups = 0;
};

/// The head's cost, intervention 0 of `measured`, or the gain over chance, whichever is less on
/// average.
Stakes stakes_of(const Measured& measured, double chance) {
  Stakes costs{measured.rises(0), measured.groups[0]};
  Stakes gains{{}, measured.baseline.size()};
  for (const LossScores& baseline : measured.baseline) {
    gains.values.push_back(chance - baseline.second_half_loss);
  }
  return estimate(gains.values).mean < estimate(costs.values).mean ? gains : costs;
}

/// The share of the effect that one intervention of `measured` removes.
Estimate share_of(const Measured& measured, std::size_t intervention, const Stakes& stakes) {
  return ratio_estimate(measured.rises(intervention), stakes.values,
                        std::min(measured.groups[intervention], stakes.groups));
}

/// An intervention and where the share of it belongs.
struct Planned {
  Intervention intervention;
  Estimate* share;
};

void plan_head(HeadPlace head, MechanismResult& result, std::vector<Planned>& all) {
  all.push_back({with_band(head), &result.band});
  all.push_back({with_ideal_pattern(head, IdealPattern::matching), &result.matching});
  if (result.unsmeared) all.push_back({unsmeared(head), &*result.unsmeared});
  for (EarlierHead& earlier : result.earlier) {
    const auto without = [&](Input input) {
      return as_intervention(
          PathAblation{written_by(earlier.head), head, input, Replacement::mean});
    };
    all.push_back({without(Input::k), &earlier.k_removed});
    all.push_back({without(Input::q), &earlier.q_removed});
  }
}

void plan_patterns(EarlierHead& earlier, std::vector<Planned>& all) {
  constexpr auto previous = IdealPattern::previous_token;
  constexpr auto duplicate = IdealPattern::duplicate_token;
  all.push_back({with_ideal_pattern(earlier.head, previous), &earlier.previous_token});
  all.push_back({with_only(earlier.head, previous), &earlier.previous_token_only});
  all.push_back({with_ideal_pattern(earlier.head, duplicate), &earlier.duplicate_token});
  all.push_back({with_only(earlier.head, duplicate), &earlier.duplicate_token_only});
}

/// Measures the head's cost, its effect and the planned shares of it.
Status measure_shares(const Setting& setting, Names recorded, const std::vector<Planned>& planned,
                      MechanismResult& result) {
  std::vector<Intervention> interventions{
      as_intervention(HeadAblation{*result.head, Replacement::mean})};
  for (const Planned& one : planned) interventions.push_back(one.intervention);
  const Result<Measured> measured = measure(setting, recorded, interventions);
  if (!measured) return measured.error();
  result.cost = measured->rise(0);
  const Stakes stakes = stakes_of(*measured, result.chance);
  result.stake = estimate(stakes.values, stakes.groups);
  for (std::size_t i = 0; i < planned.size(); ++i) {
    *planned[i].share = share_of(*measured, i + 1, stakes);
  }
  return {};
}

/// All shares, in one round; if there are many earlier heads, the patterns of the two that matter
/// most in another.
Status find_shares(const Setting& setting, Names recorded, std::size_t pattern_heads,
                   MechanismResult& result) {
  const Architecture& a = setting.model.architecture();
  if (a.smeared_keys) result.unsmeared.emplace();
  for (const HeadPlace earlier : all_heads(a)) {
    if (reads(a, *result.head, earlier)) result.earlier.push_back({.head = earlier});
  }
  const bool at_once = result.earlier.size() <= pattern_heads;
  std::vector<Planned> planned;
  plan_head(*result.head, result, planned);
  for (EarlierHead& earlier : result.earlier) {
    if (at_once) plan_patterns(earlier, planned);
  }
  if (Status status = measure_shares(setting, recorded, planned, result); !status || at_once) {
    return status;
  }
  planned.clear();
  const auto most = [&](Estimate EarlierHead::*removed) {
    return std::ranges::max_element(
        result.earlier, {}, [=](const EarlierHead& earlier) { return (earlier.*removed).mean; });
  };
  const auto keys = most(&EarlierHead::k_removed);
  const auto queries = most(&EarlierHead::q_removed);
  plan_patterns(*keys, planned);
  if (queries != keys) plan_patterns(*queries, planned);
  return measure_shares(setting, recorded, planned, result);
}

/// The means of the scores of the head's pattern.
Status score_head(const Setting& setting, MechanismResult& result) {
  const Result<ProbeResult> scored = evaluate(setting.model.program, setting.model.parameters,
                                              setting.probe, setting.sequences, setting.engine);
  if (!scored) return scored.error();
  for (const HeadSummary& head : scored->heads) {
    if (head.place == *result.head) result.scores = head.mean;
  }
  return {};
}

}  // namespace

Result<MechanismResult> mechanism(const Setting& given, const MechanismLimits& limits) {
  if (Status status = check(given); !status) return status.error();
  References own(given.model, given.probe, reference_groups(given.sequences));
  Setting setting = given;  // its measurements share their references
  if (setting.references == nullptr) setting.references = &own;
  const Architecture& a = setting.model.architecture();
  MechanismResult result;
  result.sequences = setting.sequences;
  result.chance = std::log(static_cast<double>(setting.probe.vocabulary()));
  const std::size_t heads = a.layers * a.heads_per_layer();
  if (heads > limits.heads) {
    result.verdict = Mechanism::unresolved;
    result.reason =
        fmt::format("not measured: found {} heads, allowed at most {}", heads, limits.heads);
    return result;
  }
  std::vector<std::string> recorded = component_activations(a);
  if (Status status = find_head(setting, recorded, result); !status) return status.error();
  result.learned = result.chance - result.loss.mean >= least_gain;
  if (result.learned) {
    recorded.push_back(pattern_name(result.head->layer));  // no other is averaged
    if (Status status = find_shares(setting, recorded, limits.pattern_heads, result); !status) {
      return status.error();
    }
    if (Status status = score_head(setting, result); !status) return status.error();
  }
  decide(result);
  return result;
}

}  // namespace lookback::lens
