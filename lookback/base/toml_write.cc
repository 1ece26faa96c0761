#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "lookback/base/toml_document.h"

namespace lookback::base {
namespace {

bool is_bare_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

/// A basic string; whatever TOML does not allow literally becomes \u00XX.
std::string quoted_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (code < 0x20 || code == 0x7f) {
      constexpr std::string_view digits = "0123456789ABCDEF";
      result += "\\u00";
      result += digits[code >> 4];
      result += digits[code & 15];
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string key_text(std::string_view key) {
  return is_bare_key(key) ? std::string(key) : quoted_text(key);
}

/// The shortest digits that read back to the same bits, distinguishable from an integer.
std::string number_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  std::string text(buffer.data(), end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

/// A value as written after "key = ".
std::string inline_text(const TomlValue& value) {
  if (const auto* flag = std::get_if<bool>(&value.data)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value.data)) {
    return std::to_string(*integer);
  }
  if (const auto* number = std::get_if<double>(&value.data)) return number_text(*number);
  if (const auto* text = std::get_if<std::string>(&value.data)) return quoted_text(*text);
  std::string items;
  if (const auto* array = std::get_if<TomlArray>(&value.data)) {
    for (const TomlValue& item : *array) {
      if (!items.empty()) items += ", ";
      items += inline_text(item);
    }
    return "[" + items + "]";
  }
  for (const TomlEntry& entry : std::get_if<TomlTable>(&value.data)->entries) {
    if (!items.empty()) items += ", ";
    items += key_text(entry.key) + " = " + inline_text(entry.value);
  }
  return "{" + items + "}";
}

/// A non-empty array of tables only, which is written as [[key]] sections.
const TomlArray* as_table_array(const TomlValue& value) {
  const auto* array = std::get_if<TomlArray>(&value.data);
  const bool tables = array != nullptr && !array->empty() &&
                      std::all_of(array->begin(), array->end(), [](const TomlValue& item) {
                        return std::holds_alternative<TomlTable>(item.data);
                      });
  return tables ? array : nullptr;
}

void write_table(const TomlTable& table, const std::string& path, std::string& text) {
  for (const TomlEntry& entry : table.entries) {
    if (std::holds_alternative<TomlTable>(entry.value.data) || as_table_array(entry.value)) {
      continue;
    }
    text += key_text(entry.key) + " = " + inline_text(entry.value) + "\n";
  }
  for (const TomlEntry& entry : table.entries) {
    const std::string full = path.empty() ? key_text(entry.key) : path + "." + key_text(entry.key);
    if (const auto* below = std::get_if<TomlTable>(&entry.value.data)) {
      text += (text.empty() ? "[" : "\n[") + full + "]\n";
      write_table(*below, full, text);
    } else if (const TomlArray* array = as_table_array(entry.value)) {
      for (const TomlValue& item : *array) {
        text += (text.empty() ? "[[" : "\n[[") + full + "]]\n";
        write_table(*std::get_if<TomlTable>(&item.data), full, text);
      }
    }
  }
}

}  // namespace

std::string to_text(const Document& document) {
  std::string text;
  write_table(document.root, "", text);
  return text;
}

}  // namespace lookback::base
