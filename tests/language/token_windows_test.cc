// Windows of a token file: what a language model is trained and validated on.
#include "lookback/language/token_windows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include "tests/base/temporary_directory.h"

namespace lookback::language {
namespace {

constexpr std::uint32_t numbers = 1000;

/// A file of the tokens 0, 1, 2, ...: a token says where it stands.
class TokenWindows : public testing::Test {
 protected:
  std::shared_ptr<const TokenFile> count_to(std::size_t tokens) const {
    std::vector<std::uint16_t> ids(tokens);
    std::iota(ids.begin(), ids.end(), std::uint16_t{0});
    TokenFileHeader header;
    header.width = token_width(numbers);
    header.vocabulary = numbers;
    header.separator = numbers - 1;
    const base::Bytes bytes = std::as_bytes(std::span(ids));
    const Status written = write_token_file(directory_ / "some.tokens", header, {&bytes, 1});
    EXPECT_TRUE(written) << written.error().message;
    Result<TokenFile> file = TokenFile::open(directory_ / "some.tokens");
    if (file) return std::make_shared<const TokenFile>(std::move(*file));
    ADD_FAILURE() << file.error().message;
    return nullptr;
  }

  test::TemporaryDirectory directory_;
};

/// Where each window of an epoch begins, in the order in which they are drawn.
std::vector<Token> starts(const ShuffledWindows& windows, std::uint64_t epoch) {
  std::vector<Token> starts;
  for (std::uint64_t i = 0; i < windows.windows_an_epoch(); ++i) {
    starts.push_back(windows.sequence(epoch * windows.windows_an_epoch() + i).front());
  }
  return starts;
}

TEST_F(TokenWindows, AreThoseOfTheFile) {
  const ShuffledWindows windows(count_to(100), 7, 3);
  EXPECT_EQ(windows.length(), 7U);
  EXPECT_EQ(windows.vocabulary(), numbers);
  for (std::uint64_t i = 0; i < 5 * windows.windows_an_epoch(); ++i) {
    const std::vector<data::Token> window = windows.sequence(i);
    ASSERT_EQ(window.size(), 7U);
    for (std::size_t t = 1; t < 7; ++t) ASSERT_EQ(window[t], window[0] + t);
    ASSERT_LT(window.back(), 100U);
  }
}

TEST_F(TokenWindows, AnEpochTakesEveryWindowOnce) {
  const ShuffledWindows windows(count_to(100), 7, 3);
  ASSERT_EQ(windows.windows_an_epoch(), 13U);  // (100 - 6) / 7
  for (std::uint64_t epoch = 0; epoch < 20; ++epoch) {
    std::vector<Token> found = starts(windows, epoch);
    std::ranges::sort(found);
    EXPECT_LT(found.front(), 7U);  // the epoch's offset
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i], found.front() + 7 * i) << "epoch " << epoch;
    }
  }
}

TEST_F(TokenWindows, EpochsBeginAtAllOffsets) {
  const ShuffledWindows windows(count_to(100), 7, 3);
  std::set<Token> offsets;
  for (std::uint64_t epoch = 0; epoch < 100; ++epoch) {
    offsets.insert(std::ranges::min(starts(windows, epoch)));
  }
  EXPECT_EQ(offsets.size(), 7U);
}

TEST_F(TokenWindows, AnotherSeedAndAnotherEpochAreAnotherOrder) {
  const auto file = count_to(900);
  const ShuffledWindows windows(file, 7, 3), same(file, 7, 3), other(file, 7, 4);
  EXPECT_EQ(starts(windows, 0), starts(same, 0));
  EXPECT_NE(starts(windows, 0), starts(other, 0));
  EXPECT_NE(starts(windows, 0), starts(windows, 1));
  EXPECT_FALSE(std::ranges::is_sorted(starts(windows, 0)));
}

/// The period with which a window of count_to() repeats itself; 0 where it counts on to the end.
std::size_t period_of(const std::vector<data::Token>& window) {
  for (std::size_t t = 1; t < window.size(); ++t) {
    if (window[t] == window[0]) return t;
  }
  return 0;
}

TEST_F(TokenWindows, AShareOfThemRepeatsItsFirstTokens) {
  const auto file = count_to(900);
  const RepeatedWindows windows(std::make_unique<ShuffledWindows>(file, 24, 3), {0.25, 4, 9}, 3);
  const ShuffledWindows plain(file, 24, 3);
  EXPECT_EQ(windows.length(), 24U);
  EXPECT_EQ(windows.vocabulary(), numbers);
  std::map<std::size_t, int> drawn;
  constexpr int all = 4000;
  for (std::uint64_t i = 0; i < all; ++i) {
    const std::vector<data::Token> window = windows.sequence(i), text = plain.sequence(i);
    const std::size_t period = period_of(window);
    ++drawn[period];
    for (std::size_t t = 0; t < 24; ++t) {
      ASSERT_EQ(window[t], text[period == 0 ? t : t % period]) << "window " << i;
    }
  }
  // 4 standard deviations: of the share 0.027, of each of six periods 0.0126.
  EXPECT_NEAR(drawn[0], 0.75 * all, 0.028 * all);
  EXPECT_EQ(drawn.size(), 7U);
  for (std::size_t period = 4; period <= 9; ++period) {
    EXPECT_NEAR(drawn[period], 0.25 * all / 6, 0.0127 * all) << period;
  }
}

