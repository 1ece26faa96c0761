#include "lookback/base/printable.h"

#include <gtest/gtest.h>

namespace lookback::base {
namespace {

TEST(Printable, KeepsPlainText) {
  EXPECT_EQ(printable("W_Q äöü"), "W_Q äöü");
  EXPECT_EQ(printable(""), "");
}

TEST(Printable, PutsTextOnOneLine) { EXPECT_EQ(printable("a\nb\x1b[1m\x7f"), "a b [1m "); }

TEST(Printable, CutsLongText) {
  EXPECT_EQ(printable("12345", 5), "12345");
  EXPECT_EQ(printable("123456", 5), "12345...");
}

TEST(Printable, CutsBetweenCharacters) {
  EXPECT_EQ(printable("12\xc3\xa4", 3), "12...");
  EXPECT_EQ(printable("\xe2\x82\xac!", 3), "\xe2\x82\xac...");
}

}  // namespace
}  // namespace lookback::base
