#include "lookback/language/tokenizer_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "lookback/base/checksum.h"
#include "lookback/base/json_access.h"
#include "lookback/base/json_file.h"
#include "lookback/base/printable.h"
#include "lookback/language/byte_characters.h"
#include "lookback/language/written_vocabulary.h"

namespace lookback::language {
namespace {

using nlohmann::json;

std::string shown(const json& value) {
  return base::printable(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

/// Whether `value` is missing, null, false or an empty text: an option that is not used.
bool is_unused(const json* value) {
  if (value == nullptr || value->is_null() || *value == false) return true;
  return value->is_string() && value->get_ref<const std::string&>().empty();
}

Status check_unused(const json& object, const char* where, std::string_view key) {
  const json* value = base::find_value(object, {key});
  if (is_unused(value)) return {};
  return Error{fmt::format("{}{}: found {}, allowed: none", where, key, shown(*value))};
}

Status check_model(const json& model) {
  if (!model.is_object()) return Error{"model: not an object"};
  const json* type = base::find_value(model, {"type"});
  if (type != nullptr && *type != "BPE") {
    return Error{fmt::format("model.type: found {}, allowed: BPE", shown(*type))};
  }
  for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix",
                          "byte_fallback", "ignore_merges"}) {
    if (Status unused = check_unused(model, "model.", key); !unused) return unused;
  }
  const json* vocabulary = base::find_value(model, {"vocab"});
  if (vocabulary == nullptr || !vocabulary->is_object()) {
    return Error{"model.vocab: not an object"};
  }
  const json* merges = base::find_value(model, {"merges"});
  if (merges == nullptr || !merges->is_array()) return Error{"model.merges: not an array"};
  return {};
}

Status check_steps(const json& file) {
  if (Status unused = check_unused(file, "", "normalizer"); !unused) return unused;
  const json* splitter = base::find_value(file, {"pre_tokenizer"});
  const std::string type = base::find_text(file, {"pre_tokenizer", "type"});
  if (splitter == nullptr || type != "ByteLevel") {
    return Error{fmt::format("pre_tokenizer: found {}, allowed: ByteLevel",
                             splitter == nullptr ? "none" : shown(*splitter))};
  }
  if (Status unused = check_unused(*splitter, "pre_tokenizer.", "add_prefix_space"); !unused) {
    return unused;
  }
  const json* pattern = base::find_value(*splitter, {"use_regex"});
  if (pattern != nullptr && *pattern != true) {
    return Error{fmt::format("pre_tokenizer.use_regex: found {}, allowed: true", shown(*pattern))};
  }
  const json* decoder = base::find_value(file, {"decoder"});
  if (!is_unused(decoder) && base::find_text(*decoder, {"type"}) != "ByteLevel") {
    return Error{fmt::format("decoder: found {}, allowed: ByteLevel", shown(*decoder))};
  }
  return {};
}

Result<std::vector<Special>> read_specials(const json& file) {
  std::vector<Special> specials;
  for (const json& added : base::find_array(file, {"added_tokens"})) {
    const auto id = base::find_count(added, {"id"});
    const std::string text = base::find_text(added, {"content"});
    const json* special = base::find_value(added, {"special"});
    const bool plain = special != nullptr && *special == true &&
                       is_unused(base::find_value(added, {"lstrip"})) &&
                       is_unused(base::find_value(added, {"rstrip"})) &&
                       is_unused(base::find_value(added, {"single_word"}));
    if (!plain || !id || *id >= most_tokens || text.empty()) {
      return Error{
          fmt::format("added_tokens: found {}, allowed: special tokens with id and "
                      "content, without lstrip, rstrip and single_word",
                      shown(added))};
    }
    specials.push_back({text, static_cast<Token>(*id)});
  }
  return specials;
}

/// "a b", or ["a", "b"] as newer versions write it.
Result<std::vector<WrittenMerge>> read_written_merges(const json& merges) {
  std::vector<WrittenMerge> written;
  written.reserve(merges.size());
  for (const json& merge : merges) {
    if (merge.is_string()) {
      const Result<WrittenMerge> parsed = parse_merge(merge.get_ref<const std::string&>());
      if (!parsed) {
        return parsed.error().at(fmt::format("model.merges {}", written.size() + 1));
      }
      written.push_back(*parsed);
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
               merge[1].is_string()) {
      written.push_back(
          {merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()});
    } else {
      return Error{fmt::format("model.merges {}: found {}, allowed: \"a b\" or [\"a\", \"b\"]",
                               written.size() + 1, shown(merge))};
    }
  }
  return written;
}

nlohmann::ordered_json byte_level() {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", true}};
}

nlohmann::ordered_json written_model(const Vocabulary& vocabulary) {
  std::vector<std::string> texts;
  texts.reserve(vocabulary.size());
  for (const std::string& token : vocabulary.tokens) texts.push_back(to_characters(token));
  for (const Special& special : vocabulary.specials) texts[special.id] = special.text;
  nlohmann::ordered_json ids = nlohmann::ordered_json::object();
  auto& object = ids.get_ref<nlohmann::ordered_json::object_t&>();
  // Appended directly: looking each up first, as [] does, would take time proportional to V^2.
  for (std::size_t id = 0; id < texts.size(); ++id) object.emplace_back(texts[id], id);
  nlohmann::ordered_json merges = nlohmann::ordered_json::array();
  for (const Merge& merge : vocabulary.merges) {
    merges.push_back(texts[merge.left] + ' ' + texts[merge.right]);
  }
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", nullptr},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"ignore_merges", false},
          {"vocab", std::move(ids)},
          {"merges", std::move(merges)}};
}

}  // namespace

Result<Vocabulary> parse_tokenizer_json(std::string_view text) {
  const json file = base::parse_json(text);
  if (!file.is_object()) return Error{"not a JSON object"};
  const json* model = base::find_value(file, {"model"});
  if (model == nullptr) return Error{"found no key 'model', which every tokenizer.json has"};
  if (Status fits = check_model(*model); !fits) return fits.error();
  if (Status fits = check_steps(file); !fits) return fits.error();
  Result<std::vector<Special>> specials = read_specials(file);
  if (!specials) return specials.error();
  const Result<std::vector<WrittenMerge>> merges = read_written_merges((*model)["merges"]);
  if (!merges) return merges.error();
  return read_vocabulary((*model)["vocab"], *merges, std::move(*specials));
}

std::string to_tokenizer_json(const Vocabulary& vocabulary) {
  nlohmann::ordered_json added = nlohmann::ordered_json::array();
  for (const Special& special : vocabulary.specials) {
    added.push_back({{"id", special.id},
                     {"content", special.text},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  const nlohmann::ordered_json file = {{"version", "1.0"},
                                       {"truncation", nullptr},
                                       {"padding", nullptr},
                                       {"added_tokens", std::move(added)},
                                       {"normalizer", nullptr},
                                       {"pre_tokenizer", byte_level()},
                                       {"post_processor", nullptr},
                                       {"decoder", byte_level()},
                                       {"model", written_model(vocabulary)}};
  return file.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::uint64_t tokenizer_checksum(const Vocabulary& vocabulary) {
  const std::string file = to_tokenizer_json(vocabulary);
  const base::Bytes bytes = base::bytes_of(file);
  return base::checksum({&bytes, 1});
}

}  // namespace lookback::language
