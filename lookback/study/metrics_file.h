// metrics.jsonl: one JSON object per line, appended at each evaluation, a pure function of the run.
//
// Each line begins with a checksum of itself, of the line before it and of the run's identity
// (run_manifest.h), so a line that was changed, removed, moved or brought from another run is
// detected even while the file grows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"

namespace lookback::study {

/// The largest file that is written or read, in bytes.
inline constexpr std::size_t largest_metrics = std::size_t{1} << 30U;

/// The measures of a line on the probe that it is judged by; null where it names none that it has.
const nlohmann::json* main_probe_of(const nlohmann::json& line);

/// The same on the probe of that name; empty: on the main one.
const nlohmann::json* probe_of(const nlohmann::json& line, std::string_view name);

/// What is wrong with a line, without its checksum, as one that findings (findings.h) are made from and
/// pages are drawn from: a part that is missing, or a value that cannot be (a score above 1, a loss
/// below 0). Empty where nothing is.
std::string fault_of_metrics(const nlohmann::json& line);

/// The readable part of a file.
struct MetricsLines {
  std::vector<nlohmann::json> lines;  ///< whole and of this run, in order, without checksums
  bool torn = false;  ///< a last line without its end, which a kill may leave, follows
  std::string fault;  ///< of the line after these, with file and number; empty where there is none
};

/// The lines before the first that is not as it was written; none if there is no file. Errors: it
/// cannot be read.
Result<MetricsLines> read_whole_metrics(const std::filesystem::path& file,
                                        const std::string& identity);

/// The lines of a run up to `last_step`, without an incomplete last one. Errors: as above, and a
/// fault.
Result<std::vector<nlohmann::json>> read_metrics(const std::filesystem::path& file,
                                                 const std::string& identity,
                                                 std::uint64_t last_step = UINT64_MAX);

/// Writes the file of one run, of at most `max_bytes`: a line beyond that is an error.
class MetricsWriter {
 public:
  MetricsWriter(std::filesystem::path file, std::string identity,
                std::size_t max_bytes = largest_metrics);

  /// Replaces the file by these lines, from which a run continues.
  Status begin(const std::vector<nlohmann::json>& lines);
  /// Appends a line and syncs it, so that a checkpoint written later is never ahead of the file.
  Status append(const nlohmann::json& line);

 private:
  std::filesystem::path file_;
  std::string identity_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::string last_;  // checksum of the last line; of the first, the identity
};

}  // namespace lookback::study