TEST_F(TokenWindows, WhichRepeatIsAPureFunctionOfTheSeed) {
  const auto file = count_to(900);
  const auto repeated = [&](std::uint64_t seed) {
    return RepeatedWindows(std::make_unique<ShuffledWindows>(file, 24, 3), {0.5, 4, 9}, seed);
  };
  const RepeatedWindows windows = repeated(3), same = repeated(3), other = repeated(4);
  int different = 0;
  for (std::uint64_t i = 100; i-- > 0;) {  // in any order
    EXPECT_EQ(windows.sequence(i), same.sequence(i));
    different += windows.sequence(i) != other.sequence(i) ? 1 : 0;
  }
  EXPECT_GT(different, 20);
}

/// Where each window begins, in a file whose tokens count.
std::vector<Token> beginnings(const SpreadWindows& windows) {
  std::vector<Token> begin;
  for (std::uint64_t i = 0; i < windows.windows(); ++i) {
    begin.push_back(windows.sequence(i).front());
  }
  return begin;
}

TEST_F(TokenWindows, HeldOutOnesPredictEveryTokenButTheFirstOnceWhereAllAreTaken) {
  for (const std::uint64_t most : {16, 1'000'000}) {
    const SpreadWindows windows(count_to(100), 7, most);
    ASSERT_EQ(windows.windows(), 16U);  // 99 predictions, 6 a window; 3 are left over
    std::vector<Token> predicted;
    for (std::uint64_t i = 0; i < windows.windows(); ++i) {
      const std::vector<data::Token> window = windows.sequence(i);
      predicted.insert(predicted.end(), window.begin() + 1, window.end());
    }
    ASSERT_EQ(predicted.size(), 96U);
    for (std::size_t i = 0; i < predicted.size(); ++i) EXPECT_EQ(predicted[i], i + 1);
  }
}

TEST_F(TokenWindows, HeldOutOnesLieInTheMiddleOfEqualStretches) {
  // 16 windows of 6 predictions; four stretches begin at windows 0, 4, 8 and 12.
  EXPECT_EQ(beginnings({count_to(100), 7, 4}), (std::vector<Token>{12, 36, 60, 84}));
  EXPECT_EQ(beginnings({count_to(100), 7, 1}), (std::vector<Token>{48}));
  // Three begin at 0, 5 and 10: two windows before each middle.
  EXPECT_EQ(beginnings({count_to(100), 7, 3}), (std::vector<Token>{12, 42, 72}));
}

TEST_F(TokenWindows, HeldOutOnesAreSpreadOverTheWholeFileWithoutOverlap) {
  constexpr std::size_t length = 5;
  for (const std::size_t tokens : {99, 100, 257, 900}) {
    const auto file = count_to(tokens);
    const std::uint64_t all = (tokens - 1) / (length - 1);
    for (std::uint64_t most = 1; most <= all; ++most) {
      const SpreadWindows windows(file, length, most);
      ASSERT_EQ(windows.all_windows(), all);
      ASSERT_EQ(windows.windows(), most);
      const std::vector<Token> begin = beginnings(windows);
      const double apart = static_cast<double>(all) / static_cast<double>(most);
      for (std::size_t i = 0; i < begin.size(); ++i) {
        const double middle = static_cast<double>(begin[i]) / (length - 1) + 0.5;  // in windows
        ASSERT_NEAR(middle, (static_cast<double>(i) + 0.5) * apart, 1.5) << most << " of " << all;
        if (i > 0) {
          ASSERT_GE(begin[i], begin[i - 1] + length - 1);
        }
      }
      ASSERT_LE(begin.back() + length, tokens);
    }
  }
}

TEST_F(TokenWindows, NeedAsManyTokensAsAWindowFromTheLastOffset) {
  EXPECT_TRUE(check_windows(*count_to(13), 7));
  const Status few = check_windows(*count_to(12), 7);
  ASSERT_FALSE(few);
  EXPECT_EQ(few.error().message, "found 12 tokens, allowed for windows of 7 tokens: at least 13");
  EXPECT_DEATH(ShuffledWindows(count_to(12), 7, 0), "requires .*check_windows");
  const ShuffledWindows windows(count_to(13), 7, 0);
  EXPECT_EQ(windows.windows_an_epoch(), 1U);
  for (std::uint64_t epoch = 0; epoch < 50; ++epoch) EXPECT_LE(windows.sequence(epoch).back(), 12U);
}

}  // namespace
}  // namespace lookback::language
