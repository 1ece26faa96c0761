#include "lookback/study/longer_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "lookback/base/result.h"
#include "lookback/base/toml_document.h"

namespace lookback::study {

std::string difference_text(const std::string& found, const std::string& asked) {
  const Result<base::Document> there = base::parse_toml(found, "");
  const Result<base::Document> wanted = base::parse_toml(asked, "");
  if (!there || !wanted) return "";
  const auto differs = base::first_difference(there->root, wanted->root);
  if (!differs) return "";
  return fmt::format(" ({}: found {}, asked {})", differs->key, differs->a, differs->b);
}

bool is_longer(const RunConfig& asked, const RunConfig& found) {
  if (asked.train.decay != train::Decay::constant) return false;
  if (asked.train.tokens <= found.train.tokens) return false;
  RunConfig shorter = asked;
  shorter.train.tokens = found.train.tokens;
  shorter.evaluate.inspect = found.evaluate.inspect;  // no part of a run
  // A clamp that was to hold to the end holds to the later one.
  for (std::size_t i = 0; i < std::min(asked.clamps.size(), found.clamps.size()); ++i) {
    const bool to_the_end =
        asked.clamps[i].end == asked.train.tokens && found.clamps[i].end == found.train.tokens;
    if (to_the_end) shorter.clamps[i].end = found.clamps[i].end;
  }
  return shorter == found;
}

bool leads_to(const std::string& checkpoint, const RunConfig& config) {
  if (checkpoint == to_toml(config)) return true;
  const Result<RunConfig> found = parse_run_config(checkpoint, "");
  return found && is_longer(config, *found);
}

}  // namespace lookback::study
