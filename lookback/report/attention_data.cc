#include "lookback/report/attention_data.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "lookback/report/json_access.h"
#include "lookback/report/series.h"

namespace lookback::report {
namespace {

using nlohmann::json;

json number_or_null(const std::optional<double>& value) {
  return value ? json(round_significant(*value, 4)) : json(nullptr);
}

json heads_data(const Run& run, const EncodedCheckpoint& checkpoint) {
  json heads = json::array();
  for (const EncodedMap& map : checkpoint.maps) {
    const HeadScores scores = head_scores(run, checkpoint.tokens, map.layer, map.head);
    heads.push_back({{"layer", map.layer},
                     {"head", map.head},
                     {"label", map.label},
                     {"induction", number_or_null(scores.induction)},
                     {"previous", number_or_null(scores.previous_token)},
                     {"map", map.text}});
  }
  return heads;
}

}  // namespace

json attention_data(const StudyReport& study) {
  json data = json::array();
  for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
    for (const Run& run : study.arms[arm].runs) {
      json checkpoints = json::array();
      for (const auto& checkpoint : run.checkpoints) {
        if (checkpoint->maps.empty()) continue;
        checkpoints.push_back(
            {{"tokens", checkpoint->tokens}, {"heads", heads_data(run, *checkpoint)}});
      }
      if (checkpoints.empty()) continue;
      data.push_back({{"arm", arm}, {"seed", run.seed}, {"checkpoints", std::move(checkpoints)}});
    }
  }
  return data;
}

}  // namespace lookback::report
