#include "lookback/exchange/json_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

#include "lookback/base/json_file.h"

namespace lookback::exchange {
namespace {

using nlohmann::json;

constexpr std::size_t largest_config = 1 << 20;

/// A plain value; anything else becomes an empty table.
base::TomlValue plain_value(const json& value) {
  if (value.is_boolean()) return {value.get<bool>(), 0};
  if (value.is_string()) return {value.get<std::string>(), 0};
  if (value.is_number_float()) return {value.get<double>(), 0};
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    return {value.get<double>(), 0};
  }
  if (value.is_number_integer()) return {value.get<std::int64_t>(), 0};
  return {base::TomlTable{}, 0};
}

base::TomlValue to_value(const json& value) {
  if (!value.is_array()) return plain_value(value);
  base::TomlArray items;
  for (const json& item : value) items.push_back(plain_value(item));
  return {std::move(items), 0};
}

}  // namespace

Result<JsonConfig> read_json_config(const std::filesystem::path& path) {
  const Result<json> parsed = base::read_json_object(path, largest_config);
  if (!parsed) return parsed.error();
  JsonConfig config;
  config.document.file_name = path.string();
  for (const auto& [key, value] : parsed->items()) {
    if (value.is_null()) {
      config.nulls.insert(key);
    } else {
      config.document.root.entries.push_back({key, to_value(value)});
    }
  }
  return config;
}

base::TableReader reader_without(const JsonConfig& config, std::span<const std::string_view> keys) {
  base::Document document = config.document;
  std::erase_if(document.root.entries, [&](const base::TomlEntry& entry) {
    return std::ranges::find(keys, entry.key) != keys.end();
  });
  return base::TableReader(std::move(document));
}

void require_flags(base::TableReader& reader, std::span<const FixedFlag> flags,
                   std::string_view why) {
  for (const FixedFlag& flag : flags) {
    if (reader.flag(flag.key, flag.allowed) == flag.allowed) continue;
    reader.fail(flag.key,
                fmt::format("found {}, allowed: {} ({})", !flag.allowed, flag.allowed, why));
  }
}

std::size_t required_size(base::TableReader& reader, std::string_view key) {
  constexpr std::int64_t most = 1 << 24;  // each size has a bound of its own, in the architecture
  reader.require(key, "a size");
  return static_cast<std::size_t>(reader.integer(key, 1, 1, most));
}

}  // namespace lookback::exchange
