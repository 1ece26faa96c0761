#include "lookback/language/data_file.h"

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "lookback/base/sha256.h"
#include "lookback/base/toml_document.h"

// scripts/data-sources.toml, put there by cmake/Embed.cmake.
extern "C" const char lookback_data_sources_begin[];
extern "C" const char lookback_data_sources_end[];

namespace lookback::language {
namespace {

using PathsByChecksum = std::map<std::string, std::string, std::less<>>;

std::string text_at(const base::TomlTable& table, std::string_view key) {
  const base::TomlValue* found = table.find(key);
  const auto* text = found == nullptr ? nullptr : std::get_if<std::string>(&found->data);
  return text == nullptr ? std::string() : *text;
}

const base::TomlTable& table_at(const base::TomlTable& table, std::string_view key) {
  static const base::TomlTable none;
  const base::TomlValue* found = table.find(key);
  const auto* inner = found == nullptr ? nullptr : std::get_if<base::TomlTable>(&found->data);
  return inner == nullptr ? none : *inner;
}

const base::TomlArray& array_at(const base::TomlTable& table, std::string_view key) {
  static const base::TomlArray none;
  const base::TomlValue* found = table.find(key);
  const auto* inner = found == nullptr ? nullptr : std::get_if<base::TomlArray>(&found->data);
  return inner == nullptr ? none : *inner;
}

/// Files of one archive that stay unchanged: all that its members name (a subset of them is a
/// separate set, with the same checksums).
void add_group(const base::TomlTable& root, const base::TomlTable& group, PathsByChecksum& paths) {
  const base::TomlTable& members = table_at(table_at(root, "members"), text_at(group, "download"));
  for (const base::TomlEntry& member : members.entries) {
    paths.try_emplace(text_at(members, member.key), text_at(group, "set") + "/" + member.key);
  }
}

PathsByChecksum read_sources() {
  PathsByChecksum paths;
  const std::string_view text(
      lookback_data_sources_begin,
      static_cast<std::size_t>(lookback_data_sources_end - lookback_data_sources_begin));
  const Result<base::Document> document = base::parse_toml(text, "scripts/data-sources.toml");
  if (!document) return paths;
  for (const base::TomlValue& value : array_at(document->root, "group")) {
    if (const auto* group = std::get_if<base::TomlTable>(&value.data)) {
      add_group(document->root, *group, paths);
    }
  }
  for (const base::TomlValue& value : array_at(document->root, "file")) {
    const auto* file = std::get_if<base::TomlTable>(&value.data);
    if (file == nullptr) continue;
    for (const char* key : {"sha256", "seen"}) {
      const std::string checksum = text_at(*file, key);
      if (!checksum.empty()) paths.try_emplace(checksum, text_at(*file, "to"));
    }
  }
  return paths;
}

}  // namespace

DataFile data_file(std::string name, std::string_view bytes) {
  return {std::move(name), bytes.size(), base::sha256_text(bytes)};
}

std::optional<std::string> get_data_path(std::string_view sha256) {
  static const PathsByChecksum paths = read_sources();
  const auto found = paths.find(sha256);
  return found == paths.end() ? std::nullopt : std::optional<std::string>(found->second);
}

nlohmann::json to_json(const DataFile& file) {
  const std::optional<std::string> path = get_data_path(file.sha256);
  return {{"file", file.name},
          {"bytes", file.bytes},
          {"sha256", file.sha256},
          {"verified_as", path ? nlohmann::json(*path) : nlohmann::json(nullptr)}};
}

}  // namespace lookback::language
