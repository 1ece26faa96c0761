#include "lookback/base/toml_table.h"

#include <algorithm>

#include "lookback/base/printable.h"
#include "lookback/base/toml_place.h"
#include "lookback/base/toml_values.h"

namespace lookback::base {

/// Shared by a reader and all readers obtained from it.
struct TableReader::State {
  Document document;
  std::optional<Error> first_error;
  /// The keys that were asked for, by table; a key may be asked for although it is absent.
  std::map<const TomlTable*, std::set<std::string, std::less<>>> asked;
  /// The same by path, including tables that are absent.
  KnownKeys known;
  /// Tables handed out as documents, whose keys someone else checks.
  std::set<const TomlTable*> handed_out;
};

TableReader::TableReader(Document document) : table_(nullptr), line_(0) {
  state_ = std::make_shared<State>(State{std::move(document), {}, {}, {}, {}});
  table_ = &state_->document.root;
}

TableReader::TableReader(std::shared_ptr<State> state, const TomlTable* table, std::string path,
                         std::size_t line)
    : state_(std::move(state)), table_(table), path_(std::move(path)), line_(line) {}

bool TableReader::has(std::string_view key) const {
  return table_ != nullptr && table_->find(key) != nullptr;
}

std::vector<std::string> TableReader::keys() const {
  std::vector<std::string> names;
  if (table_ == nullptr) return names;
  for (const TomlEntry& entry : table_->entries) names.push_back(entry.key);
  return names;
}

std::size_t TableReader::line(std::string_view key) const {
  const TomlValue* value = table_ == nullptr ? nullptr : table_->find(key);
  return value == nullptr ? line_ : value->line;
}

const std::string& TableReader::file_name() const { return state_->document.file_name; }

const TomlValue* TableReader::ask(std::string_view key) {
  state_->known[without_numbers(path_)].insert(std::string(key));
  if (table_ == nullptr) return nullptr;
  state_->asked[table_].insert(std::string(key));
  return table_->find(key);
}

std::string TableReader::full_key(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void TableReader::fail(std::string_view key, std::string_view problem) {
  if (state_->first_error) return;
  const std::size_t where = line(key);
  std::string message = file_name();
  if (where != 0) message += ":" + std::to_string(where);
  message += ": key '" + printable(full_key(key)) + "': " + std::string(problem);
  state_->first_error = Error{std::move(message)};
}

void TableReader::refuse(std::string_view key, const TomlValue& found, std::string_view allowed) {
  fail(key, "found " + shown(found) + ", allowed: " + std::string(allowed));
}

bool TableReader::require(std::string_view key, std::string_view allowed) {
  if (ask(key) != nullptr) return true;
  fail(key, "is missing, required: " + std::string(allowed));
  return false;
}

bool TableReader::flag(std::string_view key, bool fallback) {
  const TomlValue* value = ask(key);
  if (value == nullptr) return fallback;
  if (const bool* found = std::get_if<bool>(&value->data)) return *found;
  refuse(key, *value, "true or false");
  return fallback;
}

std::int64_t TableReader::integer(std::string_view key, std::int64_t fallback, std::int64_t min,
                                  std::int64_t max) {
  const TomlValue* value = ask(key);
  if (value == nullptr) return fallback;
  if (const auto found = as_integer(*value, min, max)) return *found;
  refuse(key, *value, between("a whole number", min, max));
  return fallback;
}

double TableReader::number(std::string_view key, double fallback, double min, double max) {
  const TomlValue* value = ask(key);
  if (value == nullptr) return fallback;
  if (const auto found = as_number(*value, min, max)) return *found;
  refuse(key, *value, between("a number", min, max));
  return fallback;
}

std::uint64_t TableReader::count(std::string_view key, std::uint64_t fallback, std::uint64_t min,
                                 std::uint64_t max) {
  const TomlValue* value = ask(key);
  if (value == nullptr) return fallback;
  if (const auto found = as_count(*value, min, max)) return *found;
  refuse(key, *value,
         between("a whole number", min, max) + ", such as 40_000_000 or \"40M\" (k, M, G)");
  return fallback;
}

std::string TableReader::text(std::string_view key, std::string_view fallback,
                              std::size_t max_length) {
  const TomlValue* value = ask(key);
  if (value == nullptr) return std::string(fallback);
  if (auto found = as_text(*value, max_length)) return *std::move(found);
  refuse(key, *value, text_allowed(max_length));
  return std::string(fallback);
}

std::string TableReader::choice(std::string_view key, std::string_view fallback,
                                std::span<const std::string> allowed) {
  const TomlValue* value = ask(key);
  if (value == nullptr) return std::string(fallback);
  if (auto found = as_choice(*value, allowed)) return *std::move(found);
  refuse(key, *value, one_of(allowed));
  return std::string(fallback);
}

template <class T, class Read>
std::vector<T> TableReader::list(std::string_view key, std::vector<T> fallback,
                                 std::size_t max_items, bool single_allowed,
                                 std::string_view allowed, Read read) {
  const TomlValue* value = ask(key);
  if (value == nullptr) return fallback;
  const auto* array = std::get_if<TomlArray>(&value->data);
  const bool is_single = array == nullptr && single_allowed;
  if ((array == nullptr && !is_single) || (array != nullptr && array->size() > max_items)) {
    refuse(key, *value,
           "an array of at most " + std::to_string(max_items) + ", each " + std::string(allowed));
    return fallback;
  }
  const std::span<const TomlValue> items = is_single ? std::span(value, 1) : std::span(*array);
  std::vector<T> result;
  for (const TomlValue& item : items) {
    auto found = read(item);
    if (!found) {
      refuse(key, item, allowed);
      return fallback;
    }
    result.push_back(*std::move(found));
  }
  return result;
}

std::vector<std::string> TableReader::choices(std::string_view key,
                                              std::vector<std::string> fallback,
                                              std::span<const std::string> allowed) {
  auto names = list<std::string>(key, fallback, allowed.size(), true, one_of(allowed),
                                 [&](const TomlValue& item) { return as_choice(item, allowed); });
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(names.begin(), name, *name) == name) continue;
    fail(key, "found \"" + printable(*name) + "\" twice, allowed: each name once");
    return fallback;
  }
  return names;
}

