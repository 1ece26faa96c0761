// GPT-2's pattern: where a text is cut.
#include "lookback/language/pre_tokenizer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lookback::language {
namespace {

using Words = std::vector<std::string>;

Words pieces_of(std::string_view text) {
  const PreTokenizer splitter = *PreTokenizer::make();
  PreTokenizer::Pieces pieces(splitter, text);
  Words words;
  for (std::string_view piece; pieces.next(piece);) words.emplace_back(piece);
  return words;
}

TEST(PreTokenizer, CutsWordsNumbersSignsAndBlanks) {
  EXPECT_EQ(pieces_of("It's 12 o'clock!?"), (Words{"It", "'s", " 12", " o", "'", "clock", "!?"}));
  EXPECT_EQ(pieces_of("x12 y"), (Words{"x", "12", " y"}));
  EXPECT_EQ(pieces_of("we'll WE'LL"), (Words{"we", "'ll", " WE", "'", "LL"}));
  EXPECT_EQ(pieces_of(""), Words{});
}

TEST(PreTokenizer, LeavesTheLastBlankToTheWordAfterIt) {
  EXPECT_EQ(pieces_of("a   b"), (Words{"a", "  ", " b"}));
  EXPECT_EQ(pieces_of("a \n b"), (Words{"a", " \n", " b"}));
  EXPECT_EQ(pieces_of("a\n\nb"), (Words{"a", "\n", "\n", "b"}));
  EXPECT_EQ(pieces_of("a   "), (Words{"a", "   "}));
}

TEST(PreTokenizer, KnowsUnicodesLettersNumbersAndWhiteSpace) {
  EXPECT_EQ(pieces_of("naïve日本٣²"), (Words{"naïve日本", "٣²"}));
  EXPECT_EQ(pieces_of("a\u00A0\u3000b"), (Words{"a", "\u00A0", "\u3000", "b"}));
  // No white space since Unicode 6.3: a sign.
  EXPECT_EQ(pieces_of("a \u180E b"), (Words{"a", " \u180E", " b"}));
}

TEST(PreTokenizer, TakesStrayBytesOneByOne) {
  EXPECT_EQ(pieces_of("a  \xFF\xFE b"), (Words{"a", "  ", "\xFF", "\xFE", " b"}));
  EXPECT_EQ(pieces_of("\xE6\x97"), (Words{"\xE6", "\x97"}));
}

TEST(PreTokenizer, CutsAPieceThatIsTooLong) {
  std::string text(longest_piece + 5, 'a');
  text[longest_piece - 1] = '\xC3';  // é across the bound stays whole
  text[longest_piece] = '\xA9';
  const PreTokenizer splitter = *PreTokenizer::make();
  PreTokenizer::Pieces pieces(splitter, text);
  std::string_view piece;
  ASSERT_TRUE(pieces.next(piece));
  EXPECT_EQ(piece.size(), longest_piece - 1);
  ASSERT_TRUE(pieces.next(piece));
  EXPECT_EQ(piece, "éaaaa");
  EXPECT_FALSE(pieces.next(piece));
}

}  // namespace
}  // namespace lookback::language
