#include "lookback/base/utf8.h"

#include <gtest/gtest.h>

namespace lookback::base {
namespace {

TEST(Utf8, CodePointsAreThoseOfUtf8Alone) {
  EXPECT_EQ(count_code_points(""), 0U);
  EXPECT_EQ(count_code_points("na\xC3\xAFve \xE6\x97\xA5 \xF0\x9F\x99\x82"), 9U);
  for (const char* text : {"\xFF", "\x80", "\xC3", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF",
                           "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xE6\x97"}) {
    EXPECT_EQ(count_code_points(text), std::nullopt) << text;
  }
}

TEST(Utf8, ThePrefixEndsBeforeTheFirstStrayByte) {
  EXPECT_EQ(valid_utf8_prefix("12345678é\x80"), 10u);
  EXPECT_EQ(valid_utf8_prefix("1234567é12345678\xC3"), 17u);
  EXPECT_EQ(valid_utf8_prefix("\xE6\x97"), 0u);
  EXPECT_EQ(valid_utf8_prefix(""), 0u);
}

TEST(Utf8, ACharacterHasALengthWhereItBegins) {
  const std::string_view text = "aé日\xF0\x9F\x99\x82";
  EXPECT_EQ(character_length(text, 0), 1u);
  EXPECT_EQ(character_length(text, 1), 2u);
  EXPECT_EQ(character_length(text, 2), 0u);
  EXPECT_EQ(character_length(text, 3), 3u);
  EXPECT_EQ(character_length(text, 6), 4u);
  EXPECT_EQ(character_length(text, text.size()), 0u);
  EXPECT_EQ(character_length("", 0), 0u);
}

TEST(Utf8, StrayBytesAreCountedOneByOne) {
  EXPECT_EQ(count_stray_bytes("a\xFF\xE6\x97 é"), 3u);
  EXPECT_EQ(count_stray_bytes("日本"), 0u);
}

}  // namespace
}  // namespace lookback::base
