#include "lookback/report/lens_panels.h"

#include <cmath>
#include <string_view>

namespace lookback::report {
namespace {

using nlohmann::json;

constexpr std::size_t most_bar_rows = 12;

std::string capitalized(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  }
  return text;
}

std::string path_row(const LensPath& path) {
  return path.input.empty() ? path.from : capitalized(path.input) + " \u2190 " + path.from;
}

/// Q first, then K, V and the logits, which have no input.
std::size_t place_of_input(const LensPath& path) {
  constexpr std::string_view order = "qkv";
  return path.input.empty() ? order.size() : std::min(order.size(), order.find(path.input[0]));
}

}  // namespace

nlohmann::json lens_panel(std::string id, std::string label, nlohmann::json spec,
                          std::string note) {
  return {{"id", std::move(id)},
          {"label", std::move(label)},
          {"note", std::move(note)},
          {"spec", std::move(spec)}};
}

nlohmann::json lens_variant(std::string id, std::string label, nlohmann::json panels) {
  return {{"id", std::move(id)}, {"label", std::move(label)}, {"panels", std::move(panels)}};
}

nlohmann::json lens_figure(std::string id, std::string title, std::string caption,
                           nlohmann::json variants) {
  return {{"id", std::move(id)},
          {"title", std::move(title)},
          {"caption", std::move(caption)},
          {"variants", std::move(variants)}};
}

std::string held_out(std::size_t sequences) {
  return sequences == 0 ? "held-out sequences" : std::to_string(sequences) + " held-out sequences";
}

std::string cut_sentence(bool cut) {
  return cut ? " Of what there is, the largest effects are shown; inspection.json has all." : "";
}

std::vector<LensBar> path_bars(const std::vector<LensPath>& paths, bool& cut) {
  std::map<std::string, double> sizes;
  for (const LensPath& path : paths) {
    double& size = sizes[path_row(path)];
    size = std::max(size, std::abs(path.value.mean));
  }
  const std::set<std::string> kept = largest_keys(sizes, most_bar_rows, cut);
  std::vector<LensPath> sorted = paths;
  std::ranges::stable_sort(sorted, {}, place_of_input);
  std::vector<LensBar> bars;
  for (const LensPath& path : sorted) {
    if (kept.contains(path_row(path))) bars.push_back({path_row(path), path.change, path.value});
  }
  return bars;
}

LensRange range_of(const std::vector<LensBar>& bars, LensRange range) {
  for (const LensBar& bar : bars) range.add(bar.value);
  return range;
}

}  // namespace lookback::report
