// Files that results depend on, identified by their contents.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace lookback::language {

/// A file as it is on the disk.
struct DataFile {
  std::string name;  ///< without its directory
  std::uint64_t bytes = 0;
  std::string sha256;
};

DataFile data_file(std::string name, std::string_view bytes);

/// The file of scripts/get-data that has this checksum, by its path there
/// ("evals/arc_easy_test.jsonl"): that of its publisher or, for a Project Gutenberg book, that of
/// the edition which the shipped results learned from (scripts/data-sources.toml). The first if
/// there are two; nothing for any other checksum.
std::optional<std::string> get_data_path(std::string_view sha256);

/// {"file", "bytes", "sha256", "verified_as": its path in scripts/get-data, or null}.
nlohmann::json to_json(const DataFile& file);

}  // namespace lookback::language