std::vector<std::string> TableReader::texts(std::string_view key, std::vector<std::string> fallback,
                                            std::size_t max_items, std::size_t max_length) {
  return list<std::string>(key, std::move(fallback), max_items, false, text_allowed(max_length),
                           [&](const TomlValue& item) { return as_text(item, max_length); });
}

std::vector<double> TableReader::numbers(std::string_view key, std::vector<double> fallback,
                                         std::size_t max_items, double min, double max) {
  return list<double>(key, std::move(fallback), max_items, false, between("a number", min, max),
                      [&](const TomlValue& item) { return as_number(item, min, max); });
}

std::vector<std::int64_t> TableReader::integers(std::string_view key,
                                                std::vector<std::int64_t> fallback,
                                                std::size_t max_items, std::int64_t min,
                                                std::int64_t max) {
  return list<std::int64_t>(key, std::move(fallback), max_items, false,
                            between("a whole number", min, max),
                            [&](const TomlValue& item) { return as_integer(item, min, max); });
}

template <class T, class Read>
std::pair<T, T> TableReader::range(std::string_view key, std::pair<T, T> fallback,
                                   const std::string& allowed, bool may_be_equal, Read read) {
  const TomlValue* value = ask(key);
  if (value == nullptr) return fallback;
  const auto* array = std::get_if<TomlArray>(&value->data);
  if (array == nullptr || array->size() != 2) {
    refuse(key, *value, allowed);
    return fallback;
  }
  const std::optional<T> first = read((*array)[0]);
  const std::optional<T> last = read((*array)[1]);
  if (!first || !last || *first > *last || (*first == *last && !may_be_equal)) {
    fail(key,
         "found [" + shown((*array)[0]) + ", " + shown((*array)[1]) + "], allowed: " + allowed);
    return fallback;
  }
  return {*first, *last};
}

std::pair<std::int64_t, std::int64_t> TableReader::integer_range(
    std::string_view key, std::pair<std::int64_t, std::int64_t> fallback, std::int64_t min,
    std::int64_t max) {
  const std::string allowed =
      "[first, last], " + between("whole numbers", min, max) + " with first <= last";
  return range(key, fallback, allowed, true,
               [&](const TomlValue& item) { return as_integer(item, min, max); });
}

