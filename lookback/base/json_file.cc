#include "lookback/base/json_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "lookback/base/file.h"

namespace lookback::base {

bool is_too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') {
      ++i;  // what is escaped ends no string
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && (c == '[' || c == '{')) {
      if (++depth > deepest_json) return true;
    } else if (!in_string && (c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

nlohmann::json parse_json(std::string_view text) {
  if (is_too_deep(text)) return nlohmann::json(nlohmann::json::value_t::discarded);
  return nlohmann::json::parse(text, nullptr, false);
}

Result<nlohmann::json> read_json_object(const std::filesystem::path& path, std::size_t max_bytes) {
  const Result<std::string> text = read_file(path, max_bytes);
  if (!text) return text.error();
  if (is_too_deep(*text)) {
    return Error{fmt::format("{}: found values nested deeper than {} levels, which is the limit",
                             path.string(), deepest_json)};
  }
  nlohmann::json value = nlohmann::json::parse(*text, nullptr, false);
  if (!value.is_object()) return Error{fmt::format("{}: not a JSON object", path.string())};
  return value;
}

Status write_json_text(const std::filesystem::path& path, std::string_view text,
                       std::size_t max_bytes) {
  if (text.size() <= max_bytes) return write_file_atomically(path, text);
  return Error{
      fmt::format("{}: would have {} bytes, which no command would read; at most {} can be",
                  path.string(), text.size(), max_bytes),
      ErrorKind::failed};
}

}  // namespace lookback::base
