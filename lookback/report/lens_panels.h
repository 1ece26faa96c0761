// What the parts of the page's lens section share: figures of panels, and truncation.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lookback/report/lens_figures.h"
#include "lookback/report/lens_result.h"

namespace lookback::report {

/// One chart with a label above it and a shorter note beside the label.
nlohmann::json lens_panel(std::string id, std::string label, nlohmann::json spec,
                          std::string note = "");
nlohmann::json lens_variant(std::string id, std::string label, nlohmann::json panels);
nlohmann::json lens_figure(std::string id, std::string title, std::string caption,
                           nlohmann::json variants);

/// The end of the caption of a truncated figure; empty for a complete one.
std::string cut_sentence(bool cut);

/// "64 held-out sequences"; without the number where it is 0.
std::string held_out(std::size_t sequences);

/// The keys with the largest sizes, at most `most`; `cut` becomes true when any was left out.
template <class Key>
std::set<Key> largest_keys(const std::map<Key, double>& sizes, std::size_t most, bool& cut) {
  std::vector<std::pair<double, Key>> sorted;
  sorted.reserve(sizes.size());
  for (const auto& [key, size] : sizes) sorted.push_back({-size, key});
  std::ranges::sort(sorted);
  if (sorted.size() > most) {
    sorted.resize(most);
    cut = true;
  }
  std::set<Key> kept;
  for (const auto& [size, key] : sorted) kept.insert(key);
  return kept;
}

/// Paths as bars, those of Q first, then K, V and the logits; cut to the rows with the largest
/// effects.
std::vector<LensBar> path_bars(const std::vector<LensPath>& paths, bool& cut);

/// The range that all bars of `bars` need, extended by `range`.
LensRange range_of(const std::vector<LensBar>& bars, LensRange range = {});

/// Add one figure each, if anything of it was measured.
void add_ablation_figure(const LensResult& result, nlohmann::json& figures);
void add_patching_figure(const LensResult& result, nlohmann::json& figures);

}  // namespace lookback::report
