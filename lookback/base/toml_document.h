// A TOML text as a plain tree that remembers its lines and can be merged and written back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lookback/base/result.h"

namespace lookback::base {

struct TomlEntry;
struct TomlValue;

/// Keys with their values, in the order of the text.
struct TomlTable {
  std::vector<TomlEntry> entries;

  const TomlValue* find(std::string_view key) const;  ///< null when absent
  TomlValue* find(std::string_view key);
};

using TomlArray = std::vector<TomlValue>;

/// There is no type for dates and times: no study uses them, and reading one is an error.
struct TomlValue {
  std::variant<bool, std::int64_t, double, std::string, TomlArray, TomlTable> data;
  std::size_t line = 0;  ///< in the file it came from, from 1; 0 for a value made by the program
};

struct TomlEntry {
  std::string key;
  TomlValue value;
};

/// A table with the name of the file it came from.
struct Document {
  std::string file_name;
  TomlTable root;

  /// Sets the value at a dotted path of bare keys ("train.seed"), creating tables along the way; an
  /// existing value there, or one in place of a table, is replaced.
  void set(std::string_view path, TomlValue value);
};

/// The largest TOML text that is read, in bytes.
inline constexpr std::size_t largest_toml = std::size_t{1} << 20;

/// Parses TOML 1.0. Errors read "FILE:LINE: ...". `file_name` is only for messages.
Result<Document> parse_toml(std::string_view text, std::string file_name);
/// Reads and parses a file of at most largest_toml bytes.
Result<Document> read_toml(const std::string& path);

/// `base` overridden by `overrides`: tables are merged key by key, anything else is replaced. Every
/// value keeps the line it came from. Both are assumed to come from the same file.
Document merged(const Document& base, const Document& overrides);

/// A key that two documents give different values, as a message shows them.
struct TomlDifference {
  std::string key;   ///< dotted, with [i] for the i-th of an array
  std::string a, b;  ///< "nothing" where the key is absent
};
/// The first one: in the order of `a`'s keys, then of those that only `b` has. None where the values
/// are the same, as same_values says.
std::optional<TomlDifference> first_difference(const TomlTable& a, const TomlTable& b);

/// TOML text that parses to the same values (numbers to the last bit, keys in the same order except
/// that a table's plain values come before its tables). Comments are not kept.
std::string to_text(const Document& document);

/// Equality of values, whatever their lines and the order of the keys. NaN equals NaN here.
bool same_values(const TomlTable& a, const TomlTable& b);

}  // namespace lookback::base
