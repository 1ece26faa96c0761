// Text to tokens and back, exactly as in GPT-2's tokenizer.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/language/merging.h"
#include "lookback/language/pre_tokenizer.h"
#include "lookback/language/vocabulary.h"

namespace lookback::language {

/// How the text of a special token is encoded.
enum class Specials {
  as_text,   ///< tokens like any other text
  as_tokens  ///< the special token: only for text that one trusts
};

/// Byte-level BPE with GPT-2's pattern. A constant value that several threads may use at once.
class Tokenizer {
 public:
  /// Errors: those of validate(), and a PCRE2 without Unicode.
  static Result<Tokenizer> make(Vocabulary vocabulary);

  const Vocabulary& vocabulary() const { return vocabulary_; }
  std::size_t size() const { return vocabulary_.size(); }  ///< V

  /// The tokens of a text of any bytes; decode() gives back exactly these bytes.
  std::vector<Token> encode(std::string_view text, Specials specials = Specials::as_text) const;

  /// The bytes of the tokens, one after the other. Error: an id that is not below V.
  Result<std::string> decode(std::span<const Token> ids) const;

  /// The id of a special token, by default <|endoftext|>.
  std::optional<Token> special(std::string_view text = end_of_text) const;

 private:
  Tokenizer(Vocabulary vocabulary, PreTokenizer splitter);

  void encode_ordinary(std::string_view text, std::vector<Token>& tokens) const;

  Vocabulary vocabulary_;
  PreTokenizer splitter_;
  std::array<Token, 256> bytes_;
  MergeTable merges_;
};

}  // namespace lookback::language
