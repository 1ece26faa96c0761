// The text of packed_text.h undone, as the page does it.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace lookback::report::test {

/// Base64 undone, digit by digit, as RFC 4648 says.
inline std::vector<std::uint8_t> from_base64(std::string_view text) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::uint8_t> bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6U | static_cast<std::uint32_t>(alphabet.find(c));
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<std::uint8_t>(bits >> static_cast<unsigned>(count) & 255U));
    }
  }
  return bytes;
}

/// The `size` bytes that were packed.
inline std::vector<std::uint8_t> unpacked(std::string_view text, std::size_t size) {
  const std::vector<std::uint8_t> packed = from_base64(text);
  std::vector<std::uint8_t> bytes(size);
  uLongf found = bytes.size();
  EXPECT_EQ(uncompress(bytes.data(), &found, packed.data(), packed.size()), Z_OK);
  EXPECT_EQ(found, bytes.size());
  return bytes;
}

}  // namespace lookback::report::test