std::pair<std::uint64_t, std::uint64_t> TableReader::count_range(
    std::string_view key, std::pair<std::uint64_t, std::uint64_t> fallback, std::uint64_t min,
    std::uint64_t max) {
  const std::string allowed = "[first, end], " + between("whole numbers", min, max) +
                              " with first < end, such as [0, \"2M\"] (k, M, G)";
  return range(key, fallback, allowed, false,
               [&](const TomlValue& item) { return as_count(item, min, max); });
}

TableReader TableReader::table(std::string_view key) {
  const TomlValue* value = ask(key);
  if (value == nullptr) return {state_, nullptr, full_key(key), line_};
  const auto* found = std::get_if<TomlTable>(&value->data);
  if (found == nullptr) refuse(key, *value, "a table");
  return {state_, found, full_key(key), value->line};
}

std::vector<TableReader> TableReader::tables(std::string_view key) {
  std::vector<TableReader> readers;
  const TomlValue* value = ask(key);
  if (value == nullptr) return readers;
  const auto* array = std::get_if<TomlArray>(&value->data);
  if (array == nullptr) {
    refuse(key, *value, "an array of tables, [[" + full_key(key) + "]]");
    return readers;
  }
  for (const TomlValue& item : *array) {
    const auto* found = std::get_if<TomlTable>(&item.data);
    if (found == nullptr) {
      refuse(key, item, "an array of tables, [[" + full_key(key) + "]]");
      return {};
    }
    const std::string path = full_key(key) + "[" + std::to_string(readers.size()) + "]";
    readers.push_back({state_, found, path, item.line});
  }
  return readers;
}

Document TableReader::document(std::string_view key) {
  Document result{file_name(), {}};
  const TomlValue* value = ask(key);
  if (value == nullptr) return result;
  const auto* found = std::get_if<TomlTable>(&value->data);
  if (found == nullptr) {
    refuse(key, *value, "a table");
    return result;
  }
  state_->handed_out.insert(found);
  result.root = *found;
  return result;
}

/// One letter too many or too few is a typing error, whatever keys other tables have.
std::string TableReader::hint(const std::string& key, const std::string& path,
                              std::span<const std::string> known,
                              const KnownKeys& elsewhere) const {
  const std::optional<std::string> meant = nearest(key, known);
  const auto place = place_of(key, path, {&state_->known, &elsewhere});
  if (place && !(meant && edit_distance(key, *meant) == 1)) return "; it belongs " + *place;
  return meant ? "; nearest: '" + *meant + "'" : "";
}

std::optional<Error> TableReader::unknown_key(const TomlTable& table, const std::string& path,
                                              const KnownKeys& elsewhere) const {
  if (state_->handed_out.contains(&table)) return std::nullopt;
  const auto asked = state_->asked.find(&table);
  const std::vector<std::string> known =
      asked == state_->asked.end()
          ? std::vector<std::string>{}
          : std::vector<std::string>(asked->second.begin(), asked->second.end());
  for (const TomlEntry& entry : table.entries) {
    const std::string full = path.empty() ? entry.key : path + "." + entry.key;
    if (std::find(known.begin(), known.end(), entry.key) == known.end()) {
      const std::string message = file_name() + ":" + std::to_string(entry.value.line) + ": key '" +
                                  printable(full) + "' is unknown";
      return Error{message + hint(entry.key, path, known, elsewhere)};
    }
    if (const auto* below = std::get_if<TomlTable>(&entry.value.data)) {
      if (auto error = unknown_key(*below, full, elsewhere)) return error;
    }
    const auto* array = std::get_if<TomlArray>(&entry.value.data);
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
      const auto* item = std::get_if<TomlTable>(&(*array)[i].data);
      if (item == nullptr) continue;
      if (auto error = unknown_key(*item, full + "[" + std::to_string(i) + "]", elsewhere)) {
        return error;
      }
    }
  }
  return std::nullopt;
}

const KnownKeys& TableReader::known_keys() const { return state_->known; }

Status TableReader::finish(const KnownKeys& elsewhere) const {
  if (state_->first_error) return *state_->first_error;
  if (table_ == nullptr) return {};
  if (auto error = unknown_key(*table_, path_, elsewhere)) return *std::move(error);
  return {};
}

}  // namespace lookback::base
