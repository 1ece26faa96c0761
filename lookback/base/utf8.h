// Which bytes are UTF-8 (RFC 3629): no surrogates, nothing above U+10FFFF, no overlong forms.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace lookback::base {

/// The number of bytes of the character that begins at `at`; 0 if none does, or at the end of the
/// text. Unicode 15, table 3-7.
std::size_t character_length(std::string_view text, std::size_t at);

/// Whether a byte of UTF-8 is a continuation byte.
constexpr bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

/// The number of bytes at the start of `text` that form whole UTF-8 characters.
std::size_t valid_utf8_prefix(std::string_view text);

/// The number of bytes of `text` that belong to no UTF-8 character.
std::size_t count_stray_bytes(std::string_view text);

/// The number of Unicode code points; nothing if a byte is not UTF-8.
std::optional<std::size_t> count_code_points(std::string_view text);

}  // namespace lookback::base
