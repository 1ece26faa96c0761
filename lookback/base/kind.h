// A thing of several kinds, each with keys of its own: tables of a study file such as
// [train.optimizer] and [data]. A kind is described once, in a row; the reader and the writer of
// study files, the error messages and the tables of docs/formats.md come from the row.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lookback/base/require.h"
#include "lookback/base/toml_table.h"

namespace lookback::base {

/// A range of whole numbers, both ends included.
using Range = std::pair<std::int64_t, std::int64_t>;

using KeyValue = std::variant<double, std::int64_t, bool, std::string, Range>;

/// One key of a kind.
struct Key {
  std::string name = {};
  KeyValue fallback = {};                 ///< its type is the key's type
  double least = 0, most = 0;             ///< limits of numbers, both allowed; of a text its length
  std::vector<std::string> options = {};  ///< of a text: the values allowed; none: any text
  std::string meaning = {};               ///< one line
};

/// A row: what the tables of all kinds share.
struct Kind {
  std::string name = {};       ///< `kind` in a study file
  std::string meaning = {};    ///< one line, with the publication
  std::vector<Key> keys = {};  ///< in the order in which they are written
};

/// A kind with a value for each of its keys.
struct KindConfig {
  std::string kind = {};
  std::map<std::string, KeyValue, std::less<>> values = {};

  KindConfig() = default;
  /// The kind with its defaults.
  explicit KindConfig(const Kind& row);

  // The value of a key. REQUIRES that the kind has this key, with this type.
  double number(std::string_view key) const { return get<double>(key); }
  std::int64_t integer(std::string_view key) const { return get<std::int64_t>(key); }
  bool flag(std::string_view key) const { return get<bool>(key); }
  const std::string& text(std::string_view key) const { return get<std::string>(key); }
  const Range& range(std::string_view key) const { return get<Range>(key); }
  bool has(std::string_view key) const { return values.find(key) != values.end(); }

  bool operator==(const KindConfig&) const = default;

 private:
  template <class T>
  const T& get(std::string_view key) const {
    const auto value = values.find(key);
    LOOKBACK_REQUIRE(value != values.end() && std::holds_alternative<T>(value->second));
    return *std::get_if<T>(&value->second);
  }
};

/// Reads `kind`, by default that of the first row, and the keys of its row; errors go to the reader's
/// finish(). A key of another kind is an error that says so. `what` names the thing: "optimizer".
KindConfig read_kind(TableReader& table, std::span<const Kind* const> rows, std::string_view what);

/// `kind = "NAME"` and every key of the row with its value, a line each.
std::string to_toml(const KindConfig& config, const Kind& row);

/// The rows of a table whose rows hold more than a Kind.
template <class Row>
std::vector<const Kind*> kinds_of(std::span<const Row> rows) {
  std::vector<const Kind*> kinds;
  kinds.reserve(rows.size());
  for (const Row& row : rows) kinds.push_back(&row);
  return kinds;
}

}  // namespace lookback::base
