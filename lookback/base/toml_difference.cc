#include <algorithm>

#include "lookback/base/printable.h"
#include "lookback/base/toml_document.h"
#include "lookback/base/toml_values.h"

namespace lookback::base {
namespace {

std::optional<TomlDifference> difference_of(const std::string& key, const TomlValue* a,
                                            const TomlValue* b);

std::string path_of(const std::string& path, const std::string& key) {
  return path.empty() ? printable(key) : path + "." + printable(key);
}

std::optional<TomlDifference> difference_of(const std::string& path, const TomlTable& a,
                                            const TomlTable& b) {
  for (const TomlEntry& entry : a.entries) {
    auto found = difference_of(path_of(path, entry.key), &entry.value, b.find(entry.key));
    if (found) return found;
  }
  for (const TomlEntry& entry : b.entries) {
    if (a.find(entry.key) != nullptr) continue;
    return difference_of(path_of(path, entry.key), nullptr, &entry.value);
  }
  return std::nullopt;
}

std::optional<TomlDifference> difference_of(const std::string& key, const TomlArray& a,
                                            const TomlArray& b) {
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    auto found = difference_of(key + "[" + std::to_string(i) + "]", i < a.size() ? &a[i] : nullptr,
                               i < b.size() ? &b[i] : nullptr);
    if (found) return found;
  }
  return std::nullopt;
}

std::optional<TomlDifference> difference_of(const std::string& key, const TomlValue* a,
                                            const TomlValue* b) {
  if (a != nullptr && b != nullptr && a->data.index() == b->data.index()) {
    if (const auto* table = std::get_if<TomlTable>(&a->data)) {
      return difference_of(key, *table, std::get<TomlTable>(b->data));
    }
    if (const auto* array = std::get_if<TomlArray>(&a->data)) {
      return difference_of(key, *array, std::get<TomlArray>(b->data));
    }
    if (same_values({{{"", *a}}}, {{{"", *b}}})) return std::nullopt;
  }
  const auto text = [](const TomlValue* value) { return value ? shown(*value) : "nothing"; };
  return TomlDifference{key, text(a), text(b)};
}

}  // namespace

std::optional<TomlDifference> first_difference(const TomlTable& a, const TomlTable& b) {
  return difference_of("", a, b);
}

}  // namespace lookback::base
