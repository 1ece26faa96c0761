#include "lookback/base/toml_document.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lookback::base {
namespace {

bool same_value(const TomlValue& a, const TomlValue& b) {
  if (a.data.index() != b.data.index()) return false;
  if (const auto* table = std::get_if<TomlTable>(&a.data)) {
    return same_values(*table, *std::get_if<TomlTable>(&b.data));
  }
  if (const auto* array = std::get_if<TomlArray>(&a.data)) {
    const auto& other = *std::get_if<TomlArray>(&b.data);
    return std::equal(array->begin(), array->end(), other.begin(), other.end(), same_value);
  }
  if (const auto* number = std::get_if<double>(&a.data)) {
    const double other = *std::get_if<double>(&b.data);
    return *number == other || (std::isnan(*number) && std::isnan(other));
  }
  if (const auto* text = std::get_if<std::string>(&a.data)) {
    return *text == *std::get_if<std::string>(&b.data);
  }
  if (const auto* integer = std::get_if<std::int64_t>(&a.data)) {
    return *integer == *std::get_if<std::int64_t>(&b.data);
  }
  return *std::get_if<bool>(&a.data) == *std::get_if<bool>(&b.data);
}

void lay_over(TomlTable& base, const TomlTable& overrides) {
  for (const TomlEntry& entry : overrides.entries) {
    TomlValue* below = base.find(entry.key);
    if (below == nullptr) {
      base.entries.push_back(entry);
      continue;
    }
    auto* below_table = std::get_if<TomlTable>(&below->data);
    const auto* above_table = std::get_if<TomlTable>(&entry.value.data);
    if (below_table != nullptr && above_table != nullptr) {
      lay_over(*below_table, *above_table);
      below->line = entry.value.line;  // where a key that is missing below would be added
    } else {
      *below = entry.value;
    }
  }
}

}  // namespace

const TomlValue* TomlTable::find(std::string_view key) const {
  const auto entry = std::find_if(entries.begin(), entries.end(),
                                  [&](const TomlEntry& candidate) { return candidate.key == key; });
  return entry == entries.end() ? nullptr : &entry->value;
}

TomlValue* TomlTable::find(std::string_view key) {
  return const_cast<TomlValue*>(std::as_const(*this).find(key));
}

void Document::set(std::string_view path, TomlValue value) {
  TomlTable* table = &root;
  for (;;) {
    const std::size_t dot = path.find('.');
    const std::string_view key = path.substr(0, dot);
    TomlValue* slot = table->find(key);
    if (slot == nullptr) {
      table->entries.push_back(TomlEntry{std::string(key), TomlValue{TomlTable{}, 0}});
      slot = &table->entries.back().value;
    }
    if (dot == std::string_view::npos) {
      *slot = std::move(value);
      return;
    }
    if (!std::holds_alternative<TomlTable>(slot->data)) *slot = TomlValue{TomlTable{}, 0};
    table = std::get_if<TomlTable>(&slot->data);
    path.remove_prefix(dot + 1);
  }
}

Document merged(const Document& base, const Document& overrides) {
  Document result = base;
  lay_over(result.root, overrides.root);
  return result;
}

bool same_values(const TomlTable& a, const TomlTable& b) {
  return a.entries.size() == b.entries.size() &&
         std::all_of(a.entries.begin(), a.entries.end(), [&](const TomlEntry& entry) {
           const TomlValue* other = b.find(entry.key);
           return other != nullptr && same_value(entry.value, *other);
         });
}

}  // namespace lookback::base
