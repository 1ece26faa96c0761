#include "lookback/lens/ablation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "lookback/lens/ablation_edits.h"
#include "lookback/lens/limits.h"

namespace lookback::lens {
namespace {

using model::Architecture;

constexpr Replacement all_replacements[] = {Replacement::zero, Replacement::mean,
                                            Replacement::resample};

/// The replacements that can change anything.
std::span<const Replacement> replacements_of(const Component& component) {
  return std::span(all_replacements).first(component.constant() ? 1 : 3);
}

/// The components that one input of a head reads, shortformer's positions included.
std::vector<Component> components_of_input(const Architecture& a, HeadPlace reader, Input input) {
  std::vector<Component> components = components_read(a, reader);
  // A head without OV writes keys that hold the positions; its value alone has no hook for them.
  if (a.positions == model::Positions::shortformer && input != Input::v) {
    components.push_back({Component::Kind::position, 0, 0});
  }
  return components;
}

void list_paths(const Architecture& a, Ablations& result) {
  for (const HeadPlace reader : all_heads(a)) {
    if (!reads_earlier_parts(a, reader)) continue;
    for (const Input input : {Input::q, Input::k, Input::v}) {
      for (const Component& component : components_of_input(a, reader, input)) {
        for (const Replacement replacement : replacements_of(component)) {
          result.paths.push_back({component, reader, input, replacement});
        }
      }
    }
  }
  for (const Component& component : components_of_logits(a)) {
    for (const Replacement replacement : replacements_of(component)) {
      result.logits.push_back({component, replacement});
    }
  }
}

void list_heads(const Architecture& a, Ablations& result) {
  for (const HeadPlace head : all_heads(a)) {
    for (const Replacement replacement : all_replacements) {
      result.heads.push_back({head, replacement});
    }
    result.values.push_back({head});
  }
}

void list_patterns(const Architecture& a, Ablations& result) {
  std::vector<std::optional<HeadPlace>> places{std::nullopt};
  for (const HeadPlace head : all_heads(a)) places.emplace_back(head);
  for (const auto& place : places) {
    result.patterns.push_back({place, Replacement::mean});
    result.patterns.push_back({place, Replacement::resample});
  }
}

void list_norms(const Architecture& a, bool one_by_one, Ablations& result) {
  const std::vector<NormPlace> norms = all_norms(a);
  if (norms.empty()) return;
  for (const auto change : {NormAblation::Change::frozen, NormAblation::Change::removed}) {
    for (const NormPlace& norm : norms) {
      if (one_by_one) result.norms.push_back({norm.name, change});
    }
    result.norms.push_back({std::nullopt, change});
  }
}

/// Every ablation of the model within the limits, not measured yet.
Ablations listed(const Architecture& a, const AblationLimits& limits) {
  Ablations result;
  const std::size_t heads = a.layers * a.heads_per_layer();
  const auto few_heads = [&](std::size_t limit, const char* what) {
    return within_limit(what, heads, "heads", limit, result.skipped);
  };
  if (few_heads(limits.path_heads, "paths and logits")) list_paths(a, result);
  if (few_heads(limits.head_heads, "single heads")) list_heads(a, result);
  result.values.push_back({std::nullopt});
  if (few_heads(limits.pattern_heads, "patterns")) list_patterns(a, result);
  const std::size_t norms = all_norms(a).size();
  const bool one_by_one =
      within_limit("single norms", norms, "norms", limits.norms, result.skipped);
  list_norms(a, one_by_one, result);
  return result;
}

/// Calls act(ablation) for each, always in the same order.
template <class Act>
void for_each(Ablations& all, Act act) {
  std::ranges::for_each(all.paths, act);
  std::ranges::for_each(all.logits, act);
  std::ranges::for_each(all.heads, act);
  std::ranges::for_each(all.patterns, act);
  std::ranges::for_each(all.values, act);
  std::ranges::for_each(all.norms, act);
}

}  // namespace

const char* name_of(Input input) {
  switch (input) {
    case Input::q:
      return "q";
    case Input::k:
      return "k";
    case Input::v:
      return "v";
  }
  return "";
}

Result<Ablations> ablations(const Setting& setting, const AblationLimits& limits) {
  if (Status status = check(setting); !status) return status.error();
  const Architecture& a = setting.model.architecture();
  Ablations result = listed(a, limits);
  result.sequences = setting.sequences;
  std::vector<Intervention> interventions;
  for_each(result, [&](const auto& ablation) {
    interventions.push_back([ablation](Context& context) { return edits_of(ablation, context); });
  });
  const bool patterns = !result.patterns.empty() || (a.no_ov && !result.paths.empty());
  const std::vector<std::string> names = ablation_activations(a, patterns);
  const Result<Measured> measured = measure(setting, names, interventions);
  if (!measured) return measured.error();
  result.baseline = measured->unedited();
  std::size_t i = 0;
  for_each(result, [&](auto& ablation) {
    if constexpr (requires { ablation.perplexity_ratio; }) {
      ablation.perplexity_ratio = std::exp(measured->rise(i, &LossScores::loss).mean);
    }
    ablation.rise = measured->rise(i++);
  });
  return result;
}

}  // namespace lookback::lens
