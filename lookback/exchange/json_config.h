// A config.json as a document for base::TableReader, which reads it as strictly as study files.
#pragma once

#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "lookback/base/result.h"
#include "lookback/base/toml_document.h"
#include "lookback/base/toml_table.h"

namespace lookback::exchange {

struct JsonConfig {
  base::Document document;                   ///< without the keys that are null
  std::set<std::string, std::less<>> nulls;  ///< these

  bool has(std::string_view key) const { return document.root.find(key) != nullptr; }
};

/// Reads an object of at most 1 MiB. Anything deeper than a list of plain values reads as an empty
/// table. Errors: not a file, not JSON, not an object, nested too deeply.
Result<JsonConfig> read_json_config(const std::filesystem::path& path);

/// The same without keys that do not matter here.
base::TableReader reader_without(const JsonConfig& config, std::span<const std::string_view> keys);

/// A switch of the other program with only one allowed value.
struct FixedFlag {
  std::string_view key;
  bool allowed;
};
/// Reads all of them; absent ones have the allowed value. `why` ends the message.
void require_flags(base::TableReader& reader, std::span<const FixedFlag> flags,
                   std::string_view why);

/// A size between 1 and the largest of any model; an absent one is recorded as an error.
std::size_t required_size(base::TableReader& reader, std::string_view key);

}  // namespace lookback::exchange
