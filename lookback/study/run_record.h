// What one run left behind, as claims read it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/study/run_config.h"

namespace lookback::study {

struct RunRecord {
  std::string arm;
  std::uint64_t seed = 0;
  nlohmann::json findings;  ///< findings.json without its last line of metrics
  std::vector<nlohmann::json>
      metrics;  ///< metrics.jsonl without its losses by position, a line each
  /// mechanism, ablation, composition, and the circuits `direct` and `composed` without lists, from
  /// inspection.json; or null if there is none.
  nlohmann::json inspection = nullptr;
  nlohmann::json evaluation = nullptr;  ///< evaluation.json, or null where there is none
  std::set<std::string> engines = {};   ///< that gave its bits
};

/// The record in the directory of the run of `config` (which includes the seed); none if that has
/// not ended, or ended with fewer tokens. Errors: a file of it is missing, was changed, or cannot
/// be read.
Result<std::optional<RunRecord>> read_run_record(const std::filesystem::path& directory,
                                                 const RunConfig& config);

}  // namespace lookback::study
