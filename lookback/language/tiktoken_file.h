// Ranks as tiktoken stores them: a line for each token, with its bytes in base64 and its rank.
#pragma once

#include <string_view>

#include "lookback/base/result.h"
#include "lookback/language/vocabulary.h"

namespace lookback::language {

/// The vocabulary of such a file made with GPT-2's pattern (r50k_base). Ranks are ids; they must be
/// 0 to N - 1, except that one may be missing, which is then that of <|endoftext|> (as in
/// p50k_base); otherwise that gets N. The file has no merges: a token's merge is the pair of tokens
/// into which the merges of lower rank turn its bytes. These merges give tiktoken's tokens for any
/// text: as long as no merge has crossed the bounds of a span of bytes, the span merges as it would
/// alone. Errors name the line or rank, not the file; a vocabulary made with another pattern is one
/// of them.
Result<Vocabulary> parse_tiktoken(std::string_view text);

}  // namespace lookback::language
