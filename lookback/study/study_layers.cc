#include "lookback/study/study_layers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "lookback/base/printable.h"
#include "lookback/data/task.h"

namespace lookback::study {
namespace {

/// The kind of optimizer that a table's train.optimizer names; none where it names none.
std::optional<std::string> optimizer_of(const base::TomlTable& table) {
  const base::TomlTable* const train = table_in(table, "train");
  const base::TomlTable* const optimizer =
      train == nullptr ? nullptr : table_in(*train, "optimizer");
  const base::TomlValue* const kind = optimizer == nullptr ? nullptr : optimizer->find("kind");
  const auto* const name = kind == nullptr ? nullptr : std::get_if<std::string>(&kind->data);
  return name == nullptr ? std::nullopt : std::optional(*name);
}

/// Where `over` names a kind of task, keys of `below` that this kind lacks are dropped from it.
void drop_keys_of_another_task(base::TomlTable& below, const base::TomlTable& over) {
  const base::TomlTable* const data = table_in(over, "data");
  const base::TomlValue* const kind = data == nullptr ? nullptr : data->find("kind");
  const auto* const name = kind == nullptr ? nullptr : std::get_if<std::string>(&kind->data);
  if (name == nullptr || table_in(below, "data") == nullptr) return;
  const auto kinds = data::task_kinds();
  const auto own = std::ranges::find(kinds, *name, &data::TaskKind::name);
  if (own == kinds.end()) return;  // the reader refuses it
  const auto has = [](const data::TaskKind& row, const std::string& key) {
    return std::ranges::find(row.keys, key, &base::Key::name) != row.keys.end();
  };
  auto& table = std::get<base::TomlTable>(below.find("data")->data);
  std::erase_if(table.entries, [&](const base::TomlEntry& entry) {
    return !has(*own, entry.key) && std::ranges::any_of(kinds, [&](const data::TaskKind& row) {
      return has(row, entry.key);
    });
  });
}

/// The tables of an array, [[arm]] or [[claim]]; who reads it reports what is not a table.
std::vector<base::TomlTable*> tables_in(base::Document& document, std::string_view array) {
  std::vector<base::TomlTable*> found;
  base::TomlValue* const value = document.root.find(array);
  auto* const list = value == nullptr ? nullptr : std::get_if<base::TomlArray>(&value->data);
  if (list == nullptr) return found;
  for (base::TomlValue& item : *list) {
    if (auto* const table = std::get_if<base::TomlTable>(&item.data)) found.push_back(table);
  }
  return found;
}

/// The command line's tokens hold for every arm, also for one with tokens of its own, and in place of
/// tokens that move with a key of the sweep. Error: they are what the sweep varies.
Status override_tokens(base::Document& document, std::uint64_t tokens) {
  const std::string key = "train.tokens";
  base::TomlValue* const sweep = document.root.find("sweep");
  auto* const columns = sweep == nullptr ? nullptr : std::get_if<base::TomlTable>(&sweep->data);
  if (columns != nullptr && columns->find(key) != nullptr) {
    const base::TomlTable* const column = table_in(*columns, key);
    if (column == nullptr || column->find("with") == nullptr) {
      return Error{
          fmt::format("{}:{}: --tokens: found with a sweep over {}, allowed: one of the two",
                      document.file_name, columns->find(key)->line, key)};
    }
    std::erase_if(columns->entries, [&](const auto& entry) { return entry.key == key; });
  }
  const base::TomlValue value = {static_cast<std::int64_t>(tokens), 0};
  document.set("train.tokens", value);
  for (base::TomlTable* const arm : tables_in(document, "arm")) {
    base::TomlValue* const train = arm->find("train");
    auto* const own = train == nullptr ? nullptr : std::get_if<base::TomlTable>(&train->data);
    if (own == nullptr) continue;
    if (base::TomlValue* const found = own->find("tokens")) *found = value;
  }
  return {};
}

/// A key of the text, in every table [data] that says so: the study's, or arms' own.
void override_text(base::Document& document, const std::string& key, const std::string& text) {
  const auto lay = [&](base::TomlTable& root) {
    base::TomlValue* const data = root.find("data");
    auto* const table = data == nullptr ? nullptr : std::get_if<base::TomlTable>(&data->data);
    if (table == nullptr) return;
    const base::TomlValue* const kind = table->find("kind");
    const auto* const name = kind == nullptr ? nullptr : std::get_if<std::string>(&kind->data);
    if (base::TomlValue* const found = table->find(key)) {
      found->data = text;
    } else if (name != nullptr && *name == "tokens") {
      table->entries.push_back({key, {text, 0}});
    }
  };
  lay(document.root);
  for (base::TomlTable* const arm : tables_in(document, "arm")) lay(*arm);
}

/// `table` with the values of its own sizes.`size` laid over it. `kind`: as in laid_over.
base::TomlTable at_size(const base::TomlTable& table, const std::string& size,
                        const std::string& kind) {
  const base::TomlTable* sizes = table_in(table, "sizes");
  const base::TomlTable* values = sizes == nullptr ? nullptr : table_in(*sizes, size);
  if (values == nullptr) return table;
  return laid_over({"", table}, {"", *values}, kind).root;
}

/// Lays the tables of one of the study's sizes over it, its arms and its claims.
Status apply_size(base::Document& document, const std::string& size) {
  if (size == size_as_it_is) return {};
  const base::TomlTable* sizes = table_in(document.root, "sizes");
  if (sizes == nullptr || table_in(*sizes, size) == nullptr) {
    std::vector<std::string> names = {std::string(size_as_it_is)};
    for (std::size_t i = 0; sizes != nullptr && i < sizes->entries.size(); ++i) {
      const std::string& name = sizes->entries[i].key;
      if (table_in(*sizes, name) != nullptr) names.push_back(base::printable(name));
    }
    return Error{fmt::format("{}: --size: found '{}', allowed: {}", document.file_name,
                             base::printable(size), fmt::join(names, ", "))};
  }
  const std::string standard = train::OptimizerConfig().kind;
  const std::string kind =
      optimizer_of(document.root).value_or(standard);  // of arms that name none
  document.root = at_size(document.root, size, standard);
  for (const char* array : {"arm", "claim"}) {
    for (base::TomlTable* const table : tables_in(document, array)) {
      *table = at_size(*table, size, kind);
    }
  }
  return {};
}

}  // namespace

const base::TomlTable* table_in(const base::TomlTable& table, std::string_view key) {
  const base::TomlValue* found = table.find(key);
  return found == nullptr ? nullptr : std::get_if<base::TomlTable>(&found->data);
}

base::Document laid_over(base::Document below, const base::Document& over,
                         const std::string& kind) {
  const std::optional<std::string> named = optimizer_of(over.root);
  const bool is_another = named && *named != optimizer_of(below.root).value_or(kind);
  if (is_another && table_in(below.root, "train") != nullptr) {
    auto& train = std::get<base::TomlTable>(below.root.find("train")->data);
    std::erase_if(train.entries, [](const auto& entry) { return entry.key == "optimizer"; });
  }
  drop_keys_of_another_task(below.root, over.root);
  return base::merged(below, over);
}

Status apply_overrides(const Overrides& overrides, base::Document& study) {
  if (overrides.size) {
    if (Status applied = apply_size(study, *overrides.size); !applied) return applied;
  }
  if (overrides.seeds) {
    study.set("seeds", {static_cast<std::int64_t>(*overrides.seeds), 0});
  }
  if (overrides.tokens) {
    if (Status laid = override_tokens(study, *overrides.tokens); !laid) return laid;
  }
  if (overrides.directory) override_text(study, "directory", *overrides.directory);
  if (overrides.checksum) override_text(study, "checksum", *overrides.checksum);
  return {};
}

}  // namespace lookback::study
