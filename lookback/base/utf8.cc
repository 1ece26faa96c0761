#include "lookback/base/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>

namespace lookback::base {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t i) {
  return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0;
}

}  // namespace

std::size_t character_length(std::string_view text, std::size_t at) {
  if (at >= text.size()) return 0;
  const auto within = [&](std::size_t i, int low, int high) {
    const std::uint8_t byte = byte_at(text, at + i);
    return byte >= low && byte <= high;
  };
  const std::uint8_t first = byte_at(text, at);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return within(1, 0x80, 0xBF) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const int low = first == 0xE0 ? 0xA0 : 0x80, high = first == 0xED ? 0x9F : 0xBF;
    return within(1, low, high) && within(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const int low = first == 0xF0 ? 0x90 : 0x80, high = first == 0xF4 ? 0x8F : 0xBF;
    return within(1, low, high) && within(2, 0x80, 0xBF) && within(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

std::size_t valid_utf8_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t eight = 0;
    if (text.size() - at >= sizeof(eight)) {
      std::memcpy(&eight, text.data() + at, sizeof(eight));
      if ((eight & 0x8080808080808080u) == 0) {
        at += sizeof(eight);
        continue;
      }
    }
    const std::size_t length = character_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return at;
}

std::size_t count_stray_bytes(std::string_view text) {
  std::size_t count = 0;
  for (;;) {
    text.remove_prefix(valid_utf8_prefix(text));
    if (text.empty()) return count;
    text.remove_prefix(1);
    ++count;
  }
}

std::optional<std::size_t> count_code_points(std::string_view text) {
  if (valid_utf8_prefix(text) != text.size()) return std::nullopt;
  return static_cast<std::size_t>(std::ranges::count_if(text, std::not_fn(continues_character)));
}

}  // namespace lookback::base
