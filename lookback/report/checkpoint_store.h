// The checkpoints of a study: found, chosen, read once, and kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lookback/report/checkpoint_choice.h"
#include "lookback/report/file_stamp.h"
#include "lookback/report/load_study.h"
#include "lookback/report/study_report.h"

namespace lookback::report {

/// A run whose checkpoints are to be shown, in `folder`/checkpoints.
struct CheckpointPlace {
  std::size_t arm = 0;
  std::uint64_t seed = 0;
  std::filesystem::path folder;
};

/// A checkpoint that was read.
struct KeptCheckpoint {
  FileStamp stamp;
  std::shared_ptr<const EncodedCheckpoint> encoded;  ///< null: `fault` says why
  std::string fault;
};

/// The checkpoints that a page shows.
struct ShownCheckpoints {
  /// Of each run, ascending by tokens.
  std::vector<std::vector<std::shared_ptr<const EncodedCheckpoint>>> of_run;
  std::vector<std::size_t> circuits_left_out;  ///< of each arm: of its model, at each checkpoint
  std::vector<std::string> notes;              ///< what could not be read or was left out
  std::vector<std::string> unread;             ///< what could not be read
};

class CheckpointStore {
 public:
  CheckpointStore(CheckpointReader reader, CheckpointLimits limits)
      : reader_(std::move(reader)), limits_(limits) {}

  /// Chooses checkpoints, and reads those chosen that were not read before or have changed since.
  /// `arms` is the number of arms; places have arms below it.
  ShownCheckpoints show(const std::vector<CheckpointPlace>& places, std::size_t arms,
                        const HeldOutSequence& sequence);

  const CheckpointLimits& limits() const { return limits_; }

  /// Forgets everything that was read, to be used with another sequence.
  void clear() { kept_.clear(); }

 private:
  const KeptCheckpoint& get(const std::filesystem::path& path, std::uint64_t tokens,
                            const HeldOutSequence& sequence);

  CheckpointReader reader_;
  CheckpointLimits limits_;
  std::map<std::filesystem::path, KeptCheckpoint> kept_;
};

}  // namespace lookback::report
