#include "lookback/report/lens_figures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lookback/report/colors.h"
#include "lookback/report/json_access.h"

namespace lookback::report {
namespace {

using nlohmann::json;

constexpr int shown_digits = 4;
/// Every kind of change, in the order of legend and bars, and its shape.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> change_shapes = {
    {{"zero", "circle"},
     {"mean", "square"},
     {"resample", "triangle-up"},
     {"frozen", "diamond"},
     {"removed", "cross"},
     {"clean", "circle"}}};

double shown(double value) { return round_significant(value, shown_digits); }

json lens_specification(std::string_view description, std::size_t height) {
  return {{"$schema", "https://vega.github.io/schema/vega-lite/v5.json"},
          {"description", std::string(description)},
          {"width", 480},
          {"height", height},
          {"autosize", {{"type", "fit-x"}, {"contains", "padding"}}}};
}

json tooltip_of(std::initializer_list<std::pair<const char*, const char*>> fields) {
  json list = json::array();
  for (const auto& [field, title] : fields) {
    list.push_back({{"field", field}, {"title", title}});
  }
  return list;
}

template <class Item, class Name>
std::vector<std::string> distinct(std::span<const Item> items, const Name& name) {
  std::vector<std::string> found;
  for (const Item& item : items) {
    if (std::ranges::find(found, name(item)) == found.end()) found.push_back(name(item));
  }
  return found;
}

/// Shape by change, for the changes that occur; with a legend if there are several.
json change_encoding(std::span<const LensBar> bars) {
  json domain = json::array();
  json range = json::array();
  for (const auto& [change, shape] : change_shapes) {
    const auto same = [&, name = change](const LensBar& bar) { return bar.change == name; };
    if (std::ranges::none_of(bars, same)) continue;
    domain.push_back(std::string(change));
    range.push_back(std::string(shape));
  }
  json encoding = {{"field", "change"},
                   {"type", "nominal"},
                   {"title", nullptr},
                   {"scale", {{"domain", domain}, {"range", range}}},
                   {"legend", nullptr}};
  if (domain.size() > 1) encoding["legend"] = {{"orient", "bottom"}};
  return encoding;
}

/// A point of the unit disk for an eigenvalue: its angle, and a logarithmic radius.
std::complex<double> on_disk(std::complex<double> value, double largest) {
  const double size = std::abs(value);
  if (!(size > 0.0) || !(largest > 0.0)) return 0.0;
  const double radius = std::clamp(1.0 + std::log10(size / largest) / 2.0, 0.0, 1.0);
  return value / size * radius;
}

std::string short_number(double value) { return json(round_significant(value, 3)).dump(); }

}  // namespace

void LensRange::add(const LensValue& value) {
  low = std::min(low, value.mean);
  high = std::max(high, value.mean);
  if (!value.interval) return;
  low = std::min(low, value.interval->low);
  high = std::max(high, value.interval->high);
}

