#include "lookback/language/request_windows.h"
#include "tests/base/like.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace lookback::language {
namespace {

using data::Token;
using Tokens = std::vector<Token>;

constexpr Token separator = 999;

/// A token a byte, but "th" is one.
Tokens encode_bytes(std::string_view text) {
  Tokens tokens;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("th")) {
      tokens.push_back(256);
      ++i;
    } else {
      tokens.push_back(static_cast<unsigned char>(text[i]));
    }
  }
  return tokens;
}

Window window_of(const Request& request, std::size_t context = 100) {
  const Result<Window> window = request_window(request, encode_bytes, context, separator);
  EXPECT_TRUE(window) << window.error().message;
  return window ? *window : Window{};
}

TEST(RequestWindow, ScoresTheTokensOfTheContinuation) {
  EXPECT_EQ(window_of({"ab", " c"}), (Window{{'a', 'b', ' ', 'c'}, 2}));
}

TEST(RequestWindow, SpaceAtTheContextsEndIsTheContinuations) {
  EXPECT_EQ(window_of({"ab \n", "c"}), (Window{{'a', 'b', ' ', '\n', 'c'}, 3}));
}

TEST(RequestWindow, TokensAreThoseOfBothTextsTogether) {
  // Alone the context is "a" "t", together "a" "th" "e": what follows two tokens is scored.
  EXPECT_EQ(window_of({"at", "he"}), (Window{{'a', 256, 'e'}, 1}));
}

TEST(RequestWindow, AnEmptyContextIsTheStartOfAText) {
  EXPECT_EQ(window_of({"", "ab"}), (Window{{separator, 'a', 'b'}, 2}));
  EXPECT_EQ(window_of({" ", "b"}), (Window{{separator, ' ', 'b'}, 2}));
}

TEST(RequestWindow, KeepsTheEndOfWhatIsTooLong) {
  EXPECT_EQ(window_of({"abcd", " e"}, 5), (Window{{'a', 'b', 'c', 'd', ' ', 'e'}, 2}));
  EXPECT_EQ(window_of({"abcd", " e"}, 4), (Window{{'b', 'c', 'd', ' ', 'e'}, 2}));
  EXPECT_EQ(window_of({"abcd", " e"}, 2), (Window{{'d', ' ', 'e'}, 2}));
}

TEST(RequestWindow, RefusesAContinuationThatTheContextCannotHold) {
  const Result<Window> window = request_window({"abcd", " e"}, encode_bytes, 1, separator);
  ASSERT_FALSE(window);
  EXPECT_TRUE(test::like(window.error().message, "found a continuation of 2 tokens*1"));
}

TEST(RequestWindow, RefusesAContinuationWithoutAToken) {
  EXPECT_FALSE(request_window({"at", "h"}, encode_bytes, 9, separator));
  EXPECT_FALSE(request_window({"at", ""}, encode_bytes, 9, separator));
  const Encode nothing = [](std::string_view) { return Tokens{}; };
  EXPECT_FALSE(request_window({"a", "b"}, nothing, 9, separator));
  EXPECT_FALSE(request_window({"", "b"}, nothing, 9, separator));
}

Tokens counting(std::size_t n) {
  Tokens tokens(n);
  std::iota(tokens.begin(), tokens.end(), 1);
  return tokens;
}

TEST(RollingWindows, AreTheHarnesss) {
  // get_rolling_token_windows([1..10], 999, 4, 1) with make_disjoint_window
  const std::vector<Window> windows = rolling_windows(counting(10), 4, separator);
  EXPECT_EQ(windows, (std::vector<Window>{
                         {{999, 1, 2, 3, 4}, 4}, {{4, 5, 6, 7, 8}, 4}, {{6, 7, 8, 9, 10}, 2}}));
}

TEST(RollingWindows, AShortTextIsOneWindow) {
  EXPECT_EQ(rolling_windows(counting(2), 4, separator), (std::vector<Window>{{{999, 1, 2}, 2}}));
  EXPECT_TRUE(rolling_windows({}, 4, separator).empty());
}

TEST(RollingWindows, ScoreEachTokenOnceInOrder) {
  for (std::size_t context = 1; context < 8; ++context) {
    for (std::size_t n = 1; n < 30; ++n) {
      Tokens scored;
      for (const Window& window : rolling_windows(counting(n), context, separator)) {
        ASSERT_LE(window.tokens.size(), context + 1);
        ASSERT_LT(window.scored, window.tokens.size());
        scored.insert(scored.end(), window.tokens.end() - std::ptrdiff_t(window.scored),
                      window.tokens.end());
      }
      EXPECT_EQ(scored, counting(n)) << context;
    }
  }
}

}  // namespace
}  // namespace lookback::language
