// Vocabularies trained on text.
#include "lookback/language/bpe_training.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "lookback/base/random.h"
#include "lookback/language/tokenizer.h"

namespace lookback::language {
namespace {

BpeTraining training_on(const std::vector<std::string>& texts) {
  BpeTraining training(*PreTokenizer::make());
  for (const std::string& text : texts) training.add(text);
  return training;
}

std::vector<std::string> results(const Vocabulary& vocabulary) {
  std::vector<std::string> texts;
  for (const Merge& merge : vocabulary.merges) texts.push_back(vocabulary.tokens[merge.result]);
  return texts;
}

TEST(BpeTraining, MergesTheMostFrequentPairAndOfEqualOnesTheLowest) {
  // a b stands 5 times; then "ab" c 3 times. Of the pairs that stand twice, d has the lowest id.
  const auto vocabulary = training_on({"abc\nabc\nabc\nab\nab", "xy\nxy\nde\nde"}).train(257 + 4);
  ASSERT_TRUE(vocabulary) << vocabulary.error().message;
  EXPECT_EQ(results(*vocabulary), (std::vector<std::string>{"ab", "abc", "de", "xy"}));
  EXPECT_EQ(vocabulary->size(), 261u);
  EXPECT_EQ(vocabulary->tokens.back(), "<|endoftext|>");
  EXPECT_TRUE(validate(*vocabulary));
}

/// The same rule with every pair counted again before each merge.
std::vector<Merge> train_slowly(const std::vector<std::string>& texts, std::size_t merges) {
  Vocabulary vocabulary = bytes_alone();
  const std::array<Token, 256> bytes = byte_tokens(vocabulary);
  std::vector<std::vector<Token>> words;
  const PreTokenizer splitter = *PreTokenizer::make();
  for (const std::string& text : texts) {
    PreTokenizer::Pieces pieces(splitter, text);
    for (std::string_view piece; pieces.next(piece);) {
      words.emplace_back();
      for (const char c : piece) words.back().push_back(bytes[static_cast<unsigned char>(c)]);
    }
  }
  std::map<std::string, Token> ids;
  while (vocabulary.merges.size() < merges) {
    std::map<std::pair<Token, Token>, std::size_t> counts;
    for (const auto& word : words) {
      for (std::size_t i = 0; i + 1 < word.size(); ++i) ++counts[{word[i], word[i + 1]}];
    }
    const auto best = std::ranges::max_element(counts, [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second < b.second : a.first > b.first;
    });
    if (best == counts.end() || best->second < least_pair_count) break;
    const auto [left, right] = best->first;
    const std::string whole = vocabulary.tokens[left] + vocabulary.tokens[right];
    const Token next = static_cast<Token>(vocabulary.size());
    const auto [at, added] = ids.emplace(whole, next);
    if (added) vocabulary.tokens.push_back(whole);
    vocabulary.merges.push_back({left, right, at->second});
    for (auto& word : words) {
      std::vector<Token> merged;
      for (std::size_t i = 0; i < word.size(); ++i) {
        const bool here = i + 1 < word.size() && word[i] == left && word[i + 1] == right;
        merged.push_back(here ? at->second : word[i]);
        i += here ? 1 : 0;
      }
      word = std::move(merged);
    }
  }
  return vocabulary.merges;
}

TEST(BpeTraining, GivesWhatCountingEveryPairAnewGives) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    base::RandomStream random(seed, base::StreamPurpose::test, 0);
    std::vector<std::string> texts(3);
    for (std::string& text : texts) {
      for (int i = 0; i < 400; ++i) text += "aab bc'é\n1"[random.below(10)];
    }
    const std::vector<Merge> slow = train_slowly(texts, 40);
    std::size_t distinct = 0;
    {
      std::map<Token, int> seen;
      for (const Merge& merge : slow) distinct += seen.emplace(merge.result, 0).second ? 1 : 0;
    }
    const auto fast = training_on(texts).train(257 + distinct);
    ASSERT_TRUE(fast) << fast.error().message;
    EXPECT_EQ(fast->merges, slow) << "seed " << seed;
  }
}

TEST(BpeTraining, DoesNotDependOnTheOrderOfTexts) {
  const auto one = training_on({"the cat sat", "on the mat the"}).train(260);
  const auto other = training_on({"on the mat the", "the cat sat"}).train(260);
  ASSERT_TRUE(one && other);
  EXPECT_EQ(*one, *other);
}

TEST(BpeTraining, RefusesSizesThatTheTextDoesNotGive) {
  const auto small = training_on({"abc"}).train(256);
  ASSERT_FALSE(small);
  EXPECT_EQ(small.error().message,
            "found a vocabulary of 256, allowed 257 to 4194304: 256 bytes, <|endoftext|>, merges");
  const auto large = training_on({"ab ab"}).train(1000);
  ASSERT_FALSE(large);
  EXPECT_NE(large.error().message.find("asked for 1000; give more text"), std::string::npos);
  EXPECT_EQ(training_on({}).train(257)->size(), 257u);
}

TEST(BpeTraining, PassesOverAPieceWithoutEnd) {
  const auto vocabulary = training_on({std::string(3'000'000, 'a'), "bc bc bc"}).train(258);
  ASSERT_TRUE(vocabulary);
  EXPECT_EQ(results(*vocabulary), std::vector<std::string>{"bc"});
}

TEST(BpeTraining, MakesAVocabularyThatEncodes) {
  const auto vocabulary = training_on({"low lower lowest low low"}).train(257 + 3);
  ASSERT_TRUE(vocabulary);
  const auto tokenizer = Tokenizer::make(*vocabulary);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const auto ids = tokenizer->encode("low lows");
  EXPECT_EQ(*tokenizer->decode(ids), "low lows");
  EXPECT_LT(ids.size(), 8u);
}

}  // namespace
}  // namespace lookback::language
