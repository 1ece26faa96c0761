#include "lookback/language/request_windows.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "lookback/base/require.h"
#include "lookback/language/python_text.h"

namespace lookback::language {

using data::Token;

Result<Window> request_window(const Request& request, const Encode& encode, std::size_t context,
                              Token end_of_text) {
  LOOKBACK_REQUIRE(context >= 1);
  const std::string_view stripped = strip_end(request.context);
  std::vector<Token> before = encode(stripped);
  Window window{encode(request.context + request.continuation), 0};
  if (stripped.empty()) {
    before = {end_of_text};
    window.tokens.insert(window.tokens.begin(), end_of_text);
  }
  if (before.empty() || window.tokens.size() <= before.size()) {
    return Error{"found a continuation that adds no token to its context, required: at least one"};
  }
  window.scored = window.tokens.size() - before.size();
  if (window.scored > context) {
    return Error{fmt::format("found a continuation of {} tokens, but the model's context has {}",
                             window.scored, context)};
  }
  if (window.tokens.size() > context + 1) {
    const auto surplus = static_cast<std::ptrdiff_t>(window.tokens.size() - (context + 1));
    window.tokens.erase(window.tokens.begin(), window.tokens.begin() + surplus);
  }
  return window;
}

std::vector<Window> rolling_windows(std::span<const Token> tokens, std::size_t context,
                                    Token end_of_text) {
  LOOKBACK_REQUIRE(context >= 1);
  std::vector<Window> windows;
  for (std::size_t scored = 0; scored < tokens.size();) {
    const std::size_t next = std::min(tokens.size() - scored, context);
    const std::size_t end = scored + next;
    // The first window begins with end_of_text; each other is extended with the tokens before it.
    const std::size_t start = scored == 0 ? 0 : end - (context + 1);
    Window window{{}, next};
    if (scored == 0) window.tokens.push_back(end_of_text);
    const std::span<const Token> part = tokens.subspan(start, end - start);
    window.tokens.insert(window.tokens.end(), part.begin(), part.end());
    windows.push_back(std::move(window));
    scored = end;
  }
  return windows;
}

}  // namespace lookback::language
