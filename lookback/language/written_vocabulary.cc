#include "lookback/language/written_vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>
#include <utility>

#include "lookback/base/printable.h"
#include "lookback/language/byte_characters.h"

namespace lookback::language {
namespace {

using IdsByText = std::unordered_map<std::string_view, Token>;

Error wrong_id(std::string_view text, const std::string& found, std::size_t size) {
  return Error{fmt::format("'{}': found the id {}, allowed 0 to {}, each once",
                           base::printable(text), base::printable(found), size - 1)};
}

/// The ids of the object's texts, all below the total number of texts and special tokens.
Result<IdsByText> read_ids(const nlohmann::json& ids, std::size_t most) {
  IdsByText by_text;
  by_text.reserve(ids.size());
  for (const auto& [text, id] : ids.items()) {
    const bool fits = id.is_number_unsigned() && id.get<std::uint64_t>() < most;
    if (!fits)
      return wrong_id(text, id.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                      most);
    by_text.emplace(text, id.get<Token>());
  }
  return by_text;
}

/// The text of each id; every id must have one.
Result<std::vector<std::string_view>> order_by_id(const IdsByText& ids) {
  std::vector<std::optional<std::string_view>> texts(ids.size());
  for (const auto& [text, id] : ids) {
    if (id >= texts.size() || texts[id]) return wrong_id(text, std::to_string(id), ids.size());
    texts[id] = text;
  }
  std::vector<std::string_view> ordered;
  ordered.reserve(texts.size());
  for (const auto& text : texts) ordered.push_back(*text);
  return ordered;
}

Result<std::vector<Merge>> read_merges(const IdsByText& ids,
                                       std::span<const WrittenMerge> written) {
  std::vector<Merge> merges;
  merges.reserve(written.size());
  for (std::size_t rank = 0; rank < written.size(); ++rank) {
    const auto find = [&](std::string_view text) { return ids.find(text); };
    const std::string whole = std::string(written[rank].left) + std::string(written[rank].right);
    const auto left = find(written[rank].left), right = find(written[rank].right);
    const auto result = find(whole);
    if (left == ids.end() || right == ids.end() || result == ids.end()) {
      return Error{fmt::format("merge {}: '{} {}' needs a token that the vocabulary lacks",
                               rank + 1, base::printable(written[rank].left),
                               base::printable(written[rank].right))};
    }
    merges.push_back({left->second, right->second, result->second});
  }
  return merges;
}

}  // namespace

Result<WrittenMerge> parse_merge(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == 0 || space == std::string_view::npos || space + 1 == line.size() ||
      line.find(' ', space + 1) != std::string_view::npos) {
    return Error{
        fmt::format("found '{}', allowed: two tokens separated by a space", base::printable(line))};
  }
  return WrittenMerge{line.substr(0, space), line.substr(space + 1)};
}

Result<Vocabulary> read_vocabulary(const nlohmann::json& ids, std::span<const WrittenMerge> merges,
                                   std::vector<Special> specials) {
  if (ids.size() + specials.size() > most_tokens) {
    return Error{fmt::format("found {} tokens, allowed at most {}", ids.size(), most_tokens)};
  }
  Result<IdsByText> by_text = read_ids(ids, ids.size() + specials.size());
  if (!by_text) return by_text.error();
  for (const Special& special : specials) {
    const auto [at, added] = by_text->emplace(special.text, special.id);
    if (!added && at->second != special.id) {
      return Error{fmt::format("'{}': found the ids {} and {}, allowed: one",
                               base::printable(special.text), at->second, special.id)};
    }
  }
  const Result<std::vector<std::string_view>> texts = order_by_id(*by_text);
  if (!texts) return texts.error();
  Result<std::vector<Merge>> read = read_merges(*by_text, merges);
  if (!read) return read.error();
  std::ranges::sort(specials, {}, &Special::id);
  Vocabulary vocabulary;
  vocabulary.tokens.reserve(texts->size());
  for (Token id = 0; id < texts->size(); ++id) {
    const std::string_view text = (*texts)[id];
    const bool special = std::ranges::binary_search(specials, id, {}, &Special::id);
    std::optional<std::string> bytes = special ? std::string(text) : from_characters(text);
    if (!bytes) {
      return Error{
          fmt::format("'{}': found a character that represents no byte in the files of "
                      "byte-level BPE",
                      base::printable(text))};
    }
    vocabulary.tokens.push_back(std::move(*bytes));
  }
  vocabulary.merges = std::move(*read);
  vocabulary.specials = std::move(specials);
  return vocabulary;
}

}  // namespace lookback::language
