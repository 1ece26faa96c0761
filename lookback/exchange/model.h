// A model with everything that says where it comes from: what a checkpoint holds, without the
// optimizer's moments.
#pragma once

#include <filesystem>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/model/program.h"
#include "lookback/study/run_config.h"
#include "lookback/train/checkpoint.h"

namespace lookback::exchange {

struct Model {
  train::CheckpointHeader header;
  study::RunConfig config;  ///< header.config, read
  model::Program program;
  std::vector<float> parameters;  ///< the flat buffer
};

/// Errors: not a whole checkpoint, a configuration that is refused, tensors that do not fit it.
Result<Model> read_model(const std::filesystem::path& checkpoint);

}  // namespace lookback::exchange
