// GPT-2's tokens, as OpenAI's own code gives them.
#include "lookback/language/tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "lookback/base/random.h"
#include "lookback/language/bpe_training.h"
#include "tests/language/shared_data.h"

namespace lookback::language {
namespace {

using Ids = std::vector<Token>;

class TokenizerTest : public spec::WithGpt2 {};

/// One that needs no external data: trained on the project's own words.
Tokenizer learnt() {
  BpeTraining training(*PreTokenizer::make());
  training.add(spec::contents(LOOKBACK_SOURCE_DIR "/docs/science.md"));
  training.add("aaaa aaaa abab abab\n\n\n\n    \n\n    ");
  return *Tokenizer::make(*training.train(600));
}

TEST_F(TokenizerTest, GivesGpt2sTokens) {
  EXPECT_EQ(gpt2().size(), 50257u);
  EXPECT_EQ(gpt2().special(), Token{50256});
  EXPECT_EQ(gpt2().encode("Hello, I'm a language model,"),
            (Ids{15496, 11, 314, 1101, 257, 3303, 2746, 11}));
  EXPECT_EQ(gpt2().encode("hello  world\n\n  x"), (Ids{31373, 220, 995, 628, 220, 2124}));
  EXPECT_EQ(gpt2().encode("DON'T don't I'LL"), (Ids{41173, 6, 51, 836, 470, 314, 6, 3069}));
  EXPECT_EQ(gpt2().encode("naïve café 日本語 🙂"),
            (Ids{2616, 38776, 40304, 10545, 245, 98, 17312, 105, 45739, 252, 32485}));
  EXPECT_EQ(gpt2().encode("\u00A0x"), (Ids{1849, 87}));
  EXPECT_EQ(gpt2().encode(""), Ids{});
}

TEST_F(TokenizerTest, GivesAsManyTokensOfTinyShakespeareAsOthersDo) {
  const std::string text = spec::contents(spec::shared_data("tinyshakespeare.txt"));
  const std::size_t split = text.size() * 9 / 10;  // all ASCII: characters are bytes
  EXPECT_EQ(gpt2().encode(text.substr(0, split)).size(), 301'966u);
  EXPECT_EQ(gpt2().encode(text.substr(split)).size(), 36'059u);
}

TEST_F(TokenizerTest, MakesSpecialTokensOnlyWhenAskedTo) {
  const std::string text = "a<|endoftext|><|endoftext|> b";
  EXPECT_EQ(gpt2().encode(text, Specials::as_tokens), (Ids{64, 50256, 50256, 275}));
  const Ids as_text = gpt2().encode(text);
  EXPECT_EQ(std::ranges::count(as_text, Token{50256}), 0);
  EXPECT_EQ(*gpt2().decode(as_text), text);
}

TEST_F(TokenizerTest, RefusesAnIdBeyondTheVocabulary) {
  const auto text = gpt2().decode(Ids{15496, 50257});
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message, "token 2: found the id 50257, allowed 0 to 50256");
}

TEST(Tokenizer, GivesEveryBytesBack) {
  const Tokenizer tokenizer = learnt();
  base::RandomStream random(1, base::StreamPurpose::test, 0);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(random.below(200), '\0');
    // From all bytes, from those that begin and continue characters, from blanks and letters.
    const std::string_view few[] = {"", "\x80\xC3\xA9\xE2\x82\xAC\xF0\x9F\x99\x82 ",
                                    " \n\tab'1.\xA0\xC2"};
    const std::string_view from = few[i % 3];
    for (char& byte : bytes) {
      byte = from.empty() ? static_cast<char>(random.below(256)) : from[random.below(from.size())];
    }
    ASSERT_EQ(*tokenizer.decode(tokenizer.encode(bytes)), bytes);
    ASSERT_EQ(*tokenizer.decode(tokenizer.encode(bytes, Specials::as_tokens)), bytes);
  }
}

TEST_F(TokenizerTest, GivesAByteThatIsNoCharacterATokenOfItsOwn) {
  // Around it the text is split as texts of their own: both blanks stay together.
  EXPECT_EQ(gpt2().encode("a  \xFFz"), (Ids{64, 220, 220, 187, 89}));
  EXPECT_EQ(gpt2().encode("\xE6\x97"), (Ids{162, 245}));    // 日 without its last byte
  EXPECT_EQ(gpt2().encode("\xED\xA0\x80").size(), 3u);      // a surrogate
  EXPECT_EQ(gpt2().encode("\xC0\xAF").size(), 2u);          // longer than need be
  EXPECT_EQ(gpt2().encode("\xF4\x90\x80\x80").size(), 4u);  // above U+10FFFF
}

TEST(Tokenizer, TakesTimeInProportionToTheText) {
  const Tokenizer tokenizer = learnt();
  // Each is one piece, or nearly: quadratic work would not end within the test's time.
  const std::size_t size = 1'000'000;
  for (const std::string_view unit :
       {" ", "a", "ab", "\n ", "1", "!?", "\u00A0", "é", "\xFF", "' "}) {
    std::string text;
    while (text.size() < size) text += unit;
    for (const char* end : {"", "x"}) {
      text += end;
      ASSERT_EQ(*tokenizer.decode(tokenizer.encode(text)), text) << unit;
    }
  }
}

TEST(Tokenizer, IsUsedByManyThreadsAtOnce) {
  const Tokenizer tokenizer = learnt();
  const std::string text = "Call me Ishmael. Some years ago, never mind how long precisely";
  const Ids expected = tokenizer.encode(text);
  std::vector<std::thread> threads;
  std::vector<char> agreed(4, 0);
  threads.reserve(agreed.size());
  for (char& same : agreed) {
    threads.emplace_back([&] {
      bool all = true;
      for (int i = 0; i < 200; ++i) all = all && tokenizer.encode(text) == expected;
      same = all;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::ranges::count(agreed, 1), 4);
}

}  // namespace
}  // namespace lookback::language
