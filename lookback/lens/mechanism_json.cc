#include "lookback/lens/mechanism_json.h"

#include "lookback/lens/json_parts.h"
#include "lookback/lens/to_json.h"

namespace lookback::lens {
namespace {

using nlohmann::json;

json earlier_json(const EarlierHead& earlier) {
  return {{"head", place_json(earlier.head)},
          {"k_removed", estimate_json(earlier.k_removed)},
          {"q_removed", estimate_json(earlier.q_removed)},
          {"previous_token", estimate_json(earlier.previous_token)},
          {"previous_token_only", estimate_json(earlier.previous_token_only)},
          {"duplicate_token", estimate_json(earlier.duplicate_token)},
          {"duplicate_token_only", estimate_json(earlier.duplicate_token_only)}};
}

json scores_json(const HeadScores& scores) {
  json object = json::object();
  for (const HeadMeasure& measure : head_measures()) {
    object[std::string(measure.name)] = rounded(scores.*measure.value);
  }
  return object;
}

}  // namespace

json mechanism_json(const MechanismResult& result) {
  json object = {{"verdict", name_of(result.verdict)},
                 {"reason", result.reason},
                 {"sequences", result.sequences},
                 {"loss", estimate_json(result.loss)},
                 {"chance", rounded(result.chance)},
                 {"head", place_json(result.head)},
                 {"partner", nullptr}};
  if (!result.learned) return object;
  object["scores"] = scores_json(result.scores);
  object["direct_cost"] = estimate_json(result.direct_cost);
  object["cost"] = estimate_json(result.cost);
  object["stake"] = estimate_json(result.stake);
  object["band"] = estimate_json(result.band);
  object["matching"] = estimate_json(result.matching);
  object["unsmeared"] = result.unsmeared ? estimate_json(*result.unsmeared) : json(nullptr);
  object["earlier"] = json::array();
  for (const EarlierHead& earlier : result.earlier) {
    object["earlier"].push_back(earlier_json(earlier));
  }
  if (result.partner) object["partner"] = place_json(result.partner->head);
  return object;
}

}  // namespace lookback::lens
