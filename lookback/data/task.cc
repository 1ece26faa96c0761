#include "lookback/data/task.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lookback/base/nearest.h"
#include "lookback/base/printable.h"
#include "lookback/data/repeated_blocks.h"

namespace lookback::data {
namespace {

bool is_hexadecimal(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

void check_checksum(const base::KindConfig& config, base::TableReader& table) {
  const std::string& checksum = config.text("checksum");
  if (std::ranges::all_of(checksum, is_hexadecimal)) return;
  table.fail("checksum",
             fmt::format("found \"{}\", allowed: hexadecimal digits", base::printable(checksum)));
}

}  // namespace

TaskKind text_kind() {
  TaskKind row;
  row.name = "tokens";
  row.meaning = "windows of text: token files of `lookback tokens prepare`";
  row.keys = {
      {.name = "checksum",
       .fallback = std::string(),
       .most = 100,
       .meaning = "of the tokens, which then must be these; found when they are opened"},
      {.name = "repeats",
       .fallback = 0.0,
       .least = 0,
       .most = 1,
       .meaning = "the share of windows that repeat their first tokens until they are full"},
      period_key("of what is repeated, and of the probes")};
  row.probes = block_probes();
  row.check = check_checksum;
  return row;
}

std::span<const TaskKind> task_kinds() {
  static const std::vector<TaskKind> kinds = {repeated_blocks_kind(),
                                              unseen_period_kind(),
                                              broken_period_kind(),
                                              random_repeat_kind(),
                                              mqar_kind(),
                                              markov_chains_kind(),
                                              text_kind()};
  return kinds;
}

Result<const TaskKind*> find_task(std::string_view name) {
  const auto kinds = task_kinds();
  const auto found = std::ranges::find(kinds, name, &TaskKind::name);
  if (found != kinds.end()) return &*found;
  const auto names = task_names();
  const auto meant = base::nearest(name, names);
  return Error{fmt::format("found the task \"{}\", allowed: {}{}", base::printable(name),
                           fmt::join(names, ", "), meant ? "; nearest: " + *meant : "")};
}

std::span<const std::string> task_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> made;
    for (const TaskKind& kind : task_kinds()) {
      if (kind.make != nullptr) made.push_back(kind.name);
    }
    return made;
  }();
  return names;
}

Result<std::unique_ptr<Task>> make_task(const base::KindConfig& config, const TaskSizes& sizes) {
  const Result<const TaskKind*> kind = find_task(config.kind);
  if (!kind) return kind.error();
  if ((*kind)->make == nullptr) {
    return Error{fmt::format("\"{}\" is not drawn at random; allowed: {}", config.kind,
                             fmt::join(task_names(), ", "))};
  }
  return (*kind)->make(config, sizes);
}

base::KindConfig probe_config(std::string_view name, const base::KindConfig& other) {
  base::KindConfig config(**find_task(name));
  for (auto& [key, value] : config.values) {
    const auto found = other.values.find(key);
    if (found != other.values.end() && found->second.index() == value.index()) {
      value = found->second;
    }
  }
  return config;
}

}  // namespace lookback::data
