// Reads a tokenizer from any of the supported files.
#pragma once

#include <filesystem>

#include "lookback/base/result.h"
#include "lookback/language/tokenizer.h"

namespace lookback::language {

/// `path` is a directory with tokenizer.json, or with vocab.bpe and encoder.json (or merges.txt and
/// vocab.json, their names at Hugging Face); or one of those files, with the other of a pair beside
/// it; or a file of ranks (.tiktoken). Errors name the file.
Result<Tokenizer> read_tokenizer(const std::filesystem::path& path);

/// Writes tokenizer.json.
Status write_tokenizer(const std::filesystem::path& path, const Tokenizer& tokenizer);

}  // namespace lookback::language
