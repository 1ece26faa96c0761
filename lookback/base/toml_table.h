// Reading a TOML document strictly: key by key, each with its default and its allowed values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lookback/base/count.h"
#include "lookback/base/nearest.h"
#include "lookback/base/result.h"
#include "lookback/base/toml_document.h"

namespace lookback::base {

/// The keys that each table may have, by the table's path: "", "train", "arm[].model".
using KnownKeys = std::map<std::string, std::set<std::string, std::less<>>, std::less<>>;

/// A view of one table of a document. Ask for every key that exists, then call finish() once on the
/// reader of the whole document: it returns the FIRST error of this reader and of all readers
/// obtained from it, or else the first key that nobody asked for, with the table it belongs in or
/// the nearest known key.
///
///   TableReader study(document);
///   const auto tokens = study.table("train").count("tokens", 40'000'000, 1, 1'000'000'000'000);
///   if (Status status = study.finish(); !status) return status.error();
///
/// Every error reads "FILE:LINE: key 'x.y': found ..., allowed ...". After an error the default is
/// returned, so that reading can continue without a test at each key. An absent key gives its
/// default, which need not lie within the limits. Copies share one state; not thread-safe.
class TableReader {
 public:
  explicit TableReader(Document document);

  bool has(std::string_view key) const;
  /// The keys in the order of the text, for tables whose names the user chooses.
  std::vector<std::string> keys() const;
  /// The line of a key, or of this table if the key is absent; 0 if unknown.
  std::size_t line(std::string_view key) const;
  const std::string& file_name() const;

  /// Records an error unless the key is there; returns whether it is.
  bool require(std::string_view key, std::string_view allowed);

  bool flag(std::string_view key, bool fallback);
  std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t min,
                       std::int64_t max);
  /// Finite; an integer will do.
  double number(std::string_view key, double fallback, double min, double max);
  /// An integer, or a string for parse_count: 40_000_000 or "40M".
  std::uint64_t count(std::string_view key, std::uint64_t fallback, std::uint64_t min,
                      std::uint64_t max);
  /// At most `max_length` bytes, without control characters except tab and newline.
  std::string text(std::string_view key, std::string_view fallback, std::size_t max_length);
  /// One of the allowed names.
  std::string choice(std::string_view key, std::string_view fallback,
                     std::span<const std::string> allowed);
  /// One allowed name or an array of them, without repetition.
  std::vector<std::string> choices(std::string_view key, std::vector<std::string> fallback,
                                   std::span<const std::string> allowed);
  /// An array of texts, at most `max_items`.
  std::vector<std::string> texts(std::string_view key, std::vector<std::string> fallback,
                                 std::size_t max_items, std::size_t max_length);
  /// An array of at most `max_items` numbers.
  std::vector<double> numbers(std::string_view key, std::vector<double> fallback,
                              std::size_t max_items, double min, double max);
  std::vector<std::int64_t> integers(std::string_view key, std::vector<std::int64_t> fallback,
                                     std::size_t max_items, std::int64_t min, std::int64_t max);
  /// A range [first, last] with min <= first <= last <= max.
  std::pair<std::int64_t, std::int64_t> integer_range(
      std::string_view key, std::pair<std::int64_t, std::int64_t> fallback, std::int64_t min,
      std::int64_t max);
  /// A range of counts, [first, end) with min <= first < end <= max: [0, "2M"].
  std::pair<std::uint64_t, std::uint64_t> count_range(
      std::string_view key, std::pair<std::uint64_t, std::uint64_t> fallback, std::uint64_t min,
      std::uint64_t max);

  /// The table under a key; an absent one reads as empty.
  TableReader table(std::string_view key);
  /// An array of tables ([[key]]); an absent one is empty.
  std::vector<TableReader> tables(std::string_view key);
  /// The table under a key as a separate document, to be merged and read later: its contents no
  /// longer count as unknown here. An absent table is empty.
  Document document(std::string_view key);

  /// Records an error about a key (for checks that concern several keys), unless there already was
  /// one. `problem` is for example "found 3, allowed: a divisor of d_model = 128".
  void fail(std::string_view key, std::string_view problem);

  /// What has been asked of this reader and all that share its document, including absent keys and
  /// tables.
  const KnownKeys& known_keys() const;

  /// See the class's comment. Unknown keys are looked for in this table and all below it.
  /// `elsewhere` are keys of tables that others read; errors use them to say where an unknown key
  /// belongs.
  Status finish(const KnownKeys& elsewhere = {}) const;

 private:
  struct State;
  TableReader(std::shared_ptr<State> state, const TomlTable* table, std::string path,
              std::size_t line);
  const TomlValue* ask(std::string_view key);
  std::string full_key(std::string_view key) const;
  void refuse(std::string_view key, const TomlValue& found, std::string_view allowed);
  template <class T, class Read>
  std::vector<T> list(std::string_view key, std::vector<T> fallback, std::size_t max_items,
                      bool single_allowed, std::string_view allowed, Read read);
  template <class T, class Read>
  std::pair<T, T> range(std::string_view key, std::pair<T, T> fallback, const std::string& allowed,
                        bool may_be_equal, Read read);
  std::string hint(const std::string& key, const std::string& path,
                   std::span<const std::string> known, const KnownKeys& elsewhere) const;
  std::optional<Error> unknown_key(const TomlTable& table, const std::string& path,
                                   const KnownKeys& elsewhere) const;

  std::shared_ptr<State> state_;
  const TomlTable* table_;  // null: absent, reads as empty
  std::string path_;        // dotted, empty for the root
  std::size_t line_;
};

}  // namespace lookback::base
