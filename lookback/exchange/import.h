// Reads a model that another program wrote: a directory with config.json and model.safetensors.
#pragma once

#include <filesystem>

#include "lookback/base/result.h"
#include "lookback/model/architecture.h"
#include "lookback/study/saved_model.h"

namespace lookback::exchange {

/// A GPT2LMHeadModel of Hugging Face, or a HookedTransformer as write_export() writes it. What
/// lookback exported comes back as it was, configuration included; any other has a configuration of
/// its own (import_config) and biases, as those programs' models always have.
/// Errors, one line each: a directory of another kind, weights in shards or in pickled files only,
/// a configuration that lookback cannot express, tensors that do not fit it.
Result<study::SavedModel> import_model(const std::filesystem::path& directory);

/// The run of an imported model: fitted_config (study/fitted_config.h) with sequences of at most 256
/// tokens.
study::RunConfig import_config(const model::Architecture& architecture);

}  // namespace lookback::exchange
