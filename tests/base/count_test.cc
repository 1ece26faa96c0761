#include "lookback/base/count.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace lookback::base {
namespace {

std::uint64_t parsed_count(std::string_view text) {
  const auto count = parse_count(text);
  EXPECT_TRUE(count) << count.error().message;
  return count ? *count : 0;
}

TEST(ParseCount, ReadsWholeNumbers) {
  EXPECT_EQ(parsed_count("0"), 0u);
  EXPECT_EQ(parsed_count("16384"), 16384u);
  EXPECT_EQ(parsed_count("40_000_000"), 40000000u);
  EXPECT_EQ(parsed_count("18446744073709551615"), ~std::uint64_t{0});
}

TEST(ParseCount, ReadsSuffixes) {
  EXPECT_EQ(parsed_count("250k"), 250000u);
  EXPECT_EQ(parsed_count("250K"), 250000u);
  EXPECT_EQ(parsed_count("40M"), 40000000u);
  EXPECT_EQ(parsed_count("1G"), 1000000000u);
  EXPECT_EQ(parsed_count("18G"), 18000000000u);
}

TEST(ParseCount, ReadsFractionsThatTheSuffixMakesWhole) {
  EXPECT_EQ(parsed_count("2.5M"), 2500000u);
  EXPECT_EQ(parsed_count("0.125k"), 125u);
  EXPECT_EQ(parsed_count("3.60G"), 3600000000u);
  EXPECT_EQ(parsed_count("2.0"), 2u);
}

TEST(ParseCount, RefusesWhatIsNoCount) {
  for (const char* text :
       {"",     " ",  "M",   "-1",  "+1",      "1 M",  " 1", "1 ", "1MM", "1m",    "1T",  "1e6",
        "0x10", "1.", ".5M", "1.5", "0.0001k", "1__0", "_1", "1_", "1_M", "1,000", "nan", "1\n"}) {
    const auto count = parse_count(text);
    EXPECT_FALSE(count) << "\"" << text << "\" was read";
  }
}

TEST(ParseCount, RefusesWhatDoesNotFit64Bits) {
  EXPECT_FALSE(parse_count("18446744073709551616"));
  EXPECT_FALSE(parse_count("18446744073709551615k"));
  EXPECT_FALSE(parse_count("18446744074G"));
  EXPECT_FALSE(parse_count(std::string(1000, '9')));
}

TEST(ParseCount, SaysWhatIsAllowed) {
  const auto count = parse_count("40 million\n");
  ASSERT_FALSE(count);
  EXPECT_NE(count.error().message.find("\"40 million \""), std::string::npos)
      << count.error().message;
  EXPECT_NE(count.error().message.find("40M"), std::string::npos);
}

TEST(CountText, IsWrittenAsPeopleWriteIt) {
  const std::pair<std::uint64_t, const char*> written[] = {
      {0, "0"},
      {999, "999"},
      {1000, "1k"},
      {1049, "1k"},
      {1050, "1.1k"},
      {16'384, "16.4k"},
      {512'000, "512k"},
      {999'000, "999k"},
      {999'949, "999.9k"},
      {999'950, "1M"},
      {1'600'000, "1.6M"},
      {2'000'000, "2M"},
      {999'950'000, "1G"},
      {1'000'000'000, "1G"},
      {1'000'000'000'000, "1000G"},
      {std::numeric_limits<std::uint64_t>::max(), "18446744073.7G"}};
  for (const auto& [count, text] : written) EXPECT_EQ(count_text(count), text);
}

TEST(CountText, IsReadBackWhereNothingWasRounded) {
  for (const std::uint64_t count : {1ULL, 1000ULL, 512'000ULL, 1'600'000ULL, 40'000'000ULL}) {
    const auto read = parse_count(count_text(count));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, count);
  }
}

}  // namespace
}  // namespace lookback::base
