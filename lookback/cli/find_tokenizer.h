// The tokenizer that a model was trained with.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "lookback/base/result.h"
#include "lookback/language/tokenizer.h"
#include "lookback/study/saved_model.h"

namespace lookback::cli {

/// The tokenizer of `asked` (a file or directory, as read_tokenizer takes them) or, where that is empty,
/// the tokenizer.json beside a run's checkpoints; nothing where there is none.
/// Errors: those of read_tokenizer; a tokenizer whose checksum is not the one that the checkpoint
/// names or, where it names none, that of the run's own tokenizer.json; one of more tokens than the
/// model's vocabulary.
Result<std::optional<language::Tokenizer>> find_any_tokenizer(
    const std::string& asked, const std::filesystem::path& checkpoint,
    const study::SavedModel& model);

/// The same, where there must be one. Errors: none to be found, too.
Result<language::Tokenizer> find_tokenizer(const std::string& asked,
                                           const std::filesystem::path& checkpoint,
                                           const study::SavedModel& model);

}  // namespace lookback::cli
