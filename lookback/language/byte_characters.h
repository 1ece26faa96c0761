// Bytes as printable characters: how files of GPT-2's kind write tokens as text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lookback::language {

/// The 256 bytes in the order of their characters, which is that of their ids in GPT-2's
/// vocabulary: 0x21-7E, A1-AC and AE-FF map to themselves, the rest in ascending order to U+0100,
/// U+0101, ... (bytes_to_unicode in src/encoder.py of github.com/openai/gpt-2).
std::array<std::uint8_t, 256> bytes_by_character();

/// Each byte as its character, in UTF-8.
std::string to_characters(std::string_view bytes);

/// The bytes that a text of such characters represents; nothing if it contains any other character.
std::optional<std::string> from_characters(std::string_view text);

}  // namespace lookback::language
