// A config.json as a document for base::TableReader: the same strict reading as study files have.
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

/// Reads an object of at most 1 MiB. What lies deeper than a list of plain values reads as an empty
/// table. Errors: not a file, not JSON, not an object, too deep.
Result<JsonConfig> read_json_config(const std::filesystem::path& path);

/// The same without keys that mean nothing to us.
base::TableReader reader_without(const JsonConfig& config, std::span<const std::string_view> keys);

/// A switch of the other program that has one allowed position.
struct FixedFlag {
  std::string_view key;
  bool allowed;
};
/// Asks for all of them; absent ones stand as allowed. `why` ends the message.
void require_flags(base::TableReader& reader, std::span<const FixedFlag> flags,
                   std::string_view why);

/// A size between 1 and what any model can have, recorded as an error where it is absent.
std::size_t required_size(base::TableReader& reader, std::string_view key);

}  // namespace lookback::exchange
