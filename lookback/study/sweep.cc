#include "lookback/study/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "lookback/base/toml_table.h"
#include "lookback/base/toml_values.h"

namespace lookback::study {
namespace {

constexpr std::size_t most_values = 256;
constexpr std::size_t most_points = 1000;
constexpr double largest_value = 1e300;
constexpr std::string_view column_allowed =
    "a list of numbers, or a table with values, or with from, to and count";

/// One key of the table with all its values.
struct Column {
  std::string key;
  std::vector<base::TomlValue> values;
  std::string with;  ///< the key whose values it follows; empty of an axis
  bool logarithmic = false;
  std::size_t line = 0;
};

double number_in_toml(const base::TomlValue& value) {
  return base::as_number(value, -largest_value, largest_value).value_or(0);
}

/// As a name shows it: the fewest digits that give the number back.
std::string text_of(double value) { return fmt::format("{}", value); }

double with_four_digits(double value) {
  const std::string text = fmt::format("{:.4g}", value);
  double rounded = value;
  std::from_chars(text.data(), text.data() + text.size(), rounded);
  return rounded;
}

/// "model.context": words of letters, digits, - and _, with dots between them.
bool is_key_of_runs(std::string_view key) {
  const auto in_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  bool after_word = false, has_dot = false;
  for (const char c : key) {
    if (c == '.' && !after_word) return false;
    if (c != '.' && !in_word(c)) return false;
    has_dot = has_dot || c == '.';
    after_word = c != '.';
  }
  return after_word && has_dot;
}

class ColumnReader {
 public:
  ColumnReader(base::TableReader& sweep, const base::TomlTable& table)
      : sweep_(sweep), table_(table) {}

  Column read(const std::string& key) {
    Column column{key, {}, {}, false, sweep_.line(key)};
    const base::TomlValue& value = *table_.find(key);
    const auto* const list = std::get_if<base::TomlArray>(&value.data);
    if (!is_key_of_runs(key)) {
      sweep_.fail(key, "is no key of a run's tables; write it in quotes: \"model.context\"");
    } else if (list != nullptr) {
      sweep_.numbers(key, {}, most_values, -largest_value, largest_value);
      column.values = *list;
    } else if (std::holds_alternative<base::TomlTable>(value.data)) {
      read_table(std::get<base::TomlTable>(value.data), column);
    } else {
      sweep_.fail(key, fmt::format("found {}, allowed: {}", base::shown(value), column_allowed));
    }
    check_values(column);
    return column;
  }

 private:
  void read_table(const base::TomlTable& table, Column& column) {
    base::TableReader reader = sweep_.table(column.key);
    if (reader.has("with")) {
      column.with = reader.text("with", "", 200);
      read_list(reader, table, column, false);
    } else {
      const std::string scale =
          reader.choice("scale", "linear", std::vector<std::string>{"linear", "log"});
      column.logarithmic = scale == "log";
      if (reader.has("values")) {
        read_list(reader, table, column, true);
      } else {
        read_range(reader, column);
      }
    }
  }

  static void read_list(base::TableReader& reader, const base::TomlTable& table, Column& column,
                        bool of_numbers) {
    if (!reader.require("values", "a list")) return;
    const base::TomlValue& values = *table.find("values");
    const auto* const list = std::get_if<base::TomlArray>(&values.data);
    if (list == nullptr || list->size() > most_values) {
      reader.fail("values", fmt::format("found {}, allowed: a list of at most {}",
                                        base::shown(values), most_values));
      return;
    }
    if (of_numbers) reader.numbers("values", {}, most_values, -largest_value, largest_value);
    column.values = *list;
  }

  static void read_range(base::TableReader& reader, Column& column) {
    if (!reader.require("from", column_allowed) || !reader.require("to", "a number") ||
        !reader.require("count", "how many values")) {
      return;
    }
    const double from = reader.number("from", 0, -largest_value, largest_value);
    const double to = reader.number("to", 0, -largest_value, largest_value);
    const std::uint64_t count = reader.count("count", 2, 2, most_values);
    if (from >= to) {
      reader.fail("from", fmt::format("found {}, allowed: a number below to = {}", text_of(from),
                                      text_of(to)));
    } else if (column.logarithmic && from <= 0) {
      reader.fail("from",
                  fmt::format("found {}, allowed on a log scale: a number above 0", text_of(from)));
    } else {
      add_range(from, to, count, column);
    }
  }

  static void add_range(double from, double to, std::uint64_t count, Column& column) {
    const bool is_whole = std::floor(from) == from && std::floor(to) == to &&
                          std::max(std::abs(from), std::abs(to)) < 1e15;
    for (std::uint64_t i = 0; i < count; ++i) {
      const double share = static_cast<double>(i) / static_cast<double>(count - 1);
      double value =
          column.logarithmic ? from * std::pow(to / from, share) : from + (to - from) * share;
      if (i == 0 || i + 1 == count) value = i == 0 ? from : to;
      if (is_whole) {
        column.values.push_back({std::llround(value), column.line});
      } else {
        column.values.push_back(
            {i == 0 || i + 1 == count ? value : with_four_digits(value), column.line});
      }
    }
  }

