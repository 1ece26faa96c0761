#include "lookback/report/attention_encoding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "tests/report/example_study.h"
#include "tests/report/unpacked_text.h"

namespace lookback::report {
namespace {

/// The bytes of the lower triangle, as a reader of the page gets them.
std::vector<std::uint8_t> decode(std::string_view text, std::size_t length) {
  return test::unpacked(text, length * (length + 1) / 2);
}

TEST(EncodeAttention, KeepsEveryWeightOfTheLowerTriangleToHalfAStep) {
  for (const std::size_t length :
       {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{64}}) {
    const std::vector<float> weights = test::uniform_map(length);
    const Result<std::string> text = encode_attention(weights, length);
    ASSERT_TRUE(text) << text.error().message;
    const std::vector<std::uint8_t> bytes = decode(*text, length);
    std::size_t at = 0;
    for (std::size_t query = 0; query < length; ++query) {
      for (std::size_t source = 0; source <= query; ++source) {
        const double root = bytes[at++] / 255.0;
        // Half a step of the byte, and the float's own rounding of the root.
        const double tolerance = 0.5 / 255.0 + std::numeric_limits<float>::epsilon();
        EXPECT_NEAR(root, std::sqrt(weights[query * length + source]), tolerance);
      }
    }
  }
}

TEST(EncodeAttention, WritesRowsInOrderOfQueries) {
  const std::vector<float> weights = {1.0F, 0.0F, 0.25F, 1.0F};
  const Result<std::string> text = encode_attention(weights, 2);
  ASSERT_TRUE(text);
  EXPECT_EQ(decode(*text, 2), (std::vector<std::uint8_t>{255, 128, 255}));
}

TEST(EncodeAttention, TurnsWhatIsNoWeightIntoTheNearestOne) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> weights = {nan, 0.0F, -1.0F, std::numeric_limits<float>::infinity()};
  const Result<std::string> text = encode_attention(weights, 2);
  ASSERT_TRUE(text);
  EXPECT_EQ(decode(*text, 2), (std::vector<std::uint8_t>{0, 0, 255}));
}

TEST(EncodeAttention, RefusesAMapThatIsNotSquare) {
  const std::vector<float> weights(12, 0.0F);
  const Result<std::string> text = encode_attention(weights, 4);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message, "attention map: found 12 weights, expected 4 x 4");
  EXPECT_FALSE(encode_attention({}, 0));
  // 2^32 squared is 0 in 64 bits, the size of an empty map.
  EXPECT_FALSE(encode_attention({}, std::size_t{1} << 32U));
}

}  // namespace
}  // namespace lookback::report
