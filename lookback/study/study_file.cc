#include "lookback/study/study_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "lookback/base/file.h"
#include "lookback/base/printable.h"
#include "lookback/base/toml_document.h"
#include "lookback/base/toml_values.h"

namespace lookback::study {
namespace {

constexpr std::uint64_t most_seeds = 100'000;
constexpr std::size_t most_sizes = 16;
const std::string size_as_it_is = "default";  // the study without any of its sizes
const char* const tables[] = {"model", "init", "data", "train", "evaluate", "clamp"};

/// The tables of runs that a table holds.
base::Document run_tables(base::TableReader& reader) {
  base::Document document{reader.file_name(), {}};
  for (const char* table : tables) {
    base::Document found = reader.document(table);
    if (!reader.has(table)) continue;
    document.root.entries.push_back({table, {std::move(found.root), reader.line(table)}});
  }
  return document;
}

const base::TomlTable* table_in(const base::TomlTable& table, std::string_view key) {
  const base::TomlValue* found = table.find(key);
  return found == nullptr ? nullptr : std::get_if<base::TomlTable>(&found->data);
}

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

/// `over` laid over `below`, table by table. Where it names another kind of optimizer, the one below is
/// dropped whole: its keys are not the new one's, or mean something else there. `kind` is that of a
/// table `below` which names none.
base::Document laid_over(base::Document below, const base::Document& over,
                         const std::string& kind = train::OptimizerConfig().kind) {
  const std::optional<std::string> named = optimizer_of(over.root);
  const bool is_another = named && *named != optimizer_of(below.root).value_or(kind);
  if (is_another && table_in(below.root, "train") != nullptr) {
    auto& train = std::get<base::TomlTable>(below.root.find("train")->data);
    std::erase_if(train.entries, [](const auto& entry) { return entry.key == "optimizer"; });
  }
  drop_keys_of_another_task(below.root, over.root);
  return base::merged(below, over);
}

std::vector<std::string> printable_of(const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  std::ranges::transform(names, std::back_inserter(shown),
                         [](const std::string& name) { return base::printable(name); });
  return shown;
}

/// Whether each key and value of one size's tables is allowed, laid over `own`, so that a mistake does
/// not wait until the size is asked for. (What it becomes was laid over before: apply_size.) Whether
/// they go together is for then: they may be meant for others than those laid over.
Status check_size(const base::Document& own, base::TableReader& size) {
  base::TableReader reader(laid_over(own, run_tables(size)));
  read_run_tables(reader);
  return reader.finish();
}

/// The study's [sizes.NAME], laid over the tables of one of its arms.
Status check_sizes(base::TableReader& study, const base::Document& own) {
  base::TableReader sizes = study.table("sizes");
  const std::vector<std::string> names = sizes.keys();
  if (names.size() > most_sizes) {
    study.fail("sizes", fmt::format("found {}, allowed: at most {}", names.size(), most_sizes));
    return {};
  }
  for (const std::string& name : names) {
    if (name == size_as_it_is) {
      sizes.fail(name, "found this name, allowed: another; it means the study as it stands");
    }
    base::TableReader size = sizes.table(name);
    size.count("seeds", 1, 1, most_seeds);
    if (Status status = check_size(own, size); !status) return status;
  }
  return {};
}

/// The tables [arm.sizes.NAME] or [claim.sizes.NAME] of an arm or a claim. Records an error where one
/// is not of a size of the study.
std::vector<base::TableReader> own_sizes(base::TableReader& study, base::TableReader& owner) {
  base::TableReader sizes = owner.table("sizes");
  const std::vector<std::string> names = study.table("sizes").keys();
  std::vector<base::TableReader> found;
  for (const std::string& name : sizes.keys()) {
    if (std::ranges::find(names, name) == names.end()) {
      sizes.fail(name, fmt::format("found no such size of the study, allowed: {}",
                                   names.empty() ? "none" : base::one_of(printable_of(names))));
      return {};
    }
    found.push_back(sizes.table(name));
  }
  return found;
}

Status check_sizes_of_arm(base::TableReader& study, base::TableReader& arm,
                          const base::Document& own) {
  for (base::TableReader& size : own_sizes(study, arm)) {
    if (Status status = check_size(own, size); !status) return status;
  }
  return {};
}

/// A claim may need other numbers of tokens at other sizes, and is the same claim otherwise.
void check_sizes_of_claims(base::TableReader& study) {
  for (base::TableReader& claim : study.tables("claim")) {
    for (base::TableReader& size : own_sizes(study, claim)) read_needed_tokens(size);
  }
}

/// Adds the keys of the tables of runs, which may stand in the study and in each arm.
void add_known(const base::KnownKeys& keys, base::KnownKeys& known) {
  for (const auto& [table, names] : keys) {
    if (table.empty()) continue;
    known[table].insert(names.begin(), names.end());
    known["arm[]." + table].insert(names.begin(), names.end());
  }
}

/// `is_first`: with it the study's sizes are checked, which hold for all arms. The keys that its tables
/// may have are added to `known`.
Result<RunConfig> read_arm(base::TableReader& study, const base::Document& common,
                           base::TableReader& arm, bool is_first, base::KnownKeys& known) {
  arm.require("name", "a name for the arm");
  const std::string name = arm.text("name", "", 100);
  if (!is_arm_name(name)) {
    arm.fail("name", fmt::format("found \"{}\", allowed: {}", base::printable(name), arm_names));
    return study.finish().error();  // a name that cannot be shown comes into no other message
  }
  const base::Document own = laid_over(common, run_tables(arm));
  base::TableReader reader(own);
  RunConfig config = read_run_tables(reader);
  config.arm = name;
  if (Status status = reader.finish(study.known_keys()); !status) return status.error();
  add_known(reader.known_keys(), known);
  if (Status status = is_first ? check_sizes(study, own) : Status(); !status) return status.error();
  if (Status status = check_sizes_of_arm(study, arm, own); !status) return status.error();
  if (Status status = validate(config); !status) {
    return status.error().at(
        fmt::format("{}:{}: arm '{}'", study.file_name(), arm.line("name"), name));
  }
  return config;
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

/// The command line's tokens hold for every arm, also for one with tokens of its own.
void override_tokens(base::Document& document, std::uint64_t tokens) {
  const base::TomlValue value = {static_cast<std::int64_t>(tokens), 0};
  document.set("train.tokens", value);
  for (base::TomlTable* const arm : tables_in(document, "arm")) {
    base::TomlValue* const train = arm->find("train");
    auto* const own = train == nullptr ? nullptr : std::get_if<base::TomlTable>(&train->data);
    if (own == nullptr) continue;
    if (base::TomlValue* const found = own->find("tokens")) *found = value;
  }
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
    std::vector<std::string> names = {size_as_it_is};
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

Result<Study> read_document(base::Document document) {
  Study study;
  study.text = base::to_text(document);
  base::TableReader reader(std::move(document));
  reader.require("name", "the study's name");
  study.name = reader.text("name", "", 200);
  study.question = reader.text("question", "", 2000);
  study.seeds = reader.count("seeds", 1, 1, most_seeds);
  study.sizes = reader.table("sizes").keys();
  study.sizes.insert(study.sizes.begin(), size_as_it_is);
  const base::Document common = run_tables(reader);
  std::vector<std::string> names;
  base::KnownKeys known;
  for (base::TableReader& arm : reader.tables("arm")) {
    Result<RunConfig> config = read_arm(reader, common, arm, names.empty(), known);
    if (!config) return config.error();
    const auto same = std::ranges::find(study.arms, config->arm, &RunConfig::arm);
    if (same != study.arms.end()) {
      arm.fail("name", fmt::format("found \"{}\" twice, allowed: each name once", config->arm));
    }
    names.push_back(config->arm);
    study.arms.push_back(std::move(*config));
  }
  if (names.empty()) {
    if (Status status = check_sizes(reader, common); !status) return status.error();
  }
  study.claims = read_claims(reader, names);
  check_sizes_of_claims(reader);
  if (Status status = reader.finish(known); !status) return status.error();
  if (study.arms.empty()) {
    return Error{fmt::format("{}: no [[arm]]; a study needs at least one", reader.file_name())};
  }
  return study;
}

}  // namespace

std::uint64_t Study::run_number(std::string_view arm, std::uint64_t seed) const {
  const auto place = std::ranges::find(arms, arm, &RunConfig::arm);
  return seed * arms.size() + static_cast<std::uint64_t>(place - arms.begin()) + 1;
}

Result<Study> parse_study(const std::string& text, const std::string& file_name,
                          const Overrides& overrides) {
  Result<base::Document> document = base::parse_toml(text, file_name);
  if (!document) return document.error();
  if (overrides.size) {
    if (Status applied = apply_size(*document, *overrides.size); !applied) return applied.error();
  }
  if (overrides.seeds) {
    document->set("seeds", {static_cast<std::int64_t>(*overrides.seeds), 0});
  }
  if (overrides.tokens) override_tokens(*document, *overrides.tokens);
  if (overrides.directory) override_text(*document, "directory", *overrides.directory);
  if (overrides.checksum) override_text(*document, "checksum", *overrides.checksum);
  return read_document(std::move(*document));
}

Result<Study> parse_runs_of_study(const std::string& text, const std::string& file_name) {
  Result<base::Document> document = base::parse_toml(text, file_name);
  if (!document) return document.error();
  std::erase_if(document->root.entries, [](const base::TomlEntry& entry) {
    return entry.key == "question" || entry.key == "claim";
  });
  return read_document(std::move(*document));
}

Result<Study> read_study(const std::string& path, const Overrides& overrides) {
  Result<std::string> text = base::read_file(path, base::largest_toml);
  if (!text) return text.error();
  return parse_study(*text, path, overrides);
}

}  // namespace lookback::study
