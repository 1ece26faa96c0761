#include "lookback/base/kind.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace lookback::base {
namespace {

bool has_key(const Kind& row, std::string_view key) {
  return std::ranges::find(row.keys, key, &Key::name) != row.keys.end();
}

/// Reads a key by the type of its default.
struct ValueReader {
  TableReader& table;
  const Key& key;

  std::int64_t least() const { return static_cast<std::int64_t>(key.least); }
  std::int64_t most() const { return static_cast<std::int64_t>(key.most); }

  KeyValue operator()(double fallback) const {
    return table.number(key.name, fallback, key.least, key.most);
  }
  KeyValue operator()(std::int64_t fallback) const {
    return table.integer(key.name, fallback, least(), most());
  }
  KeyValue operator()(bool fallback) const { return table.flag(key.name, fallback); }
  KeyValue operator()(const std::string& fallback) const {
    if (!key.options.empty()) return table.choice(key.name, fallback, key.options);
    return table.text(key.name, fallback, static_cast<std::size_t>(key.most));
  }
  KeyValue operator()(const Range& fallback) const {
    return table.integer_range(key.name, fallback, least(), most());
  }
};

struct ValueWriter {
  std::string operator()(double value) const { return fmt::format("{}", value); }
  std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(bool value) const { return fmt::format("{}", value); }
  std::string operator()(const std::string& value) const { return fmt::format("\"{}\"", value); }
  std::string operator()(const Range& value) const {
    return fmt::format("[{}, {}]", value.first, value.second);
  }
};

/// A key that this kind lacks and another has is more than a slip of the fingers.
void refuse_keys_of_others(TableReader& table, const Kind& own, std::span<const Kind* const> rows,
                           std::string_view what) {
  for (const std::string& key : table.keys()) {
    if (key == "kind" || has_key(own, key)) continue;
    std::vector<std::string> owners;
    for (const Kind* other : rows) {
      if (has_key(*other, key)) owners.push_back(fmt::format("\"{}\"", other->name));
    }
    if (owners.empty()) continue;  // finish() names the nearest key
    table.fail(key, fmt::format("is a key of kind = {}, but this {} is \"{}\"",
                                fmt::join(owners, " or "), what, own.name));
  }
}

}  // namespace

KindConfig::KindConfig(const Kind& row) : kind(row.name) {
  for (const Key& key : row.keys) values[key.name] = key.fallback;
}

KindConfig read_kind(TableReader& table, std::span<const Kind* const> rows, std::string_view what) {
  std::vector<std::string> names;
  names.reserve(rows.size());
  for (const Kind* row : rows) names.push_back(row->name);
  const std::string name = table.choice("kind", names.front(), names);
  const Kind& row = **std::ranges::find(rows, name, &Kind::name);
  KindConfig config(row);
  for (const Key& key : row.keys) {
    config.values[key.name] = std::visit(ValueReader{table, key}, key.fallback);
  }
  refuse_keys_of_others(table, row, rows, what);
  return config;
}

std::string to_toml(const KindConfig& config, const Kind& row) {
  std::string text = fmt::format("kind = \"{}\"\n", config.kind);
  for (const Key& key : row.keys) {
    text += fmt::format("{} = {}\n", key.name,
                        std::visit(ValueWriter{}, config.values.find(key.name)->second));
  }
  return text;
}

}  // namespace lookback::base