json lens_bars_figure(std::string_view description, std::string_view value_title,
                      std::span<const LensBar> bars, const LensRange& range) {
  json rows = json::array();
  for (const LensBar& bar : bars) {
    json row = {{"row", bar.row}, {"change", bar.change}, {"value", shown(bar.value.mean)}};
    if (bar.value.interval) {
      row["low"] = shown(bar.value.interval->low);
      row["high"] = shown(bar.value.interval->high);
    }
    rows.push_back(std::move(row));
  }
  const auto names = distinct(bars, [](const LensBar& bar) { return bar.row; });
  const json shape = change_encoding(bars);
  const json& changes = shape["scale"]["domain"];
  // A height in pixels, since a height in steps cannot be combined with a width that fits the page.
  const std::size_t row_height = 10 * std::max<std::size_t>(1, changes.size()) + 9;
  json spec = lens_specification(description, row_height * std::max<std::size_t>(1, names.size()));
  spec["data"] = {{"name", "bars"}, {"values", rows}};
  spec["encoding"] = json::parse(R"json({
    "y": {"field": "row", "type": "nominal", "title": null, "sort": null,
          "scale": {"paddingInner": 0.25, "paddingOuter": 0.1},
          "axis": {"grid": false, "labelLimit": 170}},
    "yOffset": {"field": "change", "type": "nominal"}
  })json");
  spec["encoding"]["yOffset"]["scale"] = {{"domain", changes}};
  spec["transform"] = json::parse(R"json([
    {"calculate": "isValid(datum.low) ? datum.low + ' to ' + datum.high : 'not known'",
     "as": "interval"}
  ])json");
  json x = {{"field", "value"},
            {"type", "quantitative"},
            {"title", std::string(value_title)},
            {"axis", {{"grid", true}}}};
  x["scale"] = {{"zero", true}, {"nice", false}};
  if (range.low < range.high) x["scale"]["domain"] = {shown(range.low), shown(range.high)};
  const json tooltip =
      tooltip_of({{"row", "what"}, {"change", "change"}, {"value", "value"}, {"interval", "95%"}});
  json bar_layer = {{"mark", {{"type", "bar"}, {"color", pale_color}}},
                    {"encoding", {{"x", x}, {"tooltip", tooltip}}}};
  json rule_layer = {{"mark", {{"type", "rule"}, {"color", ink_color}}}};
  rule_layer["transform"] = json::array({{{"filter", "isValid(datum.low)"}}});
  rule_layer["encoding"] = {{"x", {{"field", "low"}, {"type", "quantitative"}}},
                            {"x2", {{"field", "high"}}}};
  json point_layer = {
      {"mark",
       {{"type", "point"}, {"filled", true}, {"opacity", 1}, {"size", 45}, {"color", ink_color}}},
      {"encoding", {{"x", x}, {"shape", shape}, {"tooltip", tooltip}}}};
  spec["layer"] =
      json::array({std::move(bar_layer), std::move(rule_layer), std::move(point_layer)});
  return spec;
}

json eigenvalues_figure(const LensCircuit& circuit) {
  double largest = 0.0;
  for (const auto& value : circuit.eigenvalues) largest = std::max(largest, std::abs(value));
  json rows = json::array();
  for (const auto& value : circuit.eigenvalues) {
    const std::complex<double> point = on_disk(value, largest);
    rows.push_back({{"x", round_significant(point.real(), 3)},
                    {"y", round_significant(point.imag(), 3)},
                    {"re", shown(value.real())},
                    {"im", shown(value.imag())}});
  }
  json spec = lens_specification("Eigenvalues in the complex plane, the radius logarithmic", 280);
  spec["width"] = 280;
  spec["usermeta"] = {{"square", true}};
  spec["layer"] = json::parse(R"json([
    {"mark": {"type": "point", "filled": false, "strokeWidth": 1, "opacity": 0.6, "tooltip": null,
              "size": {"expr": "pow(datum.radius * width / 1.12, 2)"}},
     "encoding": {}},
    {"data": {"values": [{"x": -1, "x2": 1, "y": 0, "y2": 0}, {"x": 0, "x2": 0, "y": -1, "y2": 1}]},
     "mark": {"type": "rule", "opacity": 0.35, "tooltip": null},
     "encoding": {"x2": {"field": "x2"}, "y2": {"field": "y2"}}},
    {"mark": {"type": "text", "fontSize": 10, "align": "left", "dx": 3, "tooltip": null},
     "encoding": {"text": {"field": "label"}}},
    {"mark": {"type": "point", "filled": true, "size": 30, "opacity": 0.75},
     "encoding": {"tooltip": [{"field": "re", "title": "real"},
                              {"field": "im", "title": "imaginary"}]}}
  ])json");
  for (json& layer : spec["layer"]) layer["mark"]["color"] = muted_color;
  spec["layer"][3]["mark"]["color"] = ink_color;
  json circles = json::array();
  json labels = json::array();
  for (const double radius : {1.0, 0.5}) {
    const double angle = 0.9;  // where the label does not lie on an axis
    circles.push_back({{"x", 0}, {"y", 0}, {"radius", radius}});
    labels.push_back({{"x", radius * std::cos(angle)},
                      {"y", radius * std::sin(angle)},
                      {"label", short_number(largest * std::pow(10.0, 2.0 * radius - 2.0))}});
  }
  spec["layer"][0]["data"] = {{"name", "circles"}, {"values", circles}};
  spec["layer"][2]["data"] = {{"name", "labels"}, {"values", labels}};
  spec["layer"][3]["data"] = {{"name", "eigenvalues"}, {"values", rows}};
  const json axis = {{"type", "quantitative"},
                     {"axis", nullptr},
                     {"scale", {{"domain", {-1.12, 1.12}}, {"nice", false}}}};
  for (const char* channel : {"x", "y"}) {
    spec["encoding"][channel] = axis;
    spec["encoding"][channel]["field"] = channel;
  }
  return spec;
}

