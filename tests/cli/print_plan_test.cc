// What --dry-run says of a plan.
#include "lookback/cli/print_plan.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/study/small_study.h"

namespace lookback::cli {
namespace {

using study::RunPlan;
using study::RunState;
using study::Work;

RunPlan run_of(std::size_t arm, std::uint64_t seed, RunState state, Work work) {
  RunPlan run;
  run.config = study::spec::parsed(study::spec::small_study).run(arm, seed);
  run.state = state;
  run.work = work;
  run.trains = work == Work::make || work == Work::resume || work == Work::lengthen;
  return run;
}

study::StudyPlan plan_of(std::vector<RunPlan> runs) {
  study::StudyPlan plan;
  plan.directory = "runs/small";
  plan.runs = std::move(runs);
  return plan;
}

TEST(PlanText, HasALineForRunsOfOneArmOfWhichTheSameIsPlanned) {
  std::vector<RunPlan> runs;
  runs.reserve(6);
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    runs.push_back(run_of(0, seed, RunState::finished, Work::leave));
    runs.push_back(run_of(1, seed, RunState::nothing, Work::make));
  }
  runs[5] = run_of(1, 2, RunState::unfinished, Work::resume);
  runs[5].from_step = 4;
  EXPECT_EQ(plan_text(plan_of(runs)),
            "runs/small: 6 runs\n"
            "  two-layer  seeds 0-2  finished     leave as is\n"
            "  parallel   seeds 0-1  not started  train 10 steps\n"
            "  parallel   seed 2     unfinished   resume from step 4 of 10\n"
            "left to train: 6.7k of 15.4k tokens\n");
}

TEST(PlanText, NamesWhatIsDamagedWhatIsRemovedAndWhatIsWritten) {
  RunPlan damaged = run_of(0, 0, RunState::unfinished, Work::repair);
  damaged.trains = damaged.looks = true;
  damaged.from_step = 10;
  damaged.notes = {"findings.json was changed; it is made again"};
  RunPlan uninspected = run_of(1, 0, RunState::finished, Work::inspect);
  uninspected.looks = true;
  study::StudyPlan plan = plan_of({damaged, uninspected});
  plan.untrue = {"ledger.json", "report.html"};
  plan.writes_study_file = true;
  EXPECT_EQ(plan_text(plan),
            "runs/small: 2 runs\n"
            "  two-layer  seed 0  damaged   repair, then resume from step 10 of 10\n"
            "    findings.json was changed; it is made again\n"
            "  parallel   seed 0  finished  inspect\n"
            "removes ledger.json, report.html\n"
            "writes study.toml\n"
            "left to train: 0 of 5.1k tokens\n");
}

}  // namespace
}  // namespace lookback::cli
