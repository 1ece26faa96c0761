#include "lookback/language/task_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "lookback/base/json_access.h"
#include "lookback/base/json_file.h"
#include "lookback/base/printable.h"
#include "lookback/language/harness_text.h"
#include "lookback/language/python_text.h"

namespace lookback::language {
namespace {

using nlohmann::json;

constexpr std::size_t hellaswag_endings = 4;

Error error_at_line(std::string_view where, std::size_t line, std::string_view problem) {
  return Error{fmt::format("{}:{}: {}", where, line, problem)};
}

/// Removes the next line from a text and returns it without its line end.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Result<std::string> text_field(const json& item, std::string_view key) {
  const json* value = base::find_value(item, {key});
  if (value == nullptr) return Error{fmt::format("found no \"{}\", which every item needs", key)};
  if (!value->is_string()) {
    return Error{fmt::format("found {} as \"{}\", allowed: a text",
                             base::printable(value->dump(), 40), key)};
  }
  return value->get<std::string>();
}

Result<std::vector<std::string>> choices_field(const json& item, std::string_view key) {
  std::vector<std::string> choices;
  for (const json& choice : base::find_array(item, {key})) {
    if (!choice.is_string()) {
      return Error{fmt::format("found {} among \"{}\", allowed: texts",
                               base::printable(choice.dump(), 40), key)};
    }
    choices.push_back(choice.get<std::string>());
  }
  if (choices.size() < 2) {
    return Error{fmt::format("found {} \"{}\", allowed: two or more", choices.size(), key)};
  }
  return choices;
}

/// A label as a number, or, as in some copies of HellaSwag, as a text of one digit.
Result<std::size_t> gold_field(const json& item, std::string_view key, std::size_t choices) {
  std::optional<std::uint64_t> gold = base::find_count(item, {key});
  const std::string text = base::find_text(item, {key});
  if (text.size() == 1 && text[0] >= '0' && text[0] <= '9') gold = std::uint64_t(text[0] - '0');
  if (!gold || *gold >= choices) {
    const json* value = base::find_value(item, {key});
    return Error{fmt::format("found {} as \"{}\", allowed: 0 to {}",
                             value != nullptr ? base::printable(value->dump(), 40) : "nothing", key,
                             choices - 1)};
  }
  return static_cast<std::size_t>(*gold);
}

Document choice_document(const std::string& context, const std::vector<std::string>& choices,
                         std::size_t gold) {
  Document document;
  document.gold = gold;
  for (const std::string& choice : choices) document.requests.push_back({context, " " + choice});
  return document;
}

Result<Document> hellaswag_item(const json& item) {
  const Result<std::string> label = text_field(item, "activity_label");
  if (!label) return label.error();
  const Result<std::string> first = text_field(item, "ctx_a");
  if (!first) return first.error();
  const Result<std::string> second = text_field(item, "ctx_b");
  if (!second) return second.error();
  Result<std::vector<std::string>> endings = choices_field(item, "endings");
  if (!endings) return endings.error();
  const Result<std::size_t> gold = gold_field(item, "label", endings->size());
  if (!gold) return gold.error();
  for (std::string& ending : *endings) ending = clean_hellaswag(ending);
  const std::string query = *label + ": " + *first + " " + capitalize(*second);
  return choice_document(clean_hellaswag(query), *endings, *gold);
}

Result<Document> choices_item(const json& item) {
  const Result<std::string> query = text_field(item, "query");
  if (!query) return query.error();
  const Result<std::vector<std::string>> choices = choices_field(item, "choices");
  if (!choices) return choices.error();
  const Result<std::size_t> gold = gold_field(item, "gold", choices->size());
  if (!gold) return gold.error();
  return choice_document(*query, *choices, *gold);
}

Result<Document> last_word_item(const json& item) {
  Request request;
  if (base::find_value(item, {"text"}) != nullptr) {
    const Result<std::string> text = text_field(item, "text");
    if (!text) return text.error();
    const std::size_t space = text->rfind(' ');
    if (space == text->npos) return Error{"found a text of one word, allowed: two or more"};
    request = {text->substr(0, space), text->substr(space)};
  } else {
    Result<std::string> context = text_field(item, "context");
    if (!context) return context.error();
    const Result<std::string> word = text_field(item, "continuation");
    if (!word) return word.error();
    request = {std::move(*context), " " + *word};
  }
  if (strip(request.continuation).empty()) return Error{"found no word to predict"};
  Document document;
  document.requests.push_back(std::move(request));
  return document;
}

Result<std::vector<Document>> parse_items(std::string_view text, std::string_view where,
                                          Result<Document> (*parse)(const json&)) {
  std::vector<Document> documents;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::string_view item_text = take_line(text);
    if (strip(item_text).empty()) continue;
    const json item = base::parse_json(item_text);
    if (!item.is_object()) {
      return error_at_line(where, line,
                           fmt::format("found {}, allowed: one JSON object per line",
                                       base::printable(item_text, 40)));
    }
    Result<Document> document = parse(item);
    if (!document) return document.error().at(fmt::format("{}:{}", where, line));
    documents.push_back(std::move(*document));
  }
  return documents;
}

}  // namespace

Result<std::vector<Document>> parse_hellaswag_json(std::string_view text, std::string_view where) {
  return parse_items(text, where, hellaswag_item);
}

Result<std::vector<Document>> parse_choices(std::string_view text, std::string_view where) {
  return parse_items(text, where, choices_item);
}

Result<std::vector<Document>> parse_last_words(std::string_view text, std::string_view where) {
  return parse_items(text, where, last_word_item);
}

Result<std::vector<Document>> parse_hellaswag_lines(std::string_view text, std::string_view where) {
  std::vector<Document> documents;
  for (std::size_t line = 1; !text.empty(); line += 2 + hellaswag_endings) {
    const std::string context = clean_hellaswag(take_line(text));
    if (strip(context).empty()) return error_at_line(where, line, "found no context");
    const std::string_view label = take_line(text);
    if (label.size() != 1 || label[0] < '0' || label[0] > '3') {
      return error_at_line(
          where, line + 1,
          fmt::format("found \"{}\" as the label, allowed: 0 to 3", base::printable(label, 40)));
    }
    std::vector<std::string> endings;
    for (std::size_t i = 0; i < hellaswag_endings; ++i) {
      endings.push_back(clean_hellaswag(take_line(text)));
      if (strip(endings.back()).empty())
        return error_at_line(where, line + 2 + i, "found no ending");
    }
    documents.push_back(choice_document(context, endings, std::size_t(label[0] - '0')));
  }
  return documents;
}

Result<std::vector<Document>> parse_pages(std::string_view text, std::string_view where) {
  std::vector<Document> documents;
  for (const std::string_view page : wikitext_pages(text)) {
    Document document;
    document.words = count_words(page);
    document.bytes = page.size();
    document.requests.push_back({"", detokenize_wikitext(page)});
    if (strip(document.requests.front().continuation).empty()) {
      return Error{fmt::format("{}: found a page without text", where)};
    }
    documents.push_back(std::move(document));
  }
  return documents;
}

}  // namespace lookback::language
