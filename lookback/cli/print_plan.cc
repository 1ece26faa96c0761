#include "lookback/cli/print_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "lookback/base/count.h"

namespace lookback::cli {
namespace {

using study::RunPlan;
using study::Work;

/// Runs of one arm with seeds that follow one another, of which the same is planned.
struct PlanRow {
  std::string arm;
  std::uint64_t first_seed = 0, last_seed = 0;
  std::string state, work;
  std::vector<std::string> notes;

  std::string seeds() const {
    if (first_seed == last_seed) return fmt::format("seed {}", first_seed);
    return fmt::format("seeds {}-{}", first_seed, last_seed);
  }
};

std::string state_text(const RunPlan& run) {
  if (run.work == Work::repair) return "damaged";
  if (run.lengthens) return "shorter";
  constexpr const char* texts[] = {"not started", "unfinished", "finished", "diverged"};
  return texts[static_cast<std::size_t>(run.state)];
}

std::string training_text(const RunPlan& run) {
  if (run.work == Work::make) return fmt::format("train {} steps", run.steps());
  if (!run.from_step) return fmt::format("train {} steps from the start", run.steps());
  return fmt::format("resume from step {} of {}", *run.from_step, run.steps());
}

std::string work_text(const RunPlan& run) {
  const std::string repair = run.work == Work::repair ? "repair, then " : "";
  if (run.trains) return repair + training_text(run);
  if (run.looks) return repair + (run.config.data.is_text() ? "evaluate and inspect" : "inspect");
  return run.work == Work::repair ? "repair" : "leave as is";
}

PlanRow row_of(const RunPlan& run) {
  return {run.config.arm,  run.config.seed, run.config.seed,
          state_text(run), work_text(run),  run.notes};
}

bool continues(const PlanRow& row, const PlanRow& next) {
  return row.arm == next.arm && row.last_seed + 1 == next.first_seed && row.state == next.state &&
         row.work == next.work && row.notes.empty() && next.notes.empty();
}

/// Arm by arm; `runs` come seed by seed.
std::vector<PlanRow> rows_of(std::vector<RunPlan> runs) {
  std::vector<std::string> arms;
  for (const RunPlan& run : runs) {
    if (std::ranges::find(arms, run.config.arm) == arms.end()) arms.push_back(run.config.arm);
  }
  std::ranges::stable_sort(runs, {}, [&](const RunPlan& run) {
    return std::ranges::find(arms, run.config.arm) - arms.begin();
  });
  std::vector<PlanRow> rows;
  for (const RunPlan& run : runs) {
    PlanRow row = row_of(run);
    if (!rows.empty() && continues(rows.back(), row)) {
      rows.back().last_seed = row.last_seed;
    } else {
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

/// The width of a column.
template <class Text>
std::size_t width_of(const std::vector<PlanRow>& rows, Text text) {
  std::size_t width = 0;
  for (const PlanRow& row : rows) width = std::max(width, text(row).size());
  return width;
}

}  // namespace

std::string plan_text(const study::StudyPlan& plan) {
  const std::vector<PlanRow> rows = rows_of(plan.runs);
  const std::size_t arms = width_of(rows, [](const PlanRow& row) { return row.arm; });
  const std::size_t seeds = width_of(rows, [](const PlanRow& row) { return row.seeds(); });
  const std::size_t states = width_of(rows, [](const PlanRow& row) { return row.state; });
  std::string text = fmt::format("{}: {} run{}\n", plan.directory.string(), plan.runs.size(),
                                 plan.runs.size() == 1 ? "" : "s");
  for (const PlanRow& row : rows) {
    text += fmt::format("  {:{}}  {:{}}  {:{}}  {}\n", row.arm, arms, row.seeds(), seeds, row.state,
                        states, row.work);
    for (const std::string& note : row.notes) text += fmt::format("    {}\n", note);
  }
  if (!plan.untrue.empty()) text += fmt::format("removes {}\n", fmt::join(plan.untrue, ", "));
  if (plan.writes_study_file) text += "writes study.toml\n";
  std::uint64_t all = 0;
  for (const RunPlan& run : plan.runs) all += run.config.train.tokens;
  return text + fmt::format("left to train: {} of {} tokens\n",
                            base::count_text(plan.tokens_left()), base::count_text(all));
}

}  // namespace lookback::cli
