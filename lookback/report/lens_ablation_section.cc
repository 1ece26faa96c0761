// The ablations of the page's lens section.
#include <cmath>

#include "lookback/report/lens_panels.h"

namespace lookback::report {
namespace {

using nlohmann::json;

/// The most that a page shows of a model with many heads; the largest are kept.
constexpr std::size_t most_reader_panels = 6;
constexpr std::size_t most_part_rows = 12;

constexpr const char* rise_title = "rise of second-half loss (nats)";

/// A panel for each head that reads another's output, the most affected first.
json input_panels(const LensResult& result, bool& cut) {
  std::map<LensHead, std::vector<LensPath>> readers;
  std::map<LensHead, double> sizes;
  for (const LensPath& path : result.paths) {
    if (!path.to) continue;
    readers[*path.to].push_back(path);
    sizes[*path.to] = std::max(sizes[*path.to], std::abs(path.value.mean));
  }
  const std::set<LensHead> kept = largest_keys(sizes, most_reader_panels, cut);
  std::map<LensHead, std::vector<LensBar>> bars;
  LensRange range;
  for (const LensHead& head : kept) {
    bars[head] = path_bars(readers[head], cut);
    range = range_of(bars[head], range);
  }
  json panels = json::array();
  for (const auto& [head, rows] : bars) {
    panels.push_back(
        lens_panel("ablation-inputs-" + head.name(), "What head " + head.name() + " reads",
                   lens_bars_figure("Rise of loss when one input of head " + head.name() +
                                        " loses one component of its stream",
                                    rise_title, rows, range)));
  }
  return panels;
}

void add_rise_panel(const char* id, const char* label, const std::vector<LensRise>& rises,
                    bool& cut, json& panels) {
  std::map<std::string, double> sizes;
  for (const LensRise& rise : rises) {
    sizes[rise.part] = std::max(sizes[rise.part], std::abs(rise.rise.mean));
  }
  const std::set<std::string> kept = largest_keys(sizes, most_part_rows, cut);
  std::vector<LensBar> bars;
  for (const LensRise& rise : rises) {
    if (kept.contains(rise.part)) bars.push_back({rise.part, rise.change, rise.rise});
  }
  if (bars.empty()) return;
  panels.push_back(
      lens_panel(id, label, lens_bars_figure(label, rise_title, bars, range_of(bars))));
}

json whole_panels(const LensResult& result, bool& cut) {
  json panels = json::array();
  add_rise_panel("ablation-heads", "What a head writes, replaced", result.heads, cut, panels);
  add_rise_panel("ablation-patterns", "Attention pattern, frozen to another", result.patterns, cut,
                 panels);
  add_rise_panel("ablation-values", "What a head moves, made the mean over positions",
                 result.values, cut, panels);
  add_rise_panel("ablation-norms", "Norms, scale frozen or norm removed", result.norms, cut,
                 panels);
  const std::vector<LensBar> logits = path_bars(result.logits, cut);
  if (!logits.empty()) {
    panels.push_back(lens_panel("ablation-logits", "What the logits alone read, replaced",
                                lens_bars_figure("Rise of loss when the logits lose one component",
                                                 rise_title, logits, range_of(logits))));
  }
  return panels;
}

}  // namespace

void add_ablation_figure(const LensResult& result, json& figures) {
  bool cut = false;
  json variants = json::array();
  json inputs = input_panels(result, cut);
  if (!inputs.empty()) {
    variants.push_back(lens_variant("ablation-inputs", "inputs of a head", std::move(inputs)));
  }
  json whole = whole_panels(result, cut);
  if (!whole.empty()) {
    variants.push_back(lens_variant("ablation-parts", "whole parts", std::move(whole)));
  }
  if (variants.empty()) return;
  figures.push_back(lens_figure(
      "ablation", "Ablations",
      "What a part is worth: the rise of second-half loss, in nats, when it is taken away from the "
      "trained model; the mean of the differences on " +
          held_out(result.sequences) +
          (result.probe.empty() ? std::string() : " of the probe " + result.probe) +
          ", each with and without the part; thin rules are intervals of 95% over sequences, by "
          "Student's t. Inputs of a head: its query, key or value input (Q, K, V \u2190 component) "
          "alone loses one component of the stream, which becomes zero, its mean over sequences, "
          "or "
          "that of the next sequence (resample); every other reader still sees it. A long bar at "
          "K \u2190 an earlier head says that this head finds its source by what that head wrote "
          "into the keys. Whole parts: what a head writes is replaced for all readers, its pattern "
          "or its values are replaced, a norm's scale is frozen or the norm removed." +
          cut_sentence(cut),
      std::move(variants)));
}

}  // namespace lookback::report
