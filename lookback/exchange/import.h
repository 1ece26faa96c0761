// Reads a model that another program wrote: a directory with config.json and model.safetensors.
#pragma once

#include <filesystem>

#include "lookback/base/result.h"
#include "lookback/model/architecture.h"
#include "lookback/study/saved_model.h"

namespace lookback::exchange {

/// A GPT2LMHeadModel of Hugging Face, or a HookedTransformer as write_export() writes it. What
/// lookback exported comes back unchanged, including its configuration; any other model gets a new
/// configuration (import_config) and biases, which those programs' models always have. Errors, one
/// line each: a directory of another kind, weights only in shards or pickled files, a configuration
/// that lookback cannot express, tensors that do not fit it.
Result<study::SavedModel> import_model(const std::filesystem::path& directory);

/// The run of an imported model: fitted_config (study/fitted_config.h) with sequences of at most 256
/// tokens.
study::RunConfig import_config(const model::Architecture& architecture);

}  // namespace lookback::exchange
