#include "lookback/lens/to_json.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "lookback/lens/json_parts.h"

namespace lookback::lens {
namespace {

using nlohmann::json;

json head_json(const HeadSummary& head) {
  json object = place_json(head.place);
  for (const HeadMeasure& measure : head_measures()) {
    object[std::string(measure.name)] = rounded(head.mean.*measure.value);
  }
  return object;
}

}  // namespace

json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  std::array<char, 32> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value,
                                     std::chars_format::scientific, 6);
  double result = value;
  std::from_chars(text.data(), written.ptr, result);
  return result;
}

json probe_json(const ProbeResult& result) {
  json object = json::object();
  for (const LossMeasure& measure : loss_measures()) {
    object[measure.name] = rounded(result.mean.*measure.value);
  }
  const auto& compared = result.in_context_positions;
  object["in_context_positions"] =
      compared ? json::array({compared->early, compared->late}) : json(nullptr);
  object["loss_by_position"] = rounded_list(result.loss_by_position);
  object["loss_by_occurrence"] = rounded_list(result.loss_by_occurrence);
  object["heads"] = json::array();
  for (const HeadSummary& head : result.heads) object["heads"].push_back(head_json(head));
  object["head_similarity"] = json::array();
  for (const auto& row : result.head_similarity) {
    object["head_similarity"].push_back(rounded_list(row));
  }
  return object;
}

json predictors_json(std::span<const PredictorScore> predictors) {
  json list = json::array();
  for (const PredictorScore& predictor : predictors) {
    list.push_back({{"name", predictor.name},
                    {"ideal", predictor.is_ideal},
                    {"loss", rounded(predictor.mean.loss)},
                    {"second_half_loss", rounded(predictor.mean.second_half_loss)},
                    {"kl", rounded(predictor.divergence.mean)}});
  }
  return list;
}

json composition_json(const Composition& result) {
  json list = json::array();
  for (const HeadComposition& pair : result.pairs) {
    list.push_back({{"from", place_json(pair.from)},
                    {"to", place_json(pair.to)},
                    {"q", rounded(pair.q)},
                    {"k", rounded(pair.k)},
                    {"v", rounded(pair.v)},
                    {"baseline", rounded(result.baseline.mean)}});
  }
  return list;
}

}  // namespace lookback::lens
