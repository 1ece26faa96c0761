#include "lookback/language/byte_characters.h"

#include <cstddef>

namespace lookback::language {
namespace {

constexpr unsigned first_substitute = 0x100;

constexpr bool stands_for_itself(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct ByteCharacters {
  std::array<std::uint16_t, 256> of_byte{};
  std::array<std::int16_t, 512> byte_of{};
};

constexpr ByteCharacters make_byte_characters() {
  ByteCharacters made;
  made.byte_of.fill(-1);
  unsigned substitute = first_substitute;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const unsigned character = stands_for_itself(byte) ? byte : substitute++;
    made.of_byte[byte] = static_cast<std::uint16_t>(character);
    made.byte_of[character] = static_cast<std::int16_t>(byte);
  }
  return made;
}

constexpr ByteCharacters byte_characters = make_byte_characters();

}  // namespace

std::array<std::uint8_t, 256> bytes_by_character() {
  std::array<std::uint8_t, 256> bytes{};
  std::size_t count = 0;
  for (const std::int16_t byte : byte_characters.byte_of) {
    if (byte >= 0) bytes[count++] = static_cast<std::uint8_t>(byte);
  }
  return bytes;
}

std::string to_characters(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    const unsigned character = byte_characters.of_byte[static_cast<unsigned char>(byte)];
    if (character < 0x80) {
      text += static_cast<char>(character);
    } else {  // none reaches U+0800
      text += static_cast<char>(0xC0 | character >> 6);
      text += static_cast<char>(0x80 | (character & 0x3F));
    }
  }
  return text;
}

std::optional<std::string> from_characters(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned character = static_cast<unsigned char>(text[i]);
    if (character >= 0x80) {
      if (character < 0xC2 || character > 0xDF || ++i == text.size()) return std::nullopt;
      const unsigned low = static_cast<unsigned char>(text[i]);
      if ((low & 0xC0) != 0x80) return std::nullopt;
      character = (character & 0x1F) << 6 | (low & 0x3F);
    }
    if (character >= byte_characters.byte_of.size()) return std::nullopt;
    const int byte = byte_characters.byte_of[character];
    if (byte < 0) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace lookback::language
