// Splits text into the pieces within which GPT-2's tokenizer merges: words, numbers, punctuation,
// white space.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "lookback/base/result.h"

namespace lookback::language {

/// No piece is longer: longer ones are cut, so that 32 bits can count their bytes.
inline constexpr std::size_t longest_piece = std::size_t{1} << 28;

/// GPT-2's pattern (github.com/openai/gpt-2, src/encoder.py), compiled. A copyable value that
/// several threads may use at once.
class PreTokenizer {
 public:
  /// Error: the PCRE2 of this system was built without Unicode.
  static Result<PreTokenizer> make();

  struct Matching;  ///< of one thread

  /// The pieces of one text, in order. Together they are the text, byte for byte. A byte that
  /// belongs to no UTF-8 character is a separate piece, and the text between such bytes is split as
  /// a separate text. Takes time proportional to the text.
  class Pieces {
   public:
    Pieces(const PreTokenizer& splitter, std::string_view text);
    ~Pieces();
    Pieces(const Pieces&) = delete;
    Pieces& operator=(const Pieces&) = delete;

    /// The next piece, never empty; false at the end.
    bool next(std::string_view& piece);

   private:
    void find_valid_part();

    std::unique_ptr<Matching> matching_;
    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t valid_end_ = 0;  ///< text_[at_, valid_end_) is whole UTF-8 characters
  };

 private:
  struct Code;
  explicit PreTokenizer(std::shared_ptr<const Code> code) : code_(std::move(code)) {}
  std::shared_ptr<const Code> code_;
};

}  // namespace lookback::language
