// A vocabulary as JSON writes it: texts with ids, merges as pairs of texts.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/language/vocabulary.h"

namespace lookback::language {

/// The two parts of a merge in the characters of byte_characters.h.
struct WrittenMerge {
  std::string_view left, right;
};

/// "a b" as its two parts. Error: not two words with one space between.
Result<WrittenMerge> parse_merge(std::string_view line);

/// The vocabulary of `ids`, an object {text: id}, and of special tokens, which may also be in it
/// and whose texts are taken literally. Together the ids must be 0 to V - 1, each once. Errors do
/// not name the file. The result is not yet validated.
Result<Vocabulary> read_vocabulary(const nlohmann::json& ids, std::span<const WrittenMerge> merges,
                                   std::vector<Special> specials);

}  // namespace lookback::language
