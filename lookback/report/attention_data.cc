#include "lookback/report/attention_data.h"

#include <algorithm>
#include <map>
#include <set>

#include "lookback/report/attention_encoding.h"
#include "lookback/report/json_access.h"
#include "lookback/report/series.h"

namespace lookback::report {
namespace {

using nlohmann::json;

json number_or_null(const std::optional<double>& value) {
  return value ? json(round_significant(*value, 4)) : json(nullptr);
}

struct EncodedCheckpoint {
  std::size_t arm = 0;
  std::uint64_t seed = 0;
  std::uint64_t tokens = 0;
  std::size_t bytes = 0;
  json heads;
};

Result<EncodedCheckpoint> encode_checkpoint(const Run& run, const CheckpointMaps& maps,
                                            std::size_t arm, std::size_t length) {
  EncodedCheckpoint encoded{arm, run.seed, maps.tokens, 0, json::array()};
  for (const AttentionMap& map : maps.heads) {
    Result<std::string> text = encode_attention(map.weights, length);
    if (!text) return Error{map.label + ": " + text.error().message};
    encoded.bytes += text->size();
    const HeadScores scores = head_scores(run, maps.tokens, map.layer, map.head);
    encoded.heads.push_back({{"layer", map.layer},
                             {"head", map.head},
                             {"label", map.label},
                             {"induction", number_or_null(scores.induction)},
                             {"previous", number_or_null(scores.previous_token)},
                             {"map", std::move(*text)}});
  }
  return encoded;
}

Result<std::vector<EncodedCheckpoint>> encode_study(const StudyReport& study) {
  std::vector<EncodedCheckpoint> all;
  for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
    for (const Run& run : study.arms[arm].runs) {
      for (const CheckpointMaps& maps : run.attention) {
        Result<EncodedCheckpoint> one =
            encode_checkpoint(run, maps, arm, study.sequence.tokens.size());
        if (!one) return Error{"arm '" + study.arms[arm].name + "': " + one.error().message};
        all.push_back(std::move(*one));
      }
    }
  }
  return all;
}

/// Which checkpoints and seeds fit.
class Selection {
 public:
  Selection(const std::vector<EncodedCheckpoint>& all, std::size_t max_bytes) {
    for (const EncodedCheckpoint& one : all) {
      tokens_.insert(one.tokens);
      seeds_.insert(one.seed);
    }
    while (bytes_of(all) > max_bytes) {
      if (tokens_.size() > fewest_checkpoints) {
        drop_every_other_checkpoint();
      } else if (seeds_.size() > 1) {
        seeds_.erase(std::prev(seeds_.end()));
      } else {
        break;
      }
    }
  }

  bool has(const EncodedCheckpoint& one) const {
    return tokens_.contains(one.tokens) && seeds_.contains(one.seed);
  }

 private:
  static constexpr std::size_t fewest_checkpoints = 8;

  std::size_t bytes_of(const std::vector<EncodedCheckpoint>& all) const {
    std::size_t bytes = 0;
    for (const EncodedCheckpoint& one : all) bytes += has(one) ? one.bytes : 0;
    return bytes;
  }

  /// Counted from the end: the last checkpoint, which readers want most, always stays.
  void drop_every_other_checkpoint() {
    std::set<std::uint64_t> kept;
    bool keep = true;
    for (auto tokens = tokens_.rbegin(); tokens != tokens_.rend(); ++tokens, keep = !keep) {
      if (keep) kept.insert(*tokens);
    }
    tokens_ = std::move(kept);
  }

  std::set<std::uint64_t> tokens_;
  std::set<std::uint64_t> seeds_;
};

}  // namespace

Result<json> attention_data(const StudyReport& study, std::size_t max_bytes,
                            std::vector<std::string>& notes) {
  Result<std::vector<EncodedCheckpoint>> all = encode_study(study);
  if (!all) return all.error();
  const Selection selection(*all, max_bytes);

  std::map<std::pair<std::size_t, std::uint64_t>, json> runs;
  std::size_t left_out = 0;
  for (EncodedCheckpoint& one : *all) {
    if (!selection.has(one)) {
      ++left_out;
      continue;
    }
    json& checkpoints = runs[{one.arm, one.seed}];
    checkpoints.push_back({{"tokens", one.tokens}, {"heads", std::move(one.heads)}});
  }
  if (left_out > 0) {
    notes.push_back("attention maps of " + std::to_string(left_out) + " of " +
                    std::to_string(all->size()) +
                    " checkpoints were left out to keep this page small");
  }
  json data = json::array();
  for (auto& [key, checkpoints] : runs) {
    data.push_back(
        {{"arm", key.first}, {"seed", key.second}, {"checkpoints", std::move(checkpoints)}});
  }
  return data;
}

}  // namespace lookback::report
