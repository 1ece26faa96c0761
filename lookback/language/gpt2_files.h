// vocab.bpe and encoder.json, as OpenAI published GPT-2's vocabulary.
#pragma once

#include <string_view>

#include "lookback/base/result.h"
#include "lookback/language/vocabulary.h"

namespace lookback::language {

/// `merges` is vocab.bpe: a first line that is ignored, then one merge "a b" per line. `encoder` is
/// encoder.json: an object {token: id}. It does not mark special tokens: a token is special if no
/// merge makes it and GPT-2's pattern would cut it, such as <|endoftext|>. Errors name the line or
/// the token, not the file.
Result<Vocabulary> parse_gpt2_files(std::string_view merges, std::string_view encoder);

}  // namespace lookback::language
