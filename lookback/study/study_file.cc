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
#include "lookback/study/arm_name.h"
#include "lookback/study/study_layers.h"

namespace lookback::study {
namespace {

constexpr std::uint64_t most_seeds = 100'000;
constexpr std::size_t longest_arm = 100;
constexpr std::size_t most_swept_arms = 1000;
constexpr std::size_t most_sizes = 16;
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

std::vector<std::string> printable_of(const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  std::ranges::transform(names, std::back_inserter(shown),
                         [](const std::string& name) { return base::printable(name); });
  return shown;
}

/// Whether a point differs from the first on one axis at most.
bool is_next_to_first(const SweepPoint& point, const Sweep& sweep) {
  std::size_t others = 0;
  for (std::size_t i = 0; i < point.at.size(); ++i) {
    others += point.at[i] != sweep.points.front().at[i] ? 1 : 0;
  }
  return others <= 1;
}

/// Whether each key and value of one size's tables is allowed, laid over `own`, so that a mistake does
/// not wait until the size is asked for. (What it becomes was laid over before: apply_size.) Whether
/// they go together is for then: they may be meant for others than those laid over.
Status check_size(const base::Document& own, base::TableReader& size, const Sweep& sweep) {
  const base::Document laid = laid_over(own, run_tables(size));
  for (const SweepPoint& point : sweep.points) {
    if (!is_next_to_first(point, sweep)) continue;  // those have every value once
    base::TableReader reader(laid_over(laid, point.tables));
    read_run_tables(reader);
    if (Status status = reader.finish(); !status) return status;
  }
  return {};
}

/// The sweep of a study, with what one of its sizes, where one is given, lays over it.
Result<Sweep> sweep_of(base::TableReader& study, base::TableReader* size) {
  base::Document table = study.document("sweep");
  std::size_t line = study.line("sweep");
  if (size != nullptr && size->has("sweep")) {
    table = base::merged(table, size->document("sweep"));
    line = size->line("sweep");
  }
  return read_sweep(table, line);
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
    const Result<Sweep> sweep = sweep_of(study, &size);
    if (!sweep) return sweep.error();
    if (Status status = check_size(own, size, *sweep); !status) return status;
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
                          const base::Document& own, const Sweep& sweep) {
  for (base::TableReader& size : own_sizes(study, arm)) {
    if (Status status = check_size(own, size, sweep); !status) return status;
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

/// What the arms of one study are read from.
struct ArmsOfStudy {
  base::TableReader& study;
  const base::Document common;  ///< the study's tables of runs
  const Sweep& sweep;
  base::KnownKeys known = {};  ///< gathers the keys that the tables of runs may have
};

bool has_path(const base::TomlTable& table, std::string_view key) {
  const std::size_t dot = key.find('.');
  if (dot == std::string_view::npos) return table.find(key) != nullptr;
  const base::TomlTable* const below = table_in(table, key.substr(0, dot));
  return below != nullptr && has_path(*below, key.substr(dot + 1));
}

/// Adds the arm `name`, whose tables are `own`, at each point of the sweep. `line`: of its name.
Status add_points(ArmsOfStudy& reading, const std::string& name, std::size_t line,
                  const base::Document& own, Study& study) {
  const std::string file = reading.study.file_name();
  for (const SweepPoint& point : reading.sweep.points) {
    base::TableReader reader(laid_over(own, point.tables));
    RunConfig config = read_run_tables(reader);
    config.arm = name_at(name, point);
    const Status read = reader.finish(reading.study.known_keys());
    if (!read) return read.error();
    add_known(reader.known_keys(), reading.known);
    const std::size_t place = point.line == 0 ? line : point.line;
    if (config.arm.size() > longest_arm) {
      return Error{fmt::format("{}:{}: arm '{}': found a name of {} bytes, allowed: at most {}",
                               file, place, config.arm, config.arm.size(), longest_arm)};
    }
    if (point.line != 0 && study.arms.size() == most_swept_arms) {
      return Error{
          fmt::format("{}:{}: found more than {} arms at points of the sweep, allowed: at most "
                      "that many",
                      file, place, most_swept_arms)};
    }
    if (Status fits = validate(config); !fits) {
      return Error{
          fmt::format("{}:{}: arm '{}': {}", file, place, config.arm, fits.error().message)};
    }
    study.swept.arms.push_back({config.arm, name, point.at});
    study.arms.push_back(std::move(config));
  }
  return {};
}

/// An arm that sets what the sweep varies would seem to be what it is not.
void refuse_swept_keys(base::TableReader& arm, const base::Document& tables, const Sweep& sweep) {
  for (const std::string& key : sweep.keys) {
    const std::size_t dot = key.find('.');
    if (has_path(tables.root, key)) {
      arm.table(key.substr(0, dot))
          .fail(key.substr(dot + 1), "found in an arm, but [sweep] varies it");
    }
  }
}

Status read_arm(ArmsOfStudy& reading, base::TableReader& arm, Study& study) {
  arm.require("name", "a name for the arm");
  const std::string name = arm.text("name", "", longest_arm);
  if (!is_arm_name(name)) {
    arm.fail("name", fmt::format("found \"{}\", allowed: {}", base::printable(name), arm_names));
    return reading.study.finish();  // a name that cannot be shown comes into no other message
  }
  const bool is_first = study.arms.empty();
  if (std::ranges::find(study.swept.arms, name, &SweptArm::base) != study.swept.arms.end()) {
    arm.fail("name", fmt::format("found \"{}\" twice, allowed: each name once", name));
  }
  const base::Document tables = run_tables(arm);
  refuse_swept_keys(arm, tables, reading.sweep);
  const base::Document own = laid_over(reading.common, tables);
  if (Status added = add_points(reading, name, arm.line("name"), own, study); !added) return added;
  if (Status status = is_first ? check_sizes(reading.study, own) : Status(); !status) return status;
  return check_sizes_of_arm(reading.study, arm, own, reading.sweep);
}

/// The arms, or, of a study without any, its own tables at each point of its sweep.
Status read_arms(ArmsOfStudy& reading, Study& study) {
  std::vector<base::TableReader> arms = reading.study.tables("arm");
  for (base::TableReader& arm : arms) {
    if (Status status = read_arm(reading, arm, study); !status) return status;
  }
  if (!arms.empty()) return {};
  if (!reading.sweep.axes.empty()) {
    const std::size_t line = reading.study.line("sweep");
    Status added = add_points(reading, "", line, reading.common, study);
    if (!added) return added;
  }
  return check_sizes(reading.study, reading.common);
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
  study.sizes.insert(study.sizes.begin(), std::string(size_as_it_is));
  Result<Sweep> sweep = sweep_of(reader, nullptr);
  if (!sweep) return sweep.error();
  study.swept.axes = sweep->axes;
  ArmsOfStudy reading{reader, run_tables(reader), *sweep};
  if (Status status = read_arms(reading, study); !status) return status.error();
  study.claims = read_claims(reader, study.swept);
  check_sizes_of_claims(reader);
  if (Status status = reader.finish(reading.known); !status) return status.error();
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
  if (Status applied = apply_overrides(overrides, *document); !applied) return applied.error();
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
