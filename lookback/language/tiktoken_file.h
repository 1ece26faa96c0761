// Ranks as tiktoken keeps them: a line for each token, its bytes in base64 and its rank.
#pragma once

#include <string_view>

#include "lookback/base/result.h"
#include "lookback/language/vocabulary.h"

namespace lookback::language {

/// The vocabulary of such a file made with GPT-2's pattern (r50k_base). Ranks are ids; they must be
/// 0 to N - 1 save one that may be missing, which is that of <|endoftext|> (so in p50k_base), else
/// it gets N. The file has no merges: that of a token is how the merges of lower rank leave its
/// bytes, which must be two tokens. Then the merges give tiktoken's tokens for any text: while no
/// merge has crossed the bounds of a span of bytes, it merges as it would alone.
/// Errors name the line or rank, not the file; one of them is a vocabulary of another pattern.
Result<Vocabulary> parse_tiktoken(std::string_view text);

}  // namespace lookback::language
