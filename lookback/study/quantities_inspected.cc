// Measures from inspection.json: what interventions and circuits say about the model at the end.
// The COPYING head is the head of the mechanism (lens/mechanism.h).
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "lookback/base/json_access.h"
#include "lookback/lens/mechanism.h"
#include "lookback/study/quantities.h"

namespace lookback::study {
namespace {

using base::find_array;
using base::find_number;
using base::find_text;
using base::find_value;
using nlohmann::json;

/// The copying head as {"layer", "head"}, or null.
const json* copying_head(const RunRecord& run) {
  const json* head = find_value(run.inspection, {"mechanism", "head"});
  return head != nullptr && head->is_object() ? head : nullptr;
}

bool is_of(const json& entry, std::string_view key, const json& head) {
  const json* found = find_value(entry, {key});
  return found != nullptr && *found == head;
}

std::vector<std::string> mechanism_names() {
  using lens::Mechanism;
  std::vector<std::string> names;
  for (const Mechanism one : {Mechanism::none, Mechanism::positional_band, Mechanism::k_composition,
                              Mechanism::q_composition, Mechanism::smeared_keys}) {
    names.emplace_back(lens::name_of(one));
  }
  return names;
}

Figure mechanism(const RunRecord& run, std::string_view /*probe*/) {
  const std::string verdict = find_text(run.inspection, {"mechanism", "verdict"});
  // "Unresolved" is not a mechanism.
  const bool is_known = !verdict.empty() && verdict != lens::name_of(lens::Mechanism::unresolved);
  return is_known ? Figure(verdict) : Figure();
}

template <const char* const& key>
Figure of_mechanism(const RunRecord& run, std::string_view /*probe*/) {
  const auto value = find_number(run.inspection, {"mechanism", key, "mean"});
  return value ? Figure(*value) : Figure();
}

constexpr const char* cost_key = "cost";
constexpr const char* band_key = "band";

/// The rise when the copying head's input loses `from` (its mean over sequences in its place).
std::optional<double> rise_without(const RunRecord& run, std::string_view from,
                                   std::string_view input) {
  const json* head = copying_head(run);
  if (head == nullptr) return std::nullopt;
  for (const json& path : find_array(run.inspection, {"ablation", "paths"})) {
    if (is_of(path, "to", *head) && find_text(path, {"input"}) == input &&
        find_text(path, {"replacement"}) == "mean" && find_text(path, {"from"}) == from) {
      return find_number(path, {"rise", "mean"});
    }
  }
  return std::nullopt;
}

/// What the copying head's inputs can lose: "head 0.0", "token", "position", "base 0", ...
std::vector<std::string> components_read(const RunRecord& run) {
  std::vector<std::string> names;
  const json* head = copying_head(run);
  for (const json& path : find_array(run.inspection, {"ablation", "paths"})) {
    const std::string from = find_text(path, {"from"});
    const bool is_known = std::ranges::find(names, from) != names.end();
    if (head != nullptr && is_of(path, "to", *head) && !is_known) names.push_back(from);
  }
  return names;
}

/// The earlier head whose loss in the keys costs most.
std::optional<std::string> first_head(const RunRecord& run) {
  std::optional<std::string> best;
  double largest = 0;
  for (const std::string& name : components_read(run)) {
    const auto rise = name.starts_with("head ") ? rise_without(run, name, "k") : std::nullopt;
    if (!rise || (best && *rise <= largest)) continue;
    best = name;
    largest = *rise;
  }
  return best;
}

constexpr const char* q_input = "q";
constexpr const char* k_input = "k";
constexpr const char* v_input = "v";

template <const char* const& input>
Figure head_rise(const RunRecord& run, std::string_view /*probe*/) {
  const auto head = first_head(run);
  const auto rise = head ? rise_without(run, *head, input) : std::nullopt;
  return rise ? Figure(*rise) : Figure();
}

/// The rise for the token itself or, in a later step of a layer, for what the layer read.
template <const char* const& input>
Figure token_rise(const RunRecord& run, std::string_view /*probe*/) {
  for (const std::string& name : components_read(run)) {
    if (name != "token" && !name.starts_with("base ")) continue;
    const auto rise = rise_without(run, name, input);
    return rise ? Figure(*rise) : Figure();
  }
  return {};
}

/// The largest value of a score over the copying head's circuits of these kinds.
Figure best_circuit(const RunRecord& run, std::string_view list,
                    std::initializer_list<std::string_view> kinds, std::string_view score) {
  const json* head = copying_head(run);
  std::optional<double> best;
  for (const json& circuit : find_array(run.inspection, {"circuits", list})) {
    const std::string kind = find_text(circuit, {"kind"});
    if (head == nullptr || !is_of(circuit, "head", *head)) continue;
    if (std::ranges::find(kinds, kind) == kinds.end()) continue;
    best = std::max(best, find_number(circuit, {score}));
  }
  return best ? Figure(*best) : Figure();
}

Figure ov_score(const RunRecord& run, std::string_view /*probe*/) {
  return best_circuit(run, "direct", {"ov"}, "eigenvalue_score");
}
Figure direct_qk_score(const RunRecord& run, std::string_view /*probe*/) {
  return best_circuit(run, "direct", {"qk"}, "eigenvalue_score");
}
Figure composed_qk_score(const RunRecord& run, std::string_view /*probe*/) {
  return best_circuit(run, "composed", {"k_composition"}, "eigenvalue_score");
}
Figure matching_share(const RunRecord& run, std::string_view /*probe*/) {
  const Figure direct = best_circuit(run, "direct", {"qk", "qk_before"}, "diagonal_share");
  const Figure composed =
      best_circuit(run, "composed", {"k_composition", "q_composition"}, "diagonal_share");
  return std::max(direct, composed);  // nothing is less than any number
}

/// The largest K-composition of two heads over that of random matrices.
Figure k_composition_ratio(const RunRecord& run, std::string_view /*probe*/) {
  std::optional<double> best;
  for (const json& pair : find_array(run.inspection, {"composition"})) {
    const auto k = find_number(pair, {"k"}), random = find_number(pair, {"baseline"});
    if (k && random && *random > 0) best = std::max(best, std::optional<double>(*k / *random));
  }
  return best ? Figure(*best) : Figure();
}

/// The smallest over the largest rise when one head alone is replaced by its mean.
Figure head_balance(const RunRecord& run, std::string_view /*probe*/) {
  std::optional<double> smallest, largest;
  for (const json& head : find_array(run.inspection, {"ablation", "heads"})) {
    const json* place = find_value(head, {"head"});
    if (place == nullptr || !place->is_object()) continue;  // all heads at once
    const auto rise = find_number(head, {"rise", "mean"});
    if (!rise || find_text(head, {"replacement"}) != "mean") continue;
    smallest = smallest ? std::min(*smallest, *rise) : *rise;
    largest = largest ? std::max(*largest, *rise) : *rise;
  }
  return largest && *largest > 0 ? Figure(*smallest / *largest) : Figure();
}

Figure value_content_ratio(const RunRecord& run, std::string_view /*probe*/) {
  for (const json& values : find_array(run.inspection, {"ablation", "values"})) {
    const json* head = find_value(values, {"head"});
    if (head == nullptr || !head->is_null()) continue;
    const auto ratio = find_number(values, {"perplexity_ratio"});
    return ratio ? Figure(*ratio) : Figure();
  }
  return {};
}

/// The rise when the norm that the copying head reads through, and earlier heads do not, is
/// changed. None if its layer has several such norms, because it is unclear which one counts.
std::optional<double> norm_between_rise(const RunRecord& run, std::string_view change) {
  const json* head = copying_head(run);
  const auto layer = head == nullptr ? std::nullopt : base::find_count(*head, {"layer"});
  if (!layer) return std::nullopt;
  const std::string block = "blocks." + std::to_string(*layer) + ".";
  std::optional<double> rise;
  std::size_t found = 0;
  for (const json& norm : find_array(run.inspection, {"ablation", "norms"})) {
    const std::string name = find_text(norm, {"norm"});
    const bool is_between =
        name.starts_with(block + "steps.") || (*layer > 0 && name == block + "ln1");
    if (!is_between || find_text(norm, {"change"}) != change) continue;
    rise = find_number(norm, {"rise", "mean"});
    ++found;
  }
  return found == 1 ? rise : std::nullopt;
}

constexpr const char* frozen = "frozen";
constexpr const char* removed = "removed";

template <const char* const& change>
Figure norm_between(const RunRecord& run, std::string_view /*probe*/) {
  const auto rise = norm_between_rise(run, change);
  return rise ? Figure(*rise) : Figure();
}

constexpr Quantity inspected[] = {
    {.name = "mechanism",
     .says = "the mechanism that interventions point to",
     .is_word = true,
     .words = mechanism_names,
     .read = mechanism},
    {.name = "copying_head_cost",
     .unit = "nats",
     .says = "the rise of loss without the copying head",
     .read = of_mechanism<cost_key>},
    {.name = "band_share_lost",
     .says = "the share of the copying head's effect that a pattern of offsets alone loses",
     .read = of_mechanism<band_key>},
    {.name = "q_rise",
     .unit = "nats",
     .says = "the rise of loss when the copying head's query loses the first head",
     .read = head_rise<q_input>},
    {.name = "k_rise",
     .unit = "nats",
     .says = "the rise of loss when the copying head's keys lose the first head",
     .read = head_rise<k_input>},
    {.name = "v_rise",
     .unit = "nats",
     .says = "the rise of loss when the copying head's values lose the first head",
     .read = head_rise<v_input>},
    {.name = "token_q_rise",
     .unit = "nats",
     .says = "the rise of loss when the copying head's query loses the token",
     .read = token_rise<q_input>},
    {.name = "token_k_rise",
     .unit = "nats",
     .says = "the rise of loss when the copying head's keys lose the token",
     .read = token_rise<k_input>},
    {.name = "token_v_rise",
     .unit = "nats",
     .says = "the rise of loss when the copying head's values lose the token",
     .read = token_rise<v_input>},
    {.name = "ov_eigenvalue_score",
     .says = "the eigenvalue score of the copying head's OV circuit",
     .read = ov_score},
    {.name = "direct_qk_eigenvalue_score",
     .says = "the eigenvalue score of the copying head's direct QK circuit",
     .read = direct_qk_score},
    {.name = "composed_qk_eigenvalue_score",
     .says = "the eigenvalue score of the copying head's QK circuit through an earlier head",
     .read = composed_qk_score},
    {.name = "matching_share",
     .says = "the share of tokens that the copying head's best QK circuit matches first",
     .read = matching_share},
    {.name = "k_composition_ratio",
     .says = "the largest K-composition score over that of random matrices",
     .read = k_composition_ratio},
    {.name = "head_balance",
     .says = "the smallest over the largest loss that one head's absence costs",
     .read = head_balance},
    {.name = "value_content_ratio",
     .says = "the factor on perplexity when the content of every value is its mean",
     .logarithmic = true,
     .read = value_content_ratio},
    {.name = "norm_frozen_rise",
     .unit = "nats",
     .says = "the rise of loss when the norm between the heads is frozen to its mean scale",
     .read = norm_between<frozen>},
    {.name = "norm_removed_rise",
     .unit = "nats",
     .says = "the rise of loss when the norm between the heads is removed",
     .read = norm_between<removed>},
};

}  // namespace

std::span<const Quantity> inspected_quantities() { return inspected; }

}  // namespace lookback::study