json composition_figure(std::span<const LensComposition> pairs) {
  json rows = json::array();
  for (const LensComposition& pair : pairs) {
    for (const auto& [input, score] :
         {std::pair{"Q", pair.q}, std::pair{"K", pair.k}, std::pair{"V", pair.v}}) {
      const double ratio = pair.baseline > 0.0 ? score / pair.baseline : 0.0;
      rows.push_back({{"from", "from " + pair.from.name()},
                      {"to", std::string(input) + " of " + pair.to.name()},
                      {"score", round_significant(score, 3)},
                      {"random", round_significant(pair.baseline, 3)},
                      {"ratio", round_significant(ratio, 3)}});
    }
  }
  const auto writers =
      distinct(pairs, [](const LensComposition& pair) { return pair.from.name(); });
  json spec = lens_specification("Composition scores of pairs of heads",
                                 38 * std::max<std::size_t>(1, writers.size()));
  spec["data"] = {{"name", "scores"}, {"values", rows}};
  spec["encoding"] = json::parse(R"json({
    "x": {"field": "to", "type": "nominal", "sort": null, "title": null,
          "axis": {"labelAngle": 0, "grid": false}},
    "y": {"field": "from", "type": "nominal", "sort": null, "title": null,
          "axis": {"grid": false}}
  })json");
  const auto readers = distinct(pairs, [](const LensComposition& pair) { return pair.to.name(); });
  constexpr std::size_t most_level_labels = 2;  // heads, of three inputs each; on a phone too
  if (readers.size() > most_level_labels) spec["encoding"]["x"]["axis"]["labelAngle"] = -90;
  json cells = json::parse(R"json({
    "mark": {"type": "rect", "strokeWidth": 0.5},
    "encoding": {
      "color": {"field": "ratio", "type": "quantitative", "title": "score / random",
                "scale": {"domain": [0, 1, 2], "clamp": true, "interpolate": "rgb"},
                "legend": {"orient": "bottom", "gradientLength": 160, "values": [0, 1, 2]}}}
  })json");
  cells["mark"]["stroke"] = muted_color;
  cells["encoding"]["color"]["scale"]["range"] = {below_color, paper_color, above_color};
  cells["encoding"]["tooltip"] = tooltip_of(
      {{"from", "written"}, {"to", "read as"}, {"score", "score"}, {"random", "random"}});
  spec["layer"] = json::array({std::move(cells)});
  constexpr std::size_t most_numbers = 60;  // beyond it they would not be readable
  if (rows.size() <= most_numbers) {
    // Black or white, whichever contrasts more with the cell: at least 4.58 to 1 on any color
    // (WCAG), for the page's dark colors too.
    spec["layer"].push_back(json::parse(R"json({
      "mark": {"type": "text", "fontSize": 12, "tooltip": null},
      "encoding": {
        "text": {"field": "score", "format": ".3f"},
        "color": {"condition": {
                    "test": "luminance(scale('color', datum.ratio)) < 0.179", "value": "white"},
                  "value": "black"}}
    })json"));
  }
  return spec;
}

