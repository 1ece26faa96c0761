#include "lookback/base/checksum.h"

#include <gtest/gtest.h>

namespace lookback::base {
namespace {

// The value of the XXH3 specification for no input and seed 0.
TEST(Checksum, OfNothingIsThePublishedOne) {
  EXPECT_EQ(checksum_text({}), "2d06800538d394c2");
  EXPECT_EQ(checksum_text({bytes_of("")}), "2d06800538d394c2");
}

TEST(Checksum, DoesNotDependOnTheParts) {
  const std::string text(5000, 'a');
  const auto whole = checksum_text({bytes_of(text)});
  const std::string_view view = text;
  for (const std::size_t cut : {1u, 63u, 256u, 1024u, 4999u}) {
    EXPECT_EQ(checksum_text({bytes_of(view.substr(0, cut)), bytes_of(view.substr(cut))}), whole);
  }
}

TEST(Checksum, ChangesWithEveryBit) {
  std::string text = "some bytes";
  const auto before = checksum_text({bytes_of(text)});
  for (std::size_t bit = 0; bit < 8 * text.size(); ++bit) {
    std::string changed = text;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(checksum_text({bytes_of(changed)}), before);
  }
}

TEST(Checksum, IsSixteenDigitsWithLeadingZeros) {
  bool leading_zero = false;
  for (int i = 0; i < 64; ++i) {
    const std::string text = std::to_string(i);
    const std::string digits = checksum_text({bytes_of(text)});
    EXPECT_EQ(digits.size(), 16u);
    const Bytes bytes = bytes_of(text);
    EXPECT_EQ(std::stoull(digits, nullptr, 16), checksum({&bytes, 1}));
    leading_zero = leading_zero || digits[0] == '0';
  }
  EXPECT_TRUE(leading_zero) << "64 texts without one: the test shows nothing";
}

}  // namespace
}  // namespace lookback::base
