// The files of one run's directory, read again when they change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lookback/report/file_stamp.h"
#include "lookback/report/study_report.h"
#include "lookback/study/manifest.h"
#include "lookback/study/run_config.h"
#include "lookback/study/run_manifest.h"

namespace lookback::report {

/// What has changed since the last reading.
struct RunChanges {
  bool results = false;  ///< metrics, findings, timing
  bool lens = false;     ///< the inspection
};

class RunFiles {
 public:
  /// `parameters` are those of the model.
  RunFiles(std::filesystem::path folder, study::RunConfig config, std::size_t parameters);

  const std::filesystem::path& folder() const { return folder_; }

  /// Checks the files and brings `run` up to date: its metrics, summary and lens. For a faulty
  /// file, what was read of it before is kept; it is named by faults(), and read again the next
  /// time.
  RunChanges refresh(Run& run);

  /// What was wrong at the last reading, one line each; and what was skipped.
  std::vector<std::string> faults() const;
  std::vector<std::string> notes() const;
  /// Those of the notes that are about files that could not be read.
  std::vector<std::string> unread() const;

  /// What trained the run, as of the last look.
  std::set<std::string> engines() const {
    return manifest_ ? study::engines_of(*manifest_) : std::set<std::string>();
  }

  /// Threads of the last session, from timing.json; 0 if it does not say.
  std::uint64_t threads() const { return threads_; }

 private:
  /// One file, or a few that are read together.
  struct Watched {
    std::vector<FileStamp> stamps;
    std::string fault;
    std::vector<std::string> notes;
    /// Whether the stamps differ, or the last reading failed; fault and notes are then cleared.
    bool changed(std::vector<FileStamp> now);
  };

  bool read_manifest();
  bool is_listed(const std::string& name, std::string& fault) const;
  bool read_metrics(Run& run);
  bool read_findings();
  bool read_timing();
  bool read_lens(Run& run);
  std::string status_now() const;
  nlohmann::json summary_now(const Run& run) const;
  nlohmann::json findings_so_far(const Run& run) const;

  std::filesystem::path folder_;
  study::RunConfig config_;
  std::size_t parameters_;
  Watched manifest_file_, metrics_, findings_, timing_, lens_;
  std::optional<study::Manifest> manifest_;
  nlohmann::json found_;              // findings.json without its last line of metrics, or null
  nlohmann::json tokens_per_second_;  // or null
  std::uint64_t threads_ = 0;
};

}  // namespace lookback::report
