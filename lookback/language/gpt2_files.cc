#include "lookback/language/gpt2_files.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "lookback/base/json_file.h"
#include "lookback/base/utf8.h"
#include "lookback/language/byte_characters.h"
#include "lookback/language/pre_tokenizer.h"
#include "lookback/language/written_vocabulary.h"

namespace lookback::language {
namespace {

Result<std::vector<WrittenMerge>> parse_merge_lines(std::string_view text) {
  std::vector<WrittenMerge> merges;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (number == 1 || line.empty()) continue;
    const Result<WrittenMerge> merge = parse_merge(line);
    if (!merge) return merge.error().at(fmt::format("merges: line {}", number));
    merges.push_back(*merge);
  }
  return merges;
}

/// Whether a text of encoder.json is one that merges make: the characters of one piece of GPT-2's
/// pattern, or of a part of a character. "<|endoftext|>" is three pieces, "<s>" too.
bool could_be_merged(const PreTokenizer& splitter, std::string_view text) {
  const std::optional<std::string> bytes = from_characters(text);
  if (!bytes) return false;
  if (base::valid_utf8_prefix(*bytes) != bytes->size()) return true;
  PreTokenizer::Pieces pieces(splitter, *bytes);
  std::string_view piece;
  return pieces.next(piece) && piece.size() == bytes->size();
}

/// Special tokens are those that no merge makes and none could. A token that a merge could make
/// stays ordinary, and validate() refuses it: making it special would hide that its merge is
/// missing.
Result<std::vector<Special>> find_specials(const nlohmann::json& ids,
                                           std::span<const WrittenMerge> merges) {
  const Result<PreTokenizer> splitter = PreTokenizer::make();
  if (!splitter) return splitter.error();
  std::unordered_set<std::string> made;
  for (const WrittenMerge& merge : merges) {
    made.insert(std::string(merge.left) + std::string(merge.right));
  }
  std::vector<Special> specials;
  for (const auto& [text, id] : ids.items()) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= ids.size()) continue;
    if (made.contains(text) || could_be_merged(*splitter, text)) continue;
    specials.push_back({text, id.get<Token>()});
  }
  return specials;
}

}  // namespace

Result<Vocabulary> parse_gpt2_files(std::string_view merges, std::string_view encoder) {
  const Result<std::vector<WrittenMerge>> written = parse_merge_lines(merges);
  if (!written) return written.error();
  const nlohmann::json ids = base::parse_json(encoder);
  if (!ids.is_object()) return Error{"encoder: not a JSON object"};
  Result<std::vector<Special>> specials = find_specials(ids, *written);
  if (!specials) return specials.error();
  return read_vocabulary(ids, *written, std::move(*specials));
}

}  // namespace lookback::language
