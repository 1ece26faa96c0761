// A run's directory as everything reads it: through its manifest.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/study/manifest.h"
#include "lookback/study/run_config.h"

namespace lookback::study {

/// The contents of a JSON file of a run. Errors: it is not listed, cannot be read, is not as it was
/// written, is not a JSON object, or has an impossible number (possible_values.h).
Result<nlohmann::json> read_result(const std::filesystem::path& directory, const Manifest& manifest,
                                   const std::string& name);

/// The manifest is read once, and each file is checked against it when it is read.
class OpenedRun {
 public:
  /// A directory without a manifest is that of a run that has not ended. Errors: the manifest
  /// cannot be read, was changed, or is missing beside a findings.json; if the run has ended,
  /// config.toml was changed, or describes another run than the manifest.
  static Result<OpenedRun> open(const std::filesystem::path& directory);

  const Manifest& manifest() const { return manifest_; }
  bool lists(const std::string& name) const { return manifest_.lists(name); }

  /// Whether the manifest lists findings.json.
  bool has_ended() const;

  /// The same, and the run is as long as `config` asks: one with fewer tokens has not reached its
  /// end (longer_run.h). Error: it is another run than `config`.
  Result<bool> has_ended_as(const RunConfig& config) const;

  /// Error: the file is not as it was written.
  Status check(const std::string& name) const;

  /// The same for a file that the manifest lists; null if it does not.
  Result<nlohmann::json> read(const std::string& name) const;

  /// The lines of metrics.jsonl of a run that has ended as `config`. Errors: as above.
  Result<std::vector<nlohmann::json>> read_metrics(const RunConfig& config) const;

 private:
  OpenedRun(std::filesystem::path directory, Manifest manifest)
      : directory_(std::move(directory)), manifest_(std::move(manifest)) {}
  Status check_owner() const;

  std::filesystem::path directory_;
  Manifest manifest_;
};

}  // namespace lookback::study
