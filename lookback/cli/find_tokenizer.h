// The tokenizer that a model was trained with.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "lookback/base/result.h"
#include "lookback/language/tokenizer.h"
#include "lookback/study/saved_model.h"

namespace lookback::cli {

/// The tokenizer of `asked` (a file or directory, as read_tokenizer takes them) or, if that is
/// empty, the tokenizer.json beside a run's checkpoints; nothing if there is none. Errors: those of
/// read_tokenizer; a tokenizer whose checksum is not the one that the checkpoint names or, if it
/// names none, that of the run's own tokenizer.json; one with more tokens than the model's
/// vocabulary.
Result<std::optional<language::Tokenizer>> find_any_tokenizer(
    const std::string& asked, const std::filesystem::path& checkpoint,
    const study::SavedModel& model);

/// The same if there must be one. Errors: also none to be found.
Result<language::Tokenizer> find_tokenizer(const std::string& asked,
                                           const std::filesystem::path& checkpoint,
                                           const study::SavedModel& model);

}  // namespace lookback::cli
