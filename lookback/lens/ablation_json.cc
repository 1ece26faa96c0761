#include "lookback/lens/ablation_json.h"

#include "lookback/lens/json_parts.h"
#include "lookback/lens/to_json.h"

namespace lookback::lens {
namespace {

using nlohmann::json;

json one_json(const PathAblation& a) {
  return {{"from", name_of(a.from)},
          {"to", place_json(a.to)},
          {"input", name_of(a.input)},
          {"replacement", name_of(a.replacement)},
          {"rise", estimate_json(a.rise)}};
}

json one_json(const LogitsAblation& a) {
  return {{"from", name_of(a.from)},
          {"replacement", name_of(a.replacement)},
          {"rise", estimate_json(a.rise)}};
}

json one_json(const HeadAblation& a) {
  return {{"head", place_json(a.head)},
          {"replacement", name_of(a.replacement)},
          {"rise", estimate_json(a.rise)}};
}

json one_json(const PatternAblation& a) {
  return {{"head", place_json(a.head)},
          {"replacement", name_of(a.replacement)},
          {"rise", estimate_json(a.rise)}};
}

json one_json(const ValueAblation& a) {
  return {{"head", place_json(a.head)},
          {"rise", estimate_json(a.rise)},
          {"perplexity_ratio", rounded(a.perplexity_ratio)}};
}

json one_json(const NormAblation& a) {
  const bool frozen = a.change == NormAblation::Change::frozen;
  return {{"norm", a.norm ? json(*a.norm) : json(nullptr)},
          {"change", frozen ? "frozen" : "removed"},
          {"rise", estimate_json(a.rise)}};
}

template <class Ablation>
json list_json(const std::vector<Ablation>& ablations) {
  json list = json::array();
  for (const Ablation& ablation : ablations) list.push_back(one_json(ablation));
  return list;
}

}  // namespace

json ablation_json(const Ablations& result) {
  return {{"sequences", result.sequences},      {"baseline", estimate_json(result.baseline)},
          {"paths", list_json(result.paths)},   {"logits", list_json(result.logits)},
          {"heads", list_json(result.heads)},   {"patterns", list_json(result.patterns)},
          {"values", list_json(result.values)}, {"norms", list_json(result.norms)},
          {"skipped", result.skipped}};
}

}  // namespace lookback::lens
