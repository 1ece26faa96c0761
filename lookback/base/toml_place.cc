#include "lookback/base/toml_place.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "lookback/base/printable.h"

namespace lookback::base {
namespace {

bool is_below(std::string_view table, std::string_view from) {
  return from.empty() || (table.starts_with(from) && table.substr(from.size()).starts_with('.'));
}

/// How far a table is from the one that contains the key: those below it first, by their depth.
std::pair<bool, std::ptrdiff_t> distance(std::string_view table, std::string_view from) {
  return {!is_below(table, from), std::ranges::count(table, '.') + (table.empty() ? -1 : 0)};
}

/// "in [train]" of "train", "in [[claim.test]]" of "claim[].test[]".
std::string in_words(std::string_view table) {
  if (table.empty()) return "at the top of the file";
  const bool is_array = table.ends_with(']');
  std::string name;
  for (const char c : table) {
    if (c != '[' && c != ']') name.push_back(c);
  }
  return (is_array ? "in [[" : "in [") + printable(name) + (is_array ? "]]" : "]");
}

}  // namespace

std::string without_numbers(std::string_view path) {
  std::string result;
  bool in_brackets = false;
  for (const char c : path) {
    if (c == ']') in_brackets = false;
    if (!in_brackets) result.push_back(c);
    if (c == '[') in_brackets = true;
  }
  return result;
}

std::optional<std::string> place_of(std::string_view key, std::string_view from,
                                    std::initializer_list<const KnownKeys*> known) {
  const std::string here = without_numbers(from);
  std::set<std::string> tables;
  for (const KnownKeys* keys : known) {
    for (const auto& [table, names] : *keys) {
      if (table != here && names.contains(key)) tables.insert(table);
    }
  }
  if (tables.empty()) return std::nullopt;
  auto nearest = distance(*tables.begin(), here);
  for (const std::string& table : tables) nearest = std::min(nearest, distance(table, here));
  const bool all = nearest.first;  // none lies below
  std::string words;
  for (const std::string& table : tables) {
    if (!all && distance(table, here) != nearest) continue;
    words += (words.empty() ? "" : " or ") + in_words(table);
  }
  return words;
}

}  // namespace lookback::base
