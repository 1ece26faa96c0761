#include "lookback/language/tiktoken_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "lookback/base/printable.h"
#include "lookback/base/utf8.h"
#include "lookback/language/pre_tokenizer.h"

namespace lookback::language {
namespace {

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

/// RFC 4648, section 4, with its padding.
std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  while (text.ends_with('=') && text.size() % 4 != 2) text.remove_suffix(1);
  std::string bytes;
  unsigned bits = 0;
  int held = 0;
  for (const char c : text) {
    const int value = base64_value(c);
    if (value < 0) return std::nullopt;
    bits = (bits << 6 | static_cast<unsigned>(value)) & 0xFFFF;
    held += 6;
    if (held >= 8) bytes += static_cast<char>(bits >> (held -= 8) & 0xFF);
  }
  return bytes;
}

struct RankedToken {
  std::string bytes;
  Token rank = 0;
};

std::optional<RankedToken> parse_ranked(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  std::optional<std::string> bytes = from_base64(line.substr(0, space));
  const std::string_view digits = line.substr(space + 1);
  RankedToken token;
  const auto [end, code] =
      std::from_chars(digits.data(), digits.data() + digits.size(), token.rank);
  if (!bytes || code != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  token.bytes = std::move(*bytes);
  return token;
}

Result<std::vector<RankedToken>> parse_ranks(std::string_view text) {
  std::vector<RankedToken> tokens;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    std::optional<RankedToken> token = parse_ranked(line);
    if (!token) {
      return Error{fmt::format("line {}: found '{}', allowed: a token in base64, a space, its rank",
                               number, base::printable(line))};
    }
    tokens.push_back(std::move(*token));
  }
  if (tokens.empty() || tokens.size() > most_tokens) {
    return Error{fmt::format("found {} tokens, allowed 1 to {}", tokens.size(), most_tokens)};
  }
  std::ranges::sort(tokens, {}, &RankedToken::rank);
  return tokens;
}

/// The tokens by their ranks, with <|endoftext|> where one is missing or at the end; no merges.
Result<Vocabulary> place_tokens(const std::vector<RankedToken>& ranked) {
  Vocabulary vocabulary;
  std::unordered_set<std::string_view> seen;
  for (const RankedToken& token : ranked) {
    if (token.rank == vocabulary.size() + 1 && vocabulary.specials.empty()) {
      append_special(vocabulary, end_of_text);
    }
    if (token.rank != vocabulary.size()) {
      return Error{
          fmt::format("found the rank {}, allowed {}: 0 to {}, each once, and one missing "
                      "for {}",
                      token.rank, vocabulary.size(), ranked.size(), end_of_text)};
    }
    if (!seen.insert(token.bytes).second) {
      return Error{fmt::format("rank {}: found the bytes of an earlier rank", token.rank)};
    }
    vocabulary.tokens.push_back(token.bytes);
  }
  if (vocabulary.specials.empty()) append_special(vocabulary, end_of_text);
  return vocabulary;
}

/// Adds to each token the merge that makes it.
Status derive_merges(Vocabulary& vocabulary) {
  const std::array<Token, 256> bytes = byte_tokens(vocabulary);
  MergeTable table(vocabulary.size());
  Merger merger;
  std::vector<Token> parts;
  for (Token id = 0; id < vocabulary.size(); ++id) {
    const std::string& token = vocabulary.tokens[id];
    if (token.size() == 1 || id == vocabulary.specials.front().id) continue;
    parts.clear();
    if (token.size() <= longest_piece) merger.merge(table, bytes, token, parts);
    if (parts.size() != 2) {
      return Error{
          fmt::format("rank {}: found a token that lower ranks merge into {} parts, allowed: 2", id,
                      parts.size())};
    }
    vocabulary.merges.push_back({parts[0], parts[1], id});
    table.add(vocabulary.merges.back());
  }
  return {};
}

/// Tokens that GPT-2's pattern cuts can never result from it. A few are tolerated, since later
/// versions of Unicode have more letters.
Status check_pattern(const Vocabulary& vocabulary) {
  const Result<PreTokenizer> splitter = PreTokenizer::make();
  if (!splitter) return splitter.error();
  std::size_t cut = 0, whole = 0;
  for (const Merge& merge : vocabulary.merges) {
    const std::string& token = vocabulary.tokens[merge.result];
    if (base::valid_utf8_prefix(token) != token.size()) continue;
    PreTokenizer::Pieces pieces(*splitter, token);
    std::string_view piece;
    pieces.next(piece);
    ++(piece.size() == token.size() ? whole : cut);
  }
  if (100 * cut <= whole) return {};
  return Error{
      fmt::format("found {} of {} tokens that GPT-2's pattern would cut, allowed: 1 in 100; this "
                  "vocabulary was made with another pattern",
                  cut, cut + whole)};
}

}  // namespace

Result<Vocabulary> parse_tiktoken(std::string_view text) {
  const Result<std::vector<RankedToken>> ranked = parse_ranks(text);
  if (!ranked) return ranked.error();
  Result<Vocabulary> vocabulary = place_tokens(*ranked);
  if (!vocabulary) return vocabulary;
  if (Status valid = validate_tokens(*vocabulary); !valid) return valid.error();
  if (Status derived = derive_merges(*vocabulary); !derived) return derived.error();
  if (Status pattern = check_pattern(*vocabulary); !pattern) return pattern.error();
  return vocabulary;
}

}  // namespace lookback::language
