#include "lookback/language/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <unordered_set>
#include <vector>

#include "lookback/base/printable.h"
#include "lookback/language/byte_characters.h"

namespace lookback::language {
namespace {

bool is_special(const Vocabulary& vocabulary, Token id) {
  const auto at = std::ranges::lower_bound(vocabulary.specials, id, {}, &Special::id);
  return at != vocabulary.specials.end() && at->id == id;
}

/// Each token has a distinct text in files.
Status check_texts(const Vocabulary& vocabulary) {
  std::unordered_set<std::string> texts;
  texts.reserve(vocabulary.size());
  for (Token id = 0; id < vocabulary.size(); ++id) {
    const std::string& token = vocabulary.tokens[id];
    const auto [at, added] =
        texts.insert(is_special(vocabulary, id) ? token : to_characters(token));
    if (!added) {
      return Error{fmt::format("found the token '{}' twice, the second time with id {}",
                               base::printable(*at), id)};
    }
  }
  return {};
}

Status check_specials(const Vocabulary& vocabulary) {
  const auto& specials = vocabulary.specials;
  for (std::size_t i = 0; i < specials.size(); ++i) {
    const Special& special = specials[i];
    if (special.text.empty()) return Error{"found a special token without text"};
    const bool ascending = i == 0 || specials[i - 1].id < special.id;
    if (!ascending || special.id >= vocabulary.size() ||
        vocabulary.tokens[special.id] != special.text) {
      return Error{
          fmt::format("found the special token '{}' with id {}, which belongs to another token",
                      base::printable(special.text), special.id)};
    }
  }
  return {};
}

Status check_bytes(const Vocabulary& vocabulary) {
  std::bitset<256> seen;
  for (Token id = 0; id < vocabulary.size(); ++id) {
    const std::string& token = vocabulary.tokens[id];
    if (token.size() == 1 && !is_special(vocabulary, id)) {
      seen.set(static_cast<unsigned char>(token[0]));
    }
  }
  for (std::size_t byte = 0; byte < seen.size(); ++byte) {
    if (!seen[byte]) {
      return Error{fmt::format("found no token for the byte 0x{:02X}, allowed: all 256", byte)};
    }
  }
  return {};
}

/// Whether `whole` is `left` with `right` after it.
bool is_joined(std::string_view whole, std::string_view left, std::string_view right) {
  return whole.size() == left.size() + right.size() && whole.starts_with(left) &&
         whole.ends_with(right);
}

Status check_merges(const Vocabulary& vocabulary) {
  MergeTable table(vocabulary.merges.size());
  for (std::size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
    const Merge& merge = vocabulary.merges[rank];
    const std::size_t size = vocabulary.size();
    if (merge.left >= size || merge.right >= size || merge.result >= size) {
      return Error{fmt::format("merge {}: found a token that the vocabulary lacks", rank + 1)};
    }
    const auto& tokens = vocabulary.tokens;
    if (!is_joined(tokens[merge.result], tokens[merge.left], tokens[merge.right])) {
      return Error{
          fmt::format("merge {}: its token is not the concatenation of its two parts", rank + 1)};
    }
    if (!table.add(merge)) {
      return Error{fmt::format("merge {}: found a pair that an earlier one merges", rank + 1)};
    }
  }
  return {};
}

/// Without this check, a truncated file of merges would give other tokens for the same text, and no
/// error.
Status check_all_made(const Vocabulary& vocabulary) {
  std::vector<bool> made(vocabulary.size());
  for (const Merge& merge : vocabulary.merges) made[merge.result] = true;
  for (Token id = 0; id < vocabulary.size(); ++id) {
    const std::string& token = vocabulary.tokens[id];
    if (made[id] || token.size() == 1 || is_special(vocabulary, id)) continue;
    return Error{fmt::format(
        "no merge makes the token '{}' (id {}): the merges are incomplete or belong to another "
        "vocabulary",
        base::printable(to_characters(token)), id)};
  }
  return {};
}

}  // namespace

Status validate_tokens(const Vocabulary& vocabulary) {
  if (vocabulary.size() > most_tokens || vocabulary.merges.size() > most_tokens) {
    return Error{fmt::format("found {} tokens and {} merges, allowed at most {} of each",
                             vocabulary.size(), vocabulary.merges.size(), most_tokens)};
  }
  if (vocabulary.specials.size() > most_specials) {
    return Error{fmt::format("found {} special tokens, allowed at most {}",
                             vocabulary.specials.size(), most_specials)};
  }
  if (Status specials = check_specials(vocabulary); !specials) return specials;
  if (Status texts = check_texts(vocabulary); !texts) return texts;
  return check_bytes(vocabulary);
}

Status validate(const Vocabulary& vocabulary) {
  if (Status tokens = validate_tokens(vocabulary); !tokens) return tokens;
  if (Status merges = check_merges(vocabulary); !merges) return merges;
  return check_all_made(vocabulary);
}

std::array<Token, 256> byte_tokens(const Vocabulary& vocabulary) {
  std::array<Token, 256> ids{};
  for (Token id = 0; id < vocabulary.size(); ++id) {
    const std::string& token = vocabulary.tokens[id];
    if (token.size() == 1 && !is_special(vocabulary, id)) {
      ids[static_cast<unsigned char>(token[0])] = id;
    }
  }
  return ids;
}

Vocabulary bytes_alone() {
  Vocabulary vocabulary;
  for (const std::uint8_t byte : bytes_by_character()) {
    vocabulary.tokens.emplace_back(1, static_cast<char>(byte));
  }
  return vocabulary;
}

void append_special(Vocabulary& vocabulary, std::string_view text) {
  vocabulary.specials.push_back({std::string(text), static_cast<Token>(vocabulary.size())});
  vocabulary.tokens.emplace_back(text);
}

}  // namespace lookback::language
