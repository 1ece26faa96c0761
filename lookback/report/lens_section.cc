#include "lookback/report/lens_section.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lookback/report/json_access.h"
#include "lookback/report/lens_figures.h"
#include "lookback/report/lens_panels.h"

namespace lookback::report {
namespace {

using nlohmann::json;

/// The most that a page shows of a model with many heads; the largest are kept.
constexpr std::size_t most_circuits = 12;
constexpr std::size_t most_lines = 8;
constexpr std::size_t most_pairs = 1000;
constexpr std::size_t most_eigenvalues = 500;
/// Points of a line by offset: all near ones, and for the rest the extremes of this many stretches.
constexpr std::size_t near_offsets = 64;
constexpr std::size_t far_stretches = 96;

/// The circuit with its largest eigenvalues.
LensCircuit with_largest_eigenvalues(LensCircuit circuit, bool& cut) {
  if (circuit.eigenvalues.size() <= most_eigenvalues) return circuit;
  const auto size = [](const std::complex<double>& value) { return -std::abs(value); };
  std::ranges::stable_sort(circuit.eigenvalues, {}, size);
  circuit.eigenvalues.resize(most_eigenvalues);
  cut = true;
  return circuit;
}

/// Keeps what a line with that many points can show, including every peak; the rest becomes NaN.
std::vector<double> thinned_offsets(const std::vector<double>& scores) {
  if (scores.size() <= near_offsets + 2 * far_stretches) return scores;
  std::vector<double> kept(scores.size(), std::numeric_limits<double>::quiet_NaN());
  std::copy_n(scores.begin(), near_offsets, kept.begin());
  const std::size_t far = scores.size() - near_offsets;
  for (std::size_t stretch = 0; stretch < far_stretches; ++stretch) {
    const std::size_t end = near_offsets + far * (stretch + 1) / far_stretches;
    std::optional<std::size_t> lowest;
    std::optional<std::size_t> highest;
    for (std::size_t i = near_offsets + far * stretch / far_stretches; i < end; ++i) {
      if (!std::isfinite(scores[i])) continue;
      if (!lowest || scores[i] < scores[*lowest]) lowest = i;
      if (!highest || scores[i] > scores[*highest]) highest = i;
    }
    if (lowest) kept[*lowest] = scores[*lowest];
    if (highest) kept[*highest] = scores[*highest];
  }
  return kept;
}

json eigenvalue_panels(const std::vector<LensCircuit>& circuits, bool& cut) {
  std::map<std::size_t, double> sizes;
  for (std::size_t i = 0; i < circuits.size(); ++i) {
    for (const auto& value : circuits[i].eigenvalues) {
      sizes[i] = std::max(sizes[i], std::abs(value));
    }
  }
  json panels = json::array();
  for (const std::size_t i : largest_keys(sizes, most_circuits, cut)) {
    const LensCircuit& circuit = circuits[i];
    const std::string heads =
        circuit.from ? circuit.from->name() + "-" + circuit.head.name() : circuit.head.name();
    panels.push_back(lens_panel("eigenvalues-" + circuit.kind + "-" + heads, circuit_title(circuit),
                                eigenvalues_figure(with_largest_eigenvalues(circuit, cut)),
                                "score " + fixed_decimals(circuit.eigenvalue_score, 2)));
  }
  return panels;
}

void add_eigenvalues(const LensResult& result, json& figures) {
  bool cut = false;
  json variants = json::array();
  json direct = eigenvalue_panels(result.direct, cut);
  if (!direct.empty()) {
    variants.push_back(lens_variant("eigenvalues-direct", "direct", std::move(direct)));
  }
  json composed = eigenvalue_panels(result.composed, cut);
  if (!composed.empty()) {
    variants.push_back(
        lens_variant("eigenvalues-composed", "through an earlier head", std::move(composed)));
  }
  if (variants.empty()) return;
  figures.push_back(lens_figure(
      "eigenvalues", "Eigenvalues of the circuits",
      "A dot an eigenvalue \u03bb of the circuit [V, V], in the complex plane: its angle is drawn "
      "as it "
      "is, its size on a logarithmic radius, with circles at the largest |\u03bb| and at a tenth "
      "of it; "
      "what is below a hundredth lies in the centre. The score is \u2211 Re \u03bb / \u2211 "
      "|\u03bb|, from -1 to 1: "
      "dots on the right say that an OV circuit copies tokens to their own logits and that "
      "a "
      "QK circuit matches a token with itself; dots on the left, that they do the opposite. "
      "Through "
      "an earlier head: the key, query or value of a head as what that earlier head wrote, so that "
      "matching there is the search of an induction head. Computed from the weights of the run's "
      "last "
      "checkpoint alone, from products of the factors (d_head \u00d7 d_head) and with the norms "
      "between "
      "folded in: no sequences, and so no interval." +
          cut_sentence(cut),
      std::move(variants)));
}

void add_composition(const LensResult& result, json& figures) {
  if (result.composition.empty()) return;
  std::vector<LensComposition> pairs = result.composition;
  const bool cut = pairs.size() > most_pairs;
  if (cut) {
    const auto highest = [](const LensComposition& p) { return -std::max({p.q, p.k, p.v}); };
    std::ranges::stable_sort(pairs, {}, highest);
    pairs.resize(most_pairs);
  }
  const double baseline = pairs.front().baseline;
  figures.push_back(lens_figure(
      "composition", "Composition of heads",
      "How much of what an earlier head writes a later head's queries, keys or values read, by "
      "their "
      "weights alone: |W_OV M| / (|W_OV| |M|) in Frobenius norms (Elhage et al. 2021), 0 where "
      "nothing is read. Random matrices of the same shapes score " +
          fixed_decimals(baseline, 3) +
          ": blue is more than that, orange less. Computed from the weights of the run's last "
          "checkpoint, without sequences and so without an interval. Weights do not say what is "
          "used; the ablations do." +
          cut_sentence(cut),
      json::array({lens_variant(
          "composition", "",
          json::array({lens_panel("composition", "", composition_figure(pairs))}))})));
}

void add_positional(const LensResult& result, json& figures) {
  if (result.positional.empty()) return;
  bool cut = false;
  std::vector<LensPositional> all = result.positional;
  std::map<std::size_t, double> spreads;
  for (std::size_t i = 0; i < all.size(); ++i) {
    // Farther back a score is the mean over few queries and says little.
    all[i].by_offset.resize((all[i].by_offset.size() + 1) / 2);
    LensRange range;
    for (const double score : all[i].by_offset) {
      if (std::isfinite(score)) range.add({score, {}});
    }
    spreads[i] = range.high - range.low;
  }
  bool thinned = false;
  LensRange range;
  const std::set<std::size_t> kept = largest_keys(spreads, most_lines, cut);
  for (const std::size_t i : kept) {
    thinned = thinned || all[i].by_offset.size() > near_offsets + 2 * far_stretches;
    all[i].by_offset = thinned_offsets(all[i].by_offset);
    for (const double score : all[i].by_offset) {
      if (std::isfinite(score)) range.add({score, {}});
    }
  }
  json panels = json::array();
  for (const std::size_t i : kept) {
    const std::string name = all[i].head.name();
    panels.push_back(
        lens_panel("positional-" + name, "Head " + name, positional_figure(all[i], range)));
  }
  figures.push_back(lens_figure(
      "positional", "Positional circuit by offset",
      "The attention score that positions alone give, W_pos W_Q W_K\u1d40 W_pos\u1d40 (for rotary "
      "positions, the "
      "mean query and key turned), averaged over queries, against how far back the source lies, up "
      "to half the context, all heads on one scale. A peak at 1 makes a previous-token head; a "
      "bump over the trained "
      "periods, a band that counts. Computed from the weights of the run's last checkpoint, "
      "without "
      "sequences and so without an interval." +
          std::string(thinned ? " Far back a line has the lowest and the highest score of each "
                                "of " +
                                    std::to_string(far_stretches) + " stretches."
                              : "") +
          cut_sentence(cut),
      json::array({lens_variant("positional", "", std::move(panels))})));
}

}  // namespace

std::string circuit_title(const LensCircuit& circuit) {
  const std::string head = circuit.head.name();
  if (circuit.kind == "ov") return "OV of head " + head;
  if (circuit.kind == "qk") return "QK of head " + head;
  if (circuit.kind == "qk_before") return "QK of head " + head + ", the token before";
  const std::string from = circuit.from ? circuit.from->name() : "";
  if (circuit.kind == "q_composition") return "QK of " + head + ", queries through " + from;
  if (circuit.kind == "k_composition") return "QK of " + head + ", keys through " + from;
  if (circuit.kind == "v_composition") return "OV of " + head + ", values through " + from;
  return circuit.kind + " of head " + head;
}

json lens_figures(const LensResult& result) {
  json figures = json::array();
  add_ablation_figure(result, figures);
  add_patching_figure(result, figures);
  add_eigenvalues(result, figures);
  add_composition(result, figures);
  add_positional(result, figures);
  return figures;
}

json mechanism_data(const LensMechanism& mechanism) {
  json facts = json::array();
  for (const LensFact& fact : mechanism.facts) {
    json one = {
        {"name", fact.name}, {"value", round_significant(fact.value.mean, 4)}, {"reach", nullptr}};
    if (fact.value.interval) one["reach"] = round_significant(fact.value.interval->reach(), 2);
    facts.push_back(std::move(one));
  }
  return {{"verdict", mechanism.verdict}, {"reason", mechanism.reason}, {"facts", facts}};
}

}  // namespace lookback::report
