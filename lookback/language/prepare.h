// Turns texts into what a language model is trained on: a directory of token files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/language/documents.h"
#include "lookback/language/tokenizer.h"

namespace lookback::language {

struct PrepareOptions {
  DocumentKind documents = DocumentKind::parts;
  double validation_share = 0.05;  ///< of the documents, above 0 and below 1
  std::uint64_t seed = 0;          ///< of the order of documents
  std::size_t threads = 1;
};

struct PreparedCounts {
  std::uint64_t documents = 0, tokens = 0;
};

struct Prepared {
  PreparedCounts train, validation;
  std::uint64_t stray_bytes = 0;  ///< of the texts, that belong to no UTF-8 character
};

/// Writes the directory `out`: train.tokens and validation.tokens, each with documents in an order
/// drawn from the seed, each document followed by <|endoftext|>; the tokenizer as tokenizer.json;
/// and data.json, which says what it was made from (docs/formats.md). A document is entirely in one
/// of the two files; each gets at least one. The result depends only on texts, tokenizer and
/// options, not on threads. The directory appears when all of it is written; what a killed process
/// left beside it is removed. Keeps the tokens of all texts in memory, 2 bytes each (4 for V above
/// 65536), and one text at a time. Errors: those of read_text(); the same text twice; fewer than 2
/// documents; a tokenizer without <|endoftext|>; `out` is there and not empty, or cannot be
/// written.
Result<Prepared> prepare_tokens(const std::vector<std::filesystem::path>& files,
                                const Tokenizer& tokenizer, const std::filesystem::path& out,
                                const PrepareOptions& options);

}  // namespace lookback::language
