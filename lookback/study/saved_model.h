// A model from a checkpoint, ready to run.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/model/program.h"
#include "lookback/study/run_config.h"
#include "lookback/train/checkpoint.h"

namespace lookback::study {

struct SavedModel {
  train::CheckpointHeader header;
  RunConfig config;  ///< header.config, read
  model::Program program;
  std::vector<float> parameters;  ///< the program's flat buffer
};

/// Reads the model of a checkpoint file, without the optimizer's state. Errors, in one line with
/// the file's name: what Checkpoint::read refuses, an invalid configuration, tensors that do not
/// fit it, and a file among the checkpoints of a run that belongs to another run, was saved after
/// other tokens than its name says, or differs from the manifest of a run that has ended. If the
/// run has an earlier intact checkpoint, the error names it.
Result<SavedModel> read_model(const std::filesystem::path& checkpoint);

/// Whether a file is intact and the checkpoint of this run that its name says, which may have been
/// written when the run was planned to be shorter. Error: it is not, or cannot be read now.
Status check_checkpoint(const std::filesystem::path& file, const RunConfig& of_run);

/// A model, and where it was found.
struct FoundModel {
  std::filesystem::path file;
  SavedModel model;
  std::vector<std::string> passed_over;  ///< a line for each newer checkpoint that is not finite
};

/// The model that a path means: that of a checkpoint file or, for a run's directory, that of its
/// newest finite checkpoint. Errors: those of find_checkpoint and of read_model.
Result<FoundModel> find_model(const std::filesystem::path& path);

/// The checkpoint that a path means: the file itself or, for a run's directory, the one with the
/// most tokens in its checkpoints/, and if the run has ended, among those that its manifest lists.
/// Errors: nothing there, a directory without one, and those of OpenedRun::open.
Result<std::filesystem::path> find_checkpoint(const std::filesystem::path& path);

}  // namespace lookback::study
