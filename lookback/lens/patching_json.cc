#include "lookback/lens/patching_json.h"

#include "lookback/lens/json_parts.h"
#include "lookback/lens/to_json.h"

namespace lookback::lens {
namespace {

using nlohmann::json;

json head_json(const HeadPatch& patch) {
  json means = json::array();
  json errors = json::array();
  json intervals = json::array();
  for (const Estimate& restored : patch.by_position) {
    means.push_back(rounded(restored.mean));
    errors.push_back(rounded(restored.standard_error));
    intervals.push_back(interval_json(restored));
  }
  return {{"head", place_json(patch.head)},      {"activation", name_of(patch.activation)},
          {"whole", estimate_json(patch.whole)}, {"by_position", means},
          {"standard_errors", errors},           {"intervals", intervals}};
}

json path_json(const PathPatch& patch) {
  return {{"from", name_of(patch.from)},
          {"to", place_json(patch.to)},
          {"input", patch.to ? json(name_of(patch.input)) : json(nullptr)},
          {"restored", estimate_json(patch.restored)}};
}

}  // namespace

json patching_json(const Patching& result) {
  json object = {{"corruption", name_of(result.corruption)},
                 {"sequences", result.sequences},
                 {"length", result.length},
                 {"changed", result.changed},
                 {"query", result.query},
                 {"clean", estimate_json(result.clean)},
                 {"corrupted", estimate_json(result.corrupted)},
                 {"heads", json::array()},
                 {"paths", json::array()},
                 {"skipped", result.skipped}};
  for (const HeadPatch& patch : result.heads) object["heads"].push_back(head_json(patch));
  for (const PathPatch& patch : result.paths) object["paths"].push_back(path_json(patch));
  return object;
}

}  // namespace lookback::lens
