// What a byte-level BPE vocabulary consists of: tokens, merges, special tokens.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/language/merging.h"

namespace lookback::language {

inline constexpr std::string_view end_of_text = "<|endoftext|>";

/// The limits of a vocabulary, far above those in use.
inline constexpr std::size_t most_tokens = std::size_t{1} << 22;
inline constexpr std::size_t most_specials = 1024;

struct Special {
  std::string text;
  Token id = 0;

  bool operator==(const Special&) const = default;
};

/// A vocabulary of V tokens. A plain value; check it with validate() before use.
struct Vocabulary {
  std::vector<std::string> tokens;  ///< [V] the bytes of each; a special token's text
  std::vector<Merge> merges;        ///< the lowest rank first
  std::vector<Special> specials;    ///< ascending ids

  std::size_t size() const { return tokens.size(); }
  bool operator==(const Vocabulary&) const = default;
};

/// Errors: too many tokens; a byte without its own token; two tokens that files would write the
/// same way; a special token that is empty or has other bytes.
Status validate_tokens(const Vocabulary& vocabulary);

/// Errors: those of validate_tokens(); a merge whose result is not the bytes of its parts, or that
/// uses a missing token; a pair that merges twice; a token that is neither special nor a byte and
/// that no merge makes.
Status validate(const Vocabulary& vocabulary);

/// The token of each byte. REQUIRES a valid vocabulary.
std::array<Token, 256> byte_tokens(const Vocabulary& vocabulary);

/// The 256 bytes in the order of their characters, as GPT-2's begins; no merges.
Vocabulary bytes_alone();

/// Adds a special token with the next id.
void append_special(Vocabulary& vocabulary, std::string_view text);

}  // namespace lookback::language
