// A byte-level BPE vocabulary trained on text (Sennrich, Haddow, Birch, ACL 2016, arXiv 1508.07909;
// on bytes, as in GPT-2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "lookback/base/result.h"
#include "lookback/language/pre_tokenizer.h"
#include "lookback/language/vocabulary.h"

namespace lookback::language {

/// A pair is merged if it occurs at least this often in the texts.
inline constexpr std::uint64_t least_pair_count = 2;

/// Longer pieces are not words, and every merge would scan them again, so they are skipped.
inline constexpr std::size_t longest_learnt_piece = 1024;

/// 256 bytes and <|endoftext|>.
inline constexpr std::size_t least_vocabulary = 257;

/// Learns from texts that are added one by one; keeps only their distinct pieces.
class BpeTraining {
 public:
  explicit BpeTraining(PreTokenizer splitter) : splitter_(std::move(splitter)) {}

  void add(std::string_view text);

  /// The vocabulary of V tokens: the bytes, merges, then <|endoftext|>. Each merge takes the pair
  /// of adjacent tokens that is most frequent within pieces at that time, each piece counted as
  /// often as it occurred; among equally frequent pairs the one with the lower left id, then right
  /// id. So the result is a function of the texts, whatever their order. It equals that of Hugging
  /// Face's BpeTrainer with min_frequency 2 and the alphabet of all bytes, if no piece is too long.
  /// Errors: V below `least_vocabulary` or above most_tokens, or texts with too few pairs.
  Result<Vocabulary> train(std::size_t vocabulary) const;

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  PreTokenizer splitter_;
  std::unordered_map<std::string, std::uint64_t, TextHash, std::equal_to<>> pieces_;
};

}  // namespace lookback::language
