#include "lookback/study/study_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "lookback/base/file.h"
#include "lookback/base/printable.h"

namespace lookback::study {
namespace {

constexpr std::size_t largest_study_file = 1 << 20;
constexpr std::uint64_t most_seeds = 100'000;
const char* const tables[] = {"model", "init", "data", "train", "evaluate", "clamp"};

/// The study's own tables with one arm's laid over them.
base::Document arm_document(base::TableReader& study, base::TableReader& arm) {
  base::Document common{study.file_name(), {}};
  base::Document own{study.file_name(), {}};
  for (const char* table : tables) {
    base::Document shared = study.document(table);
    common.root.entries.push_back({table, {std::move(shared.root), study.line(table)}});
    base::Document changed = arm.document(table);
    if (!arm.has(table)) continue;
    own.root.entries.push_back({table, {std::move(changed.root), arm.line(table)}});
  }
  return base::merged(common, own);
}

Result<RunConfig> read_arm(base::TableReader& study, base::TableReader& arm) {
  arm.require("name", "a name for the arm");
  const std::string name = arm.text("name", "", 100);
  if (!is_arm_name(name)) {
    arm.fail("name", fmt::format("found \"{}\", allowed: {}", base::printable(name), arm_names));
    return study.finish().error();  // a name that cannot be shown comes into no other message
  }
  base::TableReader reader(arm_document(study, arm));
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

Result<Study> read_document(base::Document document) {
  Study study;
  study.text = base::to_text(document);
  base::TableReader reader(std::move(document));
  reader.require("name", "the study's name");
  study.name = reader.text("name", "", 200);
  study.question = reader.text("question", "", 2000);
  study.seeds = reader.count("seeds", 1, 1, most_seeds);
  for (const char* table : tables) reader.document(table);  // known, whatever the arms ask for
  for (base::TableReader& arm : reader.tables("arm")) {
    Result<RunConfig> config = read_arm(reader, arm);
    if (!config) return config.error();
    const auto same = std::ranges::find(study.arms, config->arm, &RunConfig::arm);
    if (same != study.arms.end()) {
      arm.fail("name", fmt::format("found \"{}\" twice, allowed: each name once", config->arm));
    }
    study.arms.push_back(std::move(*config));
  }
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
