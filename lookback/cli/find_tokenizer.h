// The tokenizer that a model was trained with.
#pragma once

#include <filesystem>
#include <string>

#include "lookback/base/result.h"
#include "lookback/language/tokenizer.h"

namespace lookback::cli {

/// That of `asked` (a file or directory, as read_tokenizer takes them) or, where that is empty, the
/// tokenizer.json beside a run's checkpoints. Errors: those of read_tokenizer; none to be found; one of
/// more tokens than the model's `vocabulary`.
Result<language::Tokenizer> find_tokenizer(const std::string& asked,
                                           const std::filesystem::path& checkpoint,
                                           std::size_t vocabulary);

}  // namespace lookback::cli
