#include "lookback/cli/watch_study.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include "lookback/base/control.h"
#include "lookback/cli/read_checkpoint.h"
#include "lookback/report/checkpoint_contents.h"
#include "lookback/report/live_study.h"
#include "lookback/report/load_study.h"
#include "lookback/report/study_report.h"

namespace lookback::cli {
namespace {

/// Since the epoch: about 2^41.
std::uint64_t milliseconds_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

}  // namespace

report::Refresh watch_study(const std::filesystem::path& directory, std::stop_token stop) {
  report::StudyReaders readers = study_readers();
  // Reading checkpoints is nearly all the work.
  readers.checkpoint =
      [read = std::move(readers.checkpoint), stop = std::move(stop)](
          const std::filesystem::path& file,
          const report::HeldOutSequence& sequence) -> Result<report::CheckpointContents> {
    if (stop.stop_requested()) return base::stopped();
    return read(file, sequence);
  };
  const auto study =
      std::make_shared<report::LiveStudy>(directory, std::move(readers), milliseconds_now());
  return [study] { return study->refresh(); };
}

}  // namespace lookback::cli
