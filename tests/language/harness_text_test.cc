// Expectations are what CPython 3.11 and the harness's own code make of the same texts.
#include "lookback/language/harness_text.h"

#include <gtest/gtest.h>

#include "lookback/language/python_text.h"

namespace lookback::language {
namespace {

TEST(PythonText, SpaceIsAllThatPythonCallsSpace) {
  EXPECT_EQ(strip(" \t\n\x1C\x1F\xC2\xA0 x \xE3\x80\x80\xE2\x80\x89"), "x");
  EXPECT_EQ(strip_end(" x\n "), " x");
  EXPECT_EQ(strip(" \n"), "");
  EXPECT_EQ(strip("\xE2\x80\x8Bx"), "\xE2\x80\x8Bx");  // a space of no width is none to Python
}

TEST(PythonText, WordsAreWhatSplittingAtSpaceGives) {
  EXPECT_EQ(count_words(""), 1U);
  EXPECT_EQ(count_words("a b"), 2U);
  EXPECT_EQ(count_words(" a  b\n"), 4U);  // the empty words at both ends count
  EXPECT_EQ(count_words("a\xC2\xA0 b"), 2U);
}

TEST(PythonText, CapitalizeLowersTheRest) {
  EXPECT_EQ(capitalize(""), "");
  EXPECT_EQ(capitalize("a"), "A");
  EXPECT_EQ(capitalize("3D Movie"), "3d movie");
  EXPECT_EQ(capitalize("then\nHE Goes"), "Then\nhe goes");
  EXPECT_EQ(capitalize("h\xC3\xA9LLO \xC3\x89T\xC3\x89"), "H\xC3\xA9llo \xC3\xA9t\xC3\xA9");
  EXPECT_EQ(capitalize("\xC3\xA9"
                       "COLE"),
            "\xC3\x89"
            "cole");
}

TEST(HarnessText, HellaSwagLosesItsBracketsAndSomeSpaces) {
  EXPECT_EQ(clean_hellaswag("a [title] b  c   d"), "a. b c  d");
  EXPECT_EQ(clean_hellaswag("[header] How to [title] Go [step] on"), " How to. Go on");
  EXPECT_EQ(clean_hellaswag("  x [substeps] y [a\n] z] [] \n"), "x y [a\n] z] ");
  EXPECT_EQ(clean_hellaswag("[[a] b]"), " b]");
  EXPECT_EQ(clean_hellaswag("a [b"), "a [b");
  EXPECT_EQ(clean_hellaswag("a [b\n[c] d"), "a [b\n d");
}

TEST(HarnessText, WikiTextLosesTheSpacesOfItsTokens) {
  EXPECT_EQ(detokenize_wikitext("s ' x ( a , b ) and ( ( c ) ) \" q \" ' t '"),
            "s'x (a, b) and (( c) ) \"q\"' t '");
  EXPECT_EQ(detokenize_wikitext(" = = = H = = = \n \n 5 \xC2\xB0 C N 's"),
            " === H ===\n\n5\xC2\xB0"
            "C 1's");
  EXPECT_EQ(detokenize_wikitext("a /' 5/ b /' x/"), "a /'[0-9]/ b /' x/");
  EXPECT_EQ(detokenize_wikitext("( open [ in ) ] { } \"  \" 1 @,@ 000 @.@ 5"),
            "(open [in)] {} \"\" 1,000.5");
  EXPECT_EQ(detokenize_wikitext("( (\n a )"), "((\na)");
}

TEST(HarnessText, APageBeginsAtEachTitleAndKeepsIt) {
  const auto pages =
      wikitext_pages(" \n = A = \n \n text \n = = Part = = \n x = y \n = B = \n b \n");
  ASSERT_EQ(pages.size(), 2U);
  EXPECT_EQ(pages[0], " = A = \n \n text \n = = Part = = \n x = y ");
  EXPECT_EQ(pages[1], " = B = \n b \n");
  EXPECT_EQ(wikitext_pages("before\n = A = ").size(), 2U);
  EXPECT_TRUE(wikitext_pages(" \n \n").empty());
}

}  // namespace
}  // namespace lookback::language
