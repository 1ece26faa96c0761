// Turns requests into the tokens that a model is run on, by the rules of lm-evaluation-harness
// (lm_eval/api/model.py, utils.py).
//
// Legend: T the model's context in tokens.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/data/token_source.h"
#include "lookback/language/task.h"

namespace lookback::language {

/// The tokens of a text, without special ones.
using Encode = std::function<std::vector<data::Token>(std::string_view text)>;

/// Tokens of which the last `scored` are to be predicted, each from those before it. The model is
/// run on all but the last: on 1 to T tokens.
struct Window {
  std::vector<data::Token> tokens;  ///< 2 to T + 1
  std::size_t scored = 0;           ///< 1 to tokens.size() - 1

  bool operator==(const Window&) const = default;
};

/// The window of a request with a context. White space at the end of the context belongs to the
/// continuation; if the context alone has n tokens, the continuation's tokens are those of both
/// texts together after the first n. No token precedes the context, except that an empty one gets
/// end_of_text. Of more than T + 1 tokens the last T + 1 are kept. Errors: a continuation of no
/// tokens or more than T. REQUIRES context >= 1.
Result<Window> request_window(const Request& request, const Encode& encode, std::size_t context,
                              data::Token end_of_text);

/// The windows of a text without context, in which each of its tokens is scored once: the first T
/// after end_of_text, then T at a time after one token of context, and the last window extended
/// with context to T + 1 tokens. None for no tokens. REQUIRES context >= 1.
std::vector<Window> rolling_windows(std::span<const data::Token> tokens, std::size_t context,
                                    data::Token end_of_text);

}  // namespace lookback::language
