#include "lookback/report/figure_parts.h"

#include <nlohmann/json.hpp>
#include <string>

namespace lookback::report {

using nlohmann::json;

json text_json(std::string_view text) { return std::string(text); }

void encode_predictors(json& encoding, std::span<const std::string> predictors) {
  json domain = json::array();
  json dashes = json::array();
  for (std::size_t i = 0; i < predictors.size(); ++i) {
    const std::size_t more = predictors.size() - 1 - i;  // that know more
    domain.push_back(predictors[i]);
    dashes.push_back(more == 0 ? json::array({1, 0}) : json::array({9 / more, 2 + more}));
  }
  encoding["color"] = {{"value", ink_color}};
  encoding["strokeDash"] = {
      {"field", "arm"},
      {"type", "nominal"},
      {"title", nullptr},
      {"scale", {{"domain", domain}, {"range", dashes}}},
      {"legend", {{"orient", "bottom"}, {"symbolType", "stroke"}, {"symbolSize", 900}}}};
}

json figure_specification(std::string_view description) {
  return {{"$schema", "https://vega.github.io/schema/vega-lite/v5.json"},
          {"description", text_json(description)},
          {"width", 640},
          {"height", 300},
          {"autosize", {{"type", "fit-x"}, {"contains", "padding"}}}};
}

json run_tooltip(const json& place, std::string_view value_title) {
  return json::array({{{"field", "arm"}, {"title", "arm"}},
                      {{"field", "seed"}, {"title", "seed"}},
                      place,
                      {{"field", "value"}, {"title", text_json(value_title)}, {"format", ".4~r"}}});
}

json checkpoint_parameter(std::size_t last) {
  return {{"name", "checkpoint"},
          {"value", last},
          {"bind", {{"input", "range"}, {"min", 0}, {"max", last}, {"step", 1}}}};
}

}  // namespace lookback::report
