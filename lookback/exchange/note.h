// What an export says about the run that its model comes from, in the metadata of
// model.safetensors: with it, an import restores the same checkpoint (without the optimizer's
// buffers).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "lookback/base/result.h"
#include "lookback/train/checkpoint.h"

namespace lookback::exchange {

/// "format" = "pt", which transformers requires, and the header under names that begin with
/// "lookback_".
std::map<std::string, std::string> note_of(const train::CheckpointHeader& header);

/// The header, if there is one. Errors: a part of it is missing or not a number.
Result<std::optional<train::CheckpointHeader>> read_note(
    const std::map<std::string, std::string>& metadata, const std::string& file_name);

}  // namespace lookback::exchange
