#include "lookback/study/study_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "lookback/base/file.h"
#include "lookback/base/printable.h"

namespace lookback::study {
namespace {

constexpr std::size_t largest_study_file = 1 << 20;
constexpr std::uint64_t most_seeds = 100'000;
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

/// Reads [sizes.NAME] of the study or of an arm, so that a mistake does not wait until it is asked
/// for. Their values are laid over before (apply_size).
void read_sizes(base::TableReader& reader, bool with_seeds) {
  base::TableReader sizes = reader.table("sizes");
  for (const std::string& name : sizes.keys()) {
    base::TableReader size = sizes.table(name);
    if (with_seeds) size.count("seeds", 1, 1, most_seeds);
    run_tables(size);
  }
}

/// The study's own tables with one arm's laid over them.
base::Document arm_document(const base::Document& study, base::TableReader& arm) {
  read_sizes(arm, false);
  return base::merged(study, run_tables(arm));
}

Result<RunConfig> read_arm(base::TableReader& study, const base::Document& common,
                           base::TableReader& arm) {
  arm.require("name", "a name for the arm");
  const std::string name = arm.text("name", "", 100);
  if (!is_arm_name(name)) {
    arm.fail("name", fmt::format("found \"{}\", allowed: {}", base::printable(name), arm_names));
    return study.finish().error();  // a name that cannot be shown comes into no other message
  }
  base::TableReader reader(arm_document(common, arm));
  RunConfig config = read_run_tables(reader);
  config.arm = name;
  if (Status status = reader.finish(); !status) return status.error();
  if (Status status = validate(config); !status) {
    return Error{fmt::format("{}:{}: arm '{}': {}", study.file_name(), arm.line("name"), name,
                             status.error().message)};
  }
  return config;
}

/// The command line's tokens hold for every arm, also for one with tokens of its own.
void override_tokens(base::Document& document, std::uint64_t tokens) {
  const base::TomlValue value = {static_cast<std::int64_t>(tokens), 0};
  document.set("train.tokens", value);
  base::TomlValue* const arms = document.root.find("arm");
  auto* const list = arms == nullptr ? nullptr : std::get_if<base::TomlArray>(&arms->data);
  if (list == nullptr) return;  // reading says what is wrong with it
  for (base::TomlValue& arm : *list) {
    auto* const table = std::get_if<base::TomlTable>(&arm.data);
    base::TomlValue* const train = table == nullptr ? nullptr : table->find("train");
    auto* const own = train == nullptr ? nullptr : std::get_if<base::TomlTable>(&train->data);
    if (own == nullptr) continue;
    if (base::TomlValue* const found = own->find("tokens")) *found = value;
  }
}

const base::TomlTable* table_in(const base::TomlTable& table, std::string_view key) {
  const base::TomlValue* found = table.find(key);
  return found == nullptr ? nullptr : std::get_if<base::TomlTable>(&found->data);
}

/// `table` with the values of its own sizes.`size` laid over it.
base::TomlTable at_size(const base::TomlTable& table, const std::string& size) {
  const base::TomlTable* sizes = table_in(table, "sizes");
  const base::TomlTable* values = sizes == nullptr ? nullptr : table_in(*sizes, size);
  if (values == nullptr) return table;
  return base::merged({"", table}, {"", *values}).root;
}

/// Lays the tables of one of the study's sizes over it and over its arms.
Status apply_size(base::Document& document, const std::string& size) {
  const base::TomlTable* sizes = table_in(document.root, "sizes");
  if (sizes == nullptr || table_in(*sizes, size) == nullptr) {
    std::vector<std::string> names;
    if (sizes != nullptr)
      std::ranges::transform(sizes->entries, std::back_inserter(names), &base::TomlEntry::key);
    return Error{fmt::format("{}: --size: found '{}', allowed: {}", document.file_name,
                             base::printable(size),
                             names.empty() ? "none, for it has no [sizes.NAME]"
                                           : fmt::format("{}", fmt::join(names, ", ")))};
  }
  document.root = at_size(document.root, size);
  base::TomlValue* const arms = document.root.find("arm");
  auto* const list = arms == nullptr ? nullptr : std::get_if<base::TomlArray>(&arms->data);
  if (list == nullptr) return {};  // reading says what is wrong with it
  for (base::TomlValue& arm : *list) {
    if (auto* const table = std::get_if<base::TomlTable>(&arm.data)) *table = at_size(*table, size);
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
  read_sizes(reader, true);
  const base::Document common = run_tables(reader);
  std::vector<std::string> names;
  for (base::TableReader& arm : reader.tables("arm")) {
    Result<RunConfig> config = read_arm(reader, common, arm);
    if (!config) return config.error();
    const auto same = std::ranges::find(study.arms, config->arm, &RunConfig::arm);
    if (same != study.arms.end()) {
      arm.fail("name", fmt::format("found \"{}\" twice, allowed: each name once", config->arm));
    }
    names.push_back(config->arm);
    study.arms.push_back(std::move(*config));
  }
  study.claims = read_claims(reader, names);
  if (Status status = reader.finish(); !status) return status.error();
  if (study.arms.empty()) {
    return Error{fmt::format("{}: no [[arm]]; a study needs at least one", reader.file_name())};
  }
  return study;
}

}  // namespace

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
  return read_document(std::move(*document));
}

Result<Study> read_study(const std::string& path, const Overrides& overrides) {
  Result<std::string> text = base::read_file(path, largest_study_file);
  if (!text) return text.error();
  return parse_study(*text, path, overrides);
}

}  // namespace lookback::study