  /// Of an axis: some values, no two alike, and on a log scale all above 0.
  void check_values(const Column& column) {
    if (column.values.empty()) {
      sweep_.fail(column.key, "found no value, allowed: one or more");
    }
    if (!column.with.empty()) return;
    std::vector<double> values;
    values.reserve(column.values.size());
    for (const base::TomlValue& value : column.values) {
      const double number = number_in_toml(value);
      if (column.logarithmic && number <= 0) {
        sweep_.fail(column.key, fmt::format("found {} on a log scale, allowed: numbers above 0",
                                            text_of(number)));
      }
      if (std::ranges::find(values, number) != values.end()) {
        sweep_.fail(column.key,
                    fmt::format("found {} twice, allowed: each value once", text_of(number)));
      }
      values.push_back(number);
    }
  }

  base::TableReader& sweep_;
  const base::TomlTable& table_;
};

std::string last_word(const std::string& key) { return key.substr(key.rfind('.') + 1); }

std::vector<SweepAxis> axes_of(const std::vector<Column>& columns) {
  std::vector<SweepAxis> axes;
  for (const Column& column : columns) {
    if (!column.with.empty()) continue;
    const auto ends_alike = [&](const Column& other) {
      return other.with.empty() && last_word(other.key) == last_word(column.key);
    };
    const bool is_alone = std::ranges::count_if(columns, ends_alike) == 1;
    SweepAxis axis{
        column.key, is_alone ? last_word(column.key) : column.key, {}, column.logarithmic};
    axis.values.reserve(column.values.size());
    for (const base::TomlValue& value : column.values) axis.values.push_back(number_in_toml(value));
    axes.push_back(std::move(axis));
  }
  return axes;
}

/// What moves with a key must have as many values as that key, which is an axis.
void check_followers(base::TableReader& reader, const std::vector<Column>& columns,
                     const std::vector<SweepAxis>& axes) {
  for (const Column& column : columns) {
    if (column.with.empty()) continue;
    const auto axis = std::ranges::find(axes, column.with, &SweepAxis::key);
    if (axis == axes.end()) {
      reader.fail(column.key,
                  fmt::format("found with = {}, allowed: another key of [sweep] that has "
                              "numbers of its own",
                              base::shown({column.with, 0})));
    } else if (axis->values.size() != column.values.size()) {
      reader.fail(column.key, fmt::format("found {} values, allowed: {}, as many as {} has",
                                          column.values.size(), axis->values.size(), axis->key));
    }
  }
}

/// Gives the tables that were made on the way to a value that value's line.
void fill_lines(base::TomlTable& table, std::size_t line) {
  for (base::TomlEntry& entry : table.entries) {
    if (entry.value.line == 0) entry.value.line = line;
    if (auto* const below = std::get_if<base::TomlTable>(&entry.value.data))
      fill_lines(*below, line);
  }
}

/// The point at these places on the axes.
SweepPoint point_at(const std::vector<std::size_t>& places, const std::vector<SweepAxis>& axes,
                    const std::vector<Column>& columns, const std::string& file_name) {
  SweepPoint point{{}, {}, {file_name, {}}, 0};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const double value = axes[i].values[places[i]];
    point.at.push_back(value);
    point.name += fmt::format("{}{}={}", i == 0 ? "" : ",", axes[i].label, text_of(value));
    for (const Column& column : columns) {
      if (column.key != axes[i].key && column.with != axes[i].key) continue;
      point.tables.set(column.key, column.values[places[i]]);
      fill_lines(point.tables.root, column.line);
      if (column.with.empty()) point.line = column.line;
    }
  }
  return point;
}

/// Moves to the next point of the grid, the last axis first; whether there is one.
bool advance(std::vector<std::size_t>& places, const std::vector<SweepAxis>& axes) {
  for (std::size_t i = axes.size(); i-- > 0;) {
    if (++places[i] < axes[i].values.size()) return true;
    places[i] = 0;
  }
  return false;
}

}  // namespace

std::vector<std::string> SweptArms::names() const {
  std::vector<std::string> found;
  found.reserve(arms.size());
  for (const SweptArm& arm : arms) found.push_back(arm.name);
  return found;
}

std::vector<std::string> SweptArms::bases() const {
  std::vector<std::string> found;
  for (const SweptArm& arm : arms) {
    if (std::ranges::find(found, arm.base) == found.end()) found.push_back(arm.base);
  }
  return found;
}

Result<Sweep> read_sweep(const base::Document& table, std::size_t line) {
  base::Document document{table.file_name, {}};
  document.root.entries.push_back({"sweep", {table.root, line}});
  base::TableReader root(std::move(document));
  base::TableReader sweep = root.table("sweep");
  Sweep found;
  std::vector<Column> columns;
  ColumnReader reader(sweep, table.root);
  for (const std::string& key : sweep.keys()) {
    columns.push_back(reader.read(key));
    found.keys.push_back(key);
  }
  found.axes = axes_of(columns);
  check_followers(sweep, columns, found.axes);
  std::size_t points = 1;
  for (const SweepAxis& axis : found.axes)
    points = std::min(points * axis.values.size(), 2 * most_points);
  if (points > most_points) {
    root.fail("sweep", fmt::format("its grid has more than {} points, allowed: at most that many",
                                   most_points));
  }
  if (Status status = root.finish(); !status) return status.error();
  std::vector<std::size_t> places(found.axes.size(), 0);
  do {
    found.points.push_back(point_at(places, found.axes, columns, table.file_name));
  } while (advance(places, found.axes));
  return found;
}

std::string name_at(std::string_view arm, const SweepPoint& point) {
  return fmt::format("{}{}{}", arm, arm.empty() || point.name.empty() ? "" : ",", point.name);
}

}  // namespace lookback::study
