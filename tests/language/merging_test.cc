// Merging a piece: by the definition, and by the two ways it is done.
#include "lookback/language/merging.h"

#include <gtest/gtest.h>

#include <string>

#include "lookback/base/random.h"
#include "lookback/language/vocabulary.h"

namespace lookback::language {
namespace {

/// Merges of random tokens that were made before, from a few letters: many that overlap.
Vocabulary random_vocabulary(base::RandomStream& random) {
  Vocabulary vocabulary = bytes_alone();
  const std::array<Token, 256> bytes = byte_tokens(vocabulary);
  std::vector<Token> used{bytes['a'], bytes['b'], bytes['c']};
  MergeTable seen;
  for (int i = 0; i < 30; ++i) {
    const Token left = used[random.below(used.size())], right = used[random.below(used.size())];
    const Merge merge{left, right, static_cast<Token>(vocabulary.size())};
    if (!seen.add(merge)) continue;
    vocabulary.tokens.push_back(vocabulary.tokens[left] + vocabulary.tokens[right]);
    vocabulary.merges.push_back(merge);
    used.push_back(merge.result);
  }
  return vocabulary;
}

/// The definition: while a pair merges, that of the lowest rank does, the leftmost of equal ones.
std::vector<Token> merge_by_definition(const Vocabulary& vocabulary, const std::string& piece) {
  const std::array<Token, 256> bytes = byte_tokens(vocabulary);
  std::vector<Token> tokens;
  for (const char c : piece) tokens.push_back(bytes[static_cast<unsigned char>(c)]);
  for (;;) {
    const auto merges_at = [&](const Merge& merge) {
      std::size_t at = 0;
      while (at + 1 < tokens.size() &&
             (tokens[at] != merge.left || tokens[at + 1] != merge.right)) {
        ++at;
      }
      return at;
    };
    bool merged = false;
    for (const Merge& merge : vocabulary.merges) {
      const std::size_t at = merges_at(merge);
      if (at + 1 >= tokens.size()) continue;
      tokens[at] = merge.result;
      tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(at) + 1);
      merged = true;
      break;
    }
    if (!merged) return tokens;
  }
}

TEST(Merging, IsThatOfTheDefinitionForShortAndLongPieces) {
  base::RandomStream random(1, base::StreamPurpose::test, 0);
  Merger merger;
  for (int i = 0; i < 60; ++i) {
    const Vocabulary vocabulary = random_vocabulary(random);
    MergeTable table;
    for (const Merge& merge : vocabulary.merges) ASSERT_TRUE(table.add(merge));
    const std::array<Token, 256> bytes = byte_tokens(vocabulary);
    for (const std::size_t most : {1u, 8u, 64u, 65u, 300u}) {
      std::string piece;
      for (std::size_t j = 0; j < most; ++j) piece += "aabc"[random.below(4)];
      std::vector<Token> tokens{7};  // what is there stays
      merger.merge(table, bytes, piece, tokens);
      ASSERT_EQ(tokens.front(), 7u);
      tokens.erase(tokens.begin());
      ASSERT_EQ(tokens, merge_by_definition(vocabulary, piece)) << piece;
    }
  }
}

TEST(MergeTable, FindsWhatWasAddedAndNothingElse) {
  MergeTable table;
  for (Token i = 0; i < 3000; ++i) ASSERT_TRUE(table.add({i, i * 7, i + 1}));
  EXPECT_FALSE(table.add({5, 35, 1}));
  for (Token i = 0; i < 3000; ++i) {
    const auto found = table.find(i, i * 7);
    ASSERT_EQ(found.rank, i);
    ASSERT_EQ(found.result, i + 1);
    ASSERT_EQ(table.find(i, i * 7 + 1).rank, MergeTable::absent);
  }
}

}  // namespace
}  // namespace lookback::language