json patching_figure(std::span<const LensPatch> patches, const LensPatching& patching) {
  json rows = json::array();
  std::size_t length = 0;
  std::size_t heads = 0;
  for (const LensPatch& patch : patches) {
    if (patch.by_position.empty()) continue;
    std::string row = patch.head.name();
    if (patch.whole) row += "  (all: " + fixed_decimals(patch.whole->mean, 2) + ")";
    ++heads;
    length = std::max(length, patch.by_position.size());
    for (std::size_t t = 0; t < patch.by_position.size(); ++t) {
      const double restored = patch.by_position[t];
      if (!std::isfinite(restored)) continue;
      // Thousandths: enough for a color, and keeps the page small.
      rows.push_back({{"h", row}, {"t", t}, {"r", std::round(restored * 1000.0) / 1000.0}});
    }
  }
  json spec = lens_specification("What patching one activation restores, by head and position",
                                 24 * std::max<std::size_t>(1, heads));
  json ticks = json::array();
  for (std::size_t t = 0; t < length; t += 8) ticks.push_back(t);
  json x = {{"field", "t"}, {"type", "ordinal"}, {"title", "position"}};
  json positions = json::array();
  for (std::size_t t = 0; t < length; ++t) positions.push_back(t);
  x["scale"] = {{"domain", positions}, {"paddingInner", 0}, {"round", true}};
  x["axis"] = {{"values", ticks}, {"labelAngle", 0}, {"grid", false}};
  json cells = json::parse(R"json({
    "mark": {"type": "rect"},
    "encoding": {
      "y": {"field": "h", "type": "nominal", "sort": null, "title": null,
            "axis": {"grid": false, "labelLimit": 130}},
      "color": {"field": "r", "type": "quantitative", "title": null,
                "scale": {"domain": [-1, 0, 1], "clamp": true, "interpolate": "rgb"},
                "legend": null}}
  })json");
  cells["data"] = {{"name", "restored"}, {"values", rows}};
  cells["encoding"]["color"]["scale"]["range"] = {below_color, paper_color, above_color};
  cells["encoding"]["x"] = x;
  cells["encoding"]["tooltip"] = tooltip_of({{"h", "head"}, {"t", "position"}, {"r", "restored"}});
  json marks = json::parse(R"json({
    "mark": {"type": "text", "text": "\u25BE", "fontSize": 13, "tooltip": null},
    "encoding": {"y": {"value": -5}}
  })json");
  marks["mark"]["color"] = muted_color;
  json marked = json::array({{{"t", patching.changed}}, {{"t", patching.query}}});
  if (patching.changed >= length || patching.query >= length) marked = json::array();
  marks["data"] = {{"name", "marks"}, {"values", marked}};
  marks["encoding"]["x"] = x;
  spec["layer"] = json::array({std::move(cells), std::move(marks)});
  return spec;
}

json positional_figure(const LensPositional& head, const LensRange& range) {
  json rows = json::array();
  for (std::size_t offset = 0; offset < head.by_offset.size(); ++offset) {
    const double score = head.by_offset[offset];
    if (!std::isfinite(score)) continue;
    rows.push_back({{"head", "head " + head.head.name()},
                    {"offset", offset},
                    {"score", round_significant(score, 3)}});
  }
  json spec = lens_specification("Attention scores of positions alone against the offset", 150);
  spec["data"] = {{"name", "offsets"}, {"values", rows}};
  spec["mark"] = {{"type", "line"}, {"strokeWidth", 1.5}, {"color", ink_color}, {"tooltip", true}};
  spec["encoding"] = json::parse(R"json({
    "x": {"field": "offset", "type": "quantitative", "title": "offset (how far back)",
          "scale": {"nice": false}, "axis": {"tickMinStep": 1}},
    "y": {"field": "score", "type": "quantitative", "title": "score"}
  })json");
  if (range.low < range.high) {
    spec["encoding"]["y"]["scale"] = {{"domain", {shown(range.low), shown(range.high)}}};
  }
  return spec;
}

}  // namespace lookback::report
