// metrics.jsonl: one JSON object a line, appended at each evaluation, a pure function of the run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "lookback/base/result.h"

namespace lookback::study {

/// Whether a value has what findings (findings.h) are made from; the rest is for other readers.
bool is_metrics_line(const nlohmann::json& line);

/// The lines of a run up to `last_step`, in order. A torn last line, which a killed run may leave,
/// is passed over; anything else malformed, or a step that is not above the one before, is an error
/// that names the line. No file: no lines.
Result<std::vector<nlohmann::json>> read_metrics(const std::filesystem::path& file,
                                                 std::uint64_t last_step);

/// Replaces the file by these lines: what a resumed run goes on from.
Status write_metrics(const std::filesystem::path& file, const std::vector<nlohmann::json>& lines);

/// Appends one line and syncs it, so that a checkpoint written later never knows more than it.
Status append_metrics(const std::filesystem::path& file, const nlohmann::json& line);

}  // namespace lookback::study
