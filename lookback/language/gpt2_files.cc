#include "lookback/language/gpt2_files.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "lookback/base/json_file.h"
#include "lookback/language/byte_characters.h"
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
    if (!merge) return Error{fmt::format("merges: line {}: {}", number, merge.error().message)};
    merges.push_back(*merge);
  }
  return merges;
}

}  // namespace

Result<Vocabulary> parse_gpt2_files(std::string_view merges, std::string_view encoder) {
  const Result<std::vector<WrittenMerge>> written = parse_merge_lines(merges);
  if (!written) return written.error();
  const nlohmann::json ids = base::parse_json(encoder);
  if (!ids.is_object()) return Error{"encoder: not a JSON object"};
  std::unordered_set<std::string> made;
  for (const WrittenMerge& merge : *written) {
    made.insert(std::string(merge.left) + std::string(merge.right));
  }
  std::vector<Special> specials;
  for (const auto& [text, id] : ids.items()) {
    const auto bytes = from_characters(text);
    const bool ordinary = made.contains(text) || (bytes && bytes->size() == 1);
    if (!ordinary && id.is_number_unsigned() && id.get<std::uint64_t>() < ids.size()) {
      specials.push_back({text, id.get<Token>()});
    }
  }
  return read_vocabulary(ids, *written, std::move(specials));
}

}  // namespace lookback::language
