// metrics.jsonl as a report reads it: of a run that may be at work, or was killed.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "lookback/base/result.h"

namespace lookback::report {

/// The lines in order of their tokens; a torn last line is left out with a note. Errors, which name
/// the file and the line: it cannot be read; a line that is no JSON, or without "tokens", or with
/// fewer than the line before.
Result<std::vector<nlohmann::json>> read_metrics_lines(const std::filesystem::path& path,
                                                       std::vector<std::string>& notes);

}  // namespace lookback::report
