#include "lookback/lens/json_parts.h"

#include "lookback/lens/to_json.h"

namespace lookback::lens {

nlohmann::json estimate_json(const Estimate& estimate) {
  return {{"mean", rounded(estimate.mean)},
          {"standard_error", rounded(estimate.standard_error)},
          {"interval", interval_json(estimate)}};
}

nlohmann::json interval_json(const Estimate& estimate) {
  return nlohmann::json::array({rounded(estimate.lower()), rounded(estimate.upper())});
}

nlohmann::json place_json(const std::optional<HeadPlace>& place) {
  if (!place) return nullptr;
  return {{"layer", place->layer}, {"head", place->head}};
}

nlohmann::json rounded_list(std::span<const double> values) {
  nlohmann::json list = nlohmann::json::array();
  for (const double value : values) list.push_back(rounded(value));
  return list;
}

}  // namespace lookback::lens
