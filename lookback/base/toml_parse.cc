// The only file that uses toml++.

// Built from its headers alone, toml++ 3.3 would assert on a text such as "[{a]" before it reports
// the error; the library that systems ship is built without asserts.
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "lookback/base/file.h"
#include "lookback/base/printable.h"
#include "lookback/base/toml_document.h"

namespace lookback::base {
namespace {

/// toml++ limits how deep arrays and inline tables nest, but not dotted keys (a.a.a.a = 1), and its
/// destructors recurse: a limit on the dots of a text bounds that depth far below what a stack
/// holds.
constexpr std::ptrdiff_t max_dots = 10'000;
constexpr int max_depth = 32;
constexpr std::size_t max_keys = 4096;  // in one table; it is searched key by key

std::string place(const std::string& file_name, std::size_t line) {
  return file_name + ":" + std::to_string(line) + ": ";
}

/// toml++'s tree to ours.
class Converter {
 public:
  explicit Converter(std::string file_name) : file_name_(std::move(file_name)) {}

  Result<TomlTable> table(const toml::table& source, int depth) const {
    if (source.size() > max_keys) {
      return Error{place(file_name_, source.source().begin.line) + "found " +
                   std::to_string(source.size()) + " keys in a table, allowed at most " +
                   std::to_string(max_keys)};
    }
    // toml++ sorts keys; the order of the text is restored from their places in it.
    std::vector<std::pair<toml::source_position, TomlEntry>> placed;
    for (const auto& [key, node] : source) {
      Result<TomlValue> converted = value(node, depth + 1);
      if (!converted) return converted.error();
      // Where the key stands, for the values that cannot say (tables made by a dotted key).
      const toml::source_position position = key.source().begin;
      if (converted->line == 0) converted->line = position.line;
      placed.emplace_back(position, TomlEntry{std::string(key.str()), std::move(*converted)});
    }
    std::stable_sort(placed.begin(), placed.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    TomlTable result;
    for (auto& [position, entry] : placed) result.entries.push_back(std::move(entry));
    return result;
  }

 private:
  Result<TomlValue> value(const toml::node& node, int depth) const {
    const std::size_t line = node.source().begin.line;
    const auto refused = [&](const std::string& found) {
      return Error{place(file_name_, line) + "found " + found};
    };
    if (depth > max_depth) {
      return refused("tables or arrays nested too deeply, allowed: a depth of " +
                     std::to_string(max_depth));
    }
    if (const toml::table* source = node.as_table()) {
      Result<TomlTable> converted = table(*source, depth);
      if (!converted) return converted.error();
      return TomlValue{std::move(*converted), line};
    }
    if (const toml::array* source = node.as_array()) return array(*source, depth, line);
    if (const auto* flag = node.as_boolean()) return TomlValue{flag->get(), line};
    if (const auto* integer = node.as_integer()) return TomlValue{integer->get(), line};
    if (const auto* number = node.as_floating_point()) return TomlValue{number->get(), line};
    if (const auto* text = node.as_string()) return TomlValue{text->get(), line};
    return refused("a date or time, allowed: texts, numbers, true and false, arrays, tables");
  }

  Result<TomlValue> array(const toml::array& source, int depth, std::size_t line) const {
    TomlArray items;
    for (const toml::node& item : source) {
      Result<TomlValue> converted = value(item, depth + 1);
      if (!converted) return converted;
      items.push_back(std::move(*converted));
    }
    return TomlValue{std::move(items), line};
  }

  std::string file_name_;
};

}  // namespace

Result<Document> parse_toml(std::string_view text, std::string file_name) {
  if (text.size() > largest_toml) {
    return Error{file_name + ": found " + std::to_string(text.size()) +
                 " bytes of TOML, allowed at most " + std::to_string(largest_toml)};
  }
  if (std::count(text.begin(), text.end(), '.') > max_dots) {
    return Error{file_name + ": found more than " + std::to_string(max_dots) +
                 " dots in a TOML text, which is the limit"};
  }
  try {
    const toml::table parsed = toml::parse(text);
    Result<TomlTable> root = Converter(file_name).table(parsed, 0);
    if (!root) return root.error();
    return Document{std::move(file_name), std::move(*root)};
  } catch (const toml::parse_error& error) {
    return Error{place(file_name, error.source().begin.line) +
                 "not TOML: " + printable(error.description(), 200)};
  } catch (const std::exception& error) {
    return Error{file_name + ": not TOML: " + error.what()};
  }
}

Result<Document> read_toml(const std::string& path) {
  const Result<std::string> text = read_file(path, largest_toml);
  if (!text) return text.error();
  return parse_toml(*text, path);
}

}  // namespace lookback::base
