// What an export says of the run that its model comes from, in the metadata of model.safetensors:
// with it, an import gives back the same checkpoint (without the optimizer's moments).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "lookback/base/result.h"
#include "lookback/train/checkpoint.h"

namespace lookback::exchange {

/// "format" = "pt", which transformers asks for, and the header under names that begin "lookback_".
std::map<std::string, std::string> note_of(const train::CheckpointHeader& header);

/// The header, if there is one. Errors: a part of it is missing or no number.
Result<std::optional<train::CheckpointHeader>> read_note(
    const std::map<std::string, std::string>& metadata, const std::string& file_name);

}  // namespace lookback::exchange
