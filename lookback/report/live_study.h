// The page's data of a running study, for a server.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/report/page_parts.h"
#include "lookback/report/study_loader.h"

namespace lookback::report {

/// Reads a study's directory whenever it is called. Files whose size and modification time are
/// unchanged are not read again, and a checkpoint that was read and encoded is kept. Not for use by
/// two threads at once.
class LiveStudy {
 public:
  /// Versions begin above `last_version`. A page that outlives its server only requests parts whose
  /// version changed, so versions must differ between starts, as milliseconds since the epoch do.
  /// REQUIRES it to be far below 2^53, because the page's numbers are doubles.
  LiveStudy(std::filesystem::path directory, StudyReaders readers, std::uint64_t last_version,
            CheckpointLimits limits = {});

  /// The parts as the directory is now: "study" (study_data.h), "attention" (attention_data.h),
  /// "lens" (lens_data.h) and "frames" (frames_data.h), each with the version of its text; none
  /// while there is no study.toml. If a file cannot be read (because it is being written, for
  /// example), what was read of it before is kept, with a note in the study's part, and it is read
  /// again the next time. Errors: those of study.toml, and what lens_data refuses; the next call
  /// tries again.
  Result<PageParts> refresh();

 private:
  void set(const std::string& name, const nlohmann::json& data);

  StudyLoader loader_;
  PageParts parts_;
  std::uint64_t last_version_;  // of any part, so that a study that comes back is a newer one
  std::vector<std::string> lens_notes_;
  StudyChanges due_;  // not in parts_ yet
};

}  // namespace lookback::report
