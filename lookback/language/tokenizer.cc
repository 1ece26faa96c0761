#include "lookback/language/tokenizer.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace lookback::language {
namespace {

/// Pieces of one text that occurred before, and where their tokens are in the result: most words of
/// a text recur, and copying is faster than merging. The table has one entry per hash; later pieces
/// overwrite it.
class PiecesBefore {
 public:
  explicit PiecesBefore(std::size_t text_size)
      : entries_(std::bit_ceil(std::clamp<std::size_t>(text_size / 8, 16, std::size_t{1} << 15))) {}

  struct Entry {
    const char* piece = nullptr;
    std::uint32_t size = 0, count = 0;
    std::size_t first = 0;  ///< its tokens are [first, first + count) of the result
  };

  static constexpr std::size_t longest = 64;

  Entry& place_of(std::string_view piece) {
    return entries_[XXH3_64bits(piece.data(), piece.size()) & (entries_.size() - 1)];
  }

  static bool holds(const Entry& entry, std::string_view piece) {
    return entry.size == piece.size() && std::memcmp(entry.piece, piece.data(), piece.size()) == 0;
  }

 private:
  std::vector<Entry> entries_;
};

/// Finds the special tokens of a text from left to right, taking the longest of those that begin
/// together.
class SpecialSearch {
 public:
  SpecialSearch(const std::vector<Special>& specials, std::string_view text)
      : specials_(specials), text_(text), next_(specials.size(), 0) {
    for (std::size_t i = 0; i < next_.size(); ++i) next_[i] = text_.find(specials_[i].text);
  }

  /// The first from `at` on, and where it begins; null if there is none.
  const Special* find(std::size_t at, std::size_t& begin) {
    const Special* first = nullptr;
    for (std::size_t i = 0; i < next_.size(); ++i) {
      if (next_[i] < at) next_[i] = text_.find(specials_[i].text, at);
      if (next_[i] == std::string_view::npos) continue;
      const bool before = first == nullptr || next_[i] < begin ||
                          (next_[i] == begin && specials_[i].text.size() > first->text.size());
      if (!before) continue;
      first = &specials_[i];
      begin = next_[i];
    }
    return first;
  }

 private:
  const std::vector<Special>& specials_;
  std::string_view text_;
  std::vector<std::size_t> next_;
};

}  // namespace

Result<Tokenizer> Tokenizer::make(Vocabulary vocabulary) {
  if (Status valid = validate(vocabulary); !valid) return valid.error();
  Result<PreTokenizer> splitter = PreTokenizer::make();
  if (!splitter) return splitter.error();
  return Tokenizer(std::move(vocabulary), std::move(*splitter));
}

Tokenizer::Tokenizer(Vocabulary vocabulary, PreTokenizer splitter)
    : vocabulary_(std::move(vocabulary)),
      splitter_(std::move(splitter)),
      bytes_(byte_tokens(vocabulary_)),
      merges_(vocabulary_.merges.size()) {
  for (const Merge& merge : vocabulary_.merges) merges_.add(merge);
}

void Tokenizer::encode_ordinary(std::string_view text, std::vector<Token>& tokens) const {
  PreTokenizer::Pieces pieces(splitter_, text);
  PiecesBefore before(text.size());
  Merger merger;
  std::string_view piece;
  while (pieces.next(piece)) {
    if (piece.size() == 1) {
      tokens.push_back(bytes_[static_cast<unsigned char>(piece[0])]);
      continue;
    }
    if (piece.size() > PiecesBefore::longest) {
      merger.merge(merges_, bytes_, piece, tokens);
      continue;
    }
    PiecesBefore::Entry& entry = before.place_of(piece);
    if (PiecesBefore::holds(entry, piece)) {
      for (std::size_t i = 0; i < entry.count; ++i) tokens.push_back(tokens[entry.first + i]);
      continue;
    }
    const std::size_t first = tokens.size();
    merger.merge(merges_, bytes_, piece, tokens);
    entry = {piece.data(), static_cast<std::uint32_t>(piece.size()),
             static_cast<std::uint32_t>(tokens.size() - first), first};
  }
}

std::vector<Token> Tokenizer::encode(std::string_view text, Specials specials) const {
  std::vector<Token> tokens;
  tokens.reserve(text.size() / 4);
  if (specials == Specials::as_text) {
    encode_ordinary(text, tokens);
    return tokens;
  }
  SpecialSearch search(vocabulary_.specials, text);
  std::size_t at = 0, begin = 0;
  while (const Special* special = search.find(at, begin)) {
    encode_ordinary(text.substr(at, begin - at), tokens);
    tokens.push_back(special->id);
    at = begin + special->text.size();
  }
  encode_ordinary(text.substr(at), tokens);
  return tokens;
}

Result<std::string> Tokenizer::decode(std::span<const Token> ids) const {
  std::string text;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= size()) {
      return Error{
          fmt::format("token {}: found the id {}, allowed 0 to {}", i + 1, ids[i], size() - 1)};
    }
    text += vocabulary_.tokens[ids[i]];
  }
  return text;
}

std::optional<Token> Tokenizer::special(std::string_view text) const {
  const auto at = std::ranges::find(vocabulary_.specials, text, &Special::text);
  if (at == vocabulary_.specials.end()) return std::nullopt;
  return at->id;
}

}  // namespace lookback::language
