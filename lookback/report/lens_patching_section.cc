// The patching grids of the page's lens section.
#include <array>

#include "lookback/report/json_access.h"
#include "lookback/report/lens_panels.h"

namespace lookback::report {
namespace {

using nlohmann::json;

/// Heads times positions in one grid.
constexpr std::size_t most_grid_cells = 3000;

constexpr std::array<std::pair<const char*, const char*>, 5> activation_titles = {
    {{"q", "Queries (q)"},
     {"k", "Keys (k)"},
     {"v", "Values (v)"},
     {"z", "What the head moved (z)"},
     {"pattern", "Attention pattern"}}};

std::string difference_note(const LensPatching& patching) {
  if (!patching.clean || !patching.corrupted) return "";
  const double clean = patching.clean->mean;
  const double corrupted = patching.corrupted->mean;
  return "right answer " + fixed_decimals(clean, 2) + " clean, " + fixed_decimals(corrupted, 2) +
         " corrupted (nats)";
}

json position_panels(const LensPatching& patching, bool& cut) {
  json panels = json::array();
  for (const auto& [activation, title] : activation_titles) {
    std::vector<LensPatch> patches;
    std::size_t cells = 0;
    for (const LensPatch& patch : patching.heads) {
      if (patch.activation != activation || patch.by_position.empty()) continue;
      cells += patch.by_position.size();
      if (cells > most_grid_cells) {
        cut = true;
        break;
      }
      patches.push_back(patch);
    }
    if (patches.empty()) continue;
    panels.push_back(lens_panel("patching-" + patching.corruption + "-" + activation, title,
                                patching_figure(patches, patching)));
  }
  return panels;
}

json patched_path_panels(const LensPatching& patching, bool& cut) {
  std::vector<LensPath> paths = patching.paths;
  for (LensPath& path : paths) {
    path.input = path.to ? path.input + " of " + path.to->name() : "logits";
  }
  std::vector<LensBar> bars = path_bars(paths, cut);
  if (bars.empty()) return json::array();
  return json::array({lens_panel(
      "patching-paths-" + patching.corruption, "Paths, '" + patching.corruption + "' corrupted",
      lens_bars_figure("Share restored by patching one component for one reader",
                       "restored (0 corrupted, 1 clean)", bars, range_of(bars)),
      difference_note(patching))});
}

}  // namespace

void add_patching_figure(const LensResult& result, json& figures) {
  bool cut = false;
  json variants = json::array();
  json paths = json::array();
  for (const LensPatching& patching : result.patchings) {
    json panels = position_panels(patching, cut);
    if (!panels.empty()) {
      panels.front()["note"] = difference_note(patching);
      variants.push_back(lens_variant("patching-" + patching.corruption,
                                      "'" + patching.corruption + "'", std::move(panels)));
    }
    for (json& one : patched_path_panels(patching, cut)) paths.push_back(std::move(one));
  }
  if (!paths.empty()) {
    variants.push_back(lens_variant("patching-paths", "paths", std::move(paths)));
  }
  if (variants.empty()) return;
  figures.push_back(lens_figure(
      "patching", "Activation patching",
      "A random block twice, with one token of the first copy changed: the one to be copied "
      "('answer'), or the earlier occurrence of the query's token ('match'). One activation of the "
      "clean run is put into the corrupted one, and the color is the share of the right answer's "
      "log-probability that comes back: 0 (pale) none, 1 (blue) all, below 0 (orange) it gets "
      "worse. Computed on " +
          held_out(result.patchings.front().sequences) +
          " as the ratio of two means over them: what comes back, and what the change had taken; "
          "thin rules in the paths are intervals of 95% over sequences, by Student's t, and the "
          "grids draw none. Triangles mark the changed position "
          "and that of the query; beside each head stands the share when all positions are patched "
          "at once. Paths: one component of what one input alone reads becomes the clean one." +
          cut_sentence(cut),
      std::move(variants)));
}

}  // namespace lookback::report
