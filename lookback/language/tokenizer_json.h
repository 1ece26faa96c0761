// tokenizer.json of Hugging Face's package tokenizers, for byte-level BPE with GPT-2's pattern.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lookback/base/result.h"
#include "lookback/language/vocabulary.h"

namespace lookback::language {

/// Its vocabulary. Refused are: a model that is not BPE or has options that change its tokens
/// (dropout, subword prefixes, byte_fallback, ignore_merges), a normalizer, a pre-tokenizer other
/// than ByteLevel with its pattern and without add_prefix_space, added tokens that are not special
/// or that strip blanks. `truncation`, `padding` and `post_processor` are ignored: they act on what
/// was encoded. Errors name the key, not the file.
Result<Vocabulary> parse_tokenizer_json(std::string_view text);

/// The file, which the package reads too. The same vocabulary gives the same bytes.
std::string to_tokenizer_json(const Vocabulary& vocabulary);

/// XXH3 of that file, whichever file the vocabulary was read from; token files and checkpoints
/// identify their tokenizer by it.
std::uint64_t tokenizer_checksum(const Vocabulary& vocabulary);

}  // namespace lookback::language
