// What is planned for a directory, by what it holds; that planning changes nothing; and that what is carried
// out is what was planned.
#include "lookback/study/study_plan.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <utility>

#include "lookback/model/cpu_engine.h"
#include "lookback/study/manifest.h"
#include "lookback/study/output_place.h"
#include "lookback/study/study.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;
using spec::changed;
using spec::Listening;
using spec::parsed;
using spec::small_study;
using spec::text_of;

/// A claim that needs no inspection.
const std::string claim =
    "[[claim]]\nname = \"one\"\nsays = \"One.\"\n[[claim.test]]\narm = \"two-layer\"\n"
    "finding = \"parameters\"\nabove = 0\n";

class PlanOfAStudy : public testing::Test {
 protected:
  /// Runs the study in the directory.
  void make(const std::string& text, Listening listener = Listening(), bool resume = false,
            const Overrides& overrides = {}) {
    model::CpuEngine engine(1);
    const auto ending = run_study(parsed(text, overrides), out(), resume, engine, listener);
    ASSERT_TRUE(ending || ending.fails_with(ErrorKind::stopped)) << ending.error().message;
  }

  /// Plans the study, which must leave the directory as it is.
  Result<StudyPlan> planned(const std::string& text, bool resume, const Overrides& overrides = {}) {
    const auto before = everything();
    Result<StudyPlan> plan = plan_study(parsed(text, overrides), out(), resume);
    EXPECT_TRUE(everything() == before);
    return plan;
  }
  StudyPlan plan(const std::string& text, bool resume, const Overrides& overrides = {}) {
    Result<StudyPlan> plan = planned(text, resume, overrides);
    if (plan) return *std::move(plan);
    ADD_FAILURE() << plan.error().message;
    return {};
  }

  /// That of arm "two-layer" with seed 0, resumed.
  RunPlan first(const std::string& text, const Overrides& overrides = {}) {
    const StudyPlan whole = plan(text, true, overrides);
    return whole.runs.empty() ? RunPlan() : whole.runs.front();
  }

  /// Every file below the test's directory with its bytes, and every directory.
  std::map<std::string, std::string> everything() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(directory_.path())) {
      found[entry.path().string()] = entry.is_regular_file() ? text_of(entry.path()) : "";
    }
    return found;
  }

  static std::vector<Work> works(const StudyPlan& plan) {
    std::vector<Work> works;
    works.reserve(plan.runs.size());
    for (const RunPlan& run : plan.runs) works.push_back(run.work);
    return works;
  }

  static void flip(const fs::path& file) {
    std::string text = text_of(file);
    text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 4);
    std::ofstream(file, std::ios::binary) << text;
  }

  fs::path out() const { return directory_ / "out"; }
  fs::path run() const { return out() / "two-layer/seed-0"; }

  test::TemporaryDirectory directory_;
};

TEST_F(PlanOfAStudy, InNoDirectoryMakesEveryRun) {
  const StudyPlan found = plan(small_study, false, {.seeds = 2});
  EXPECT_EQ(works(found), std::vector<Work>(6, Work::make));
  EXPECT_TRUE(found.writes_study_file);
  EXPECT_EQ(found.untrue, Names());
  EXPECT_EQ(found.tokens_left(), 6U * 2560);
  EXPECT_EQ(found.runs[4].config.arm, "parallel");
  EXPECT_EQ(found.runs[4].config.seed, 1U);
  EXPECT_EQ(found.runs[4].directory, out() / "parallel/seed-1");
  EXPECT_EQ(found.runs[4].steps(), 10U);
  EXPECT_FALSE(fs::exists(out()));
}

TEST_F(PlanOfAStudy, ThatIsFinishedLeavesEveryRun) {
  make(small_study);
  for (const bool resume : {false, true}) {
    const StudyPlan found = plan(small_study, resume);
    EXPECT_EQ(works(found), std::vector<Work>(3, Work::leave));
    EXPECT_EQ(found.is_finished, !resume);
    EXPECT_FALSE(found.writes_study_file);
    EXPECT_EQ(found.untrue, Names());
    EXPECT_EQ(found.tokens_left(), 0U);
    EXPECT_EQ(found.runs[0].state, RunState::finished);
  }
}

TEST_F(PlanOfAStudy, ThatWasStoppedResumesTheRunThatWasUnderWay) {
  int steps = 0;
  make(small_study, Listening([&] { return ++steps == 13; }));
  EXPECT_FALSE(planned(small_study, false));
  const StudyPlan found = plan(small_study, true);
  EXPECT_EQ(works(found), (std::vector<Work>{Work::leave, Work::resume, Work::make}));
  EXPECT_EQ(found.runs[1].state, RunState::unfinished);
  EXPECT_EQ(found.runs[1].from_step, 3U);
  EXPECT_EQ(found.runs[2].from_step, std::nullopt);
  EXPECT_EQ(found.tokens_left(), (7U + 10) * 256);
}

TEST_F(PlanOfAStudy, WithMoreSeedsMakesThoseAndSummaryAndLedgerAreUntrue) {
  make(small_study + claim);
  EXPECT_FALSE(planned(small_study + claim, false, {.seeds = 2}));
  const StudyPlan found = plan(small_study + claim, true, {.seeds = 2});
  EXPECT_EQ(works(found), (std::vector<Work>{Work::leave, Work::leave, Work::leave, Work::make,
                                             Work::make, Work::make}));
  EXPECT_EQ(found.untrue, (Names{"summary.json", "ledger.json"}));
  EXPECT_TRUE(found.writes_study_file);
}

TEST_F(PlanOfAStudy, OfLongerRunsLengthensThem) {
  make(small_study);
  const Overrides longer = {.tokens = 6400};
  EXPECT_FALSE(planned(small_study, false, longer));
  const StudyPlan found = plan(small_study, true, longer);
  EXPECT_EQ(works(found), std::vector<Work>(3, Work::lengthen));
  EXPECT_EQ(found.runs[0].from_step, 10U);
  EXPECT_EQ(found.runs[0].steps(), 25U);
  EXPECT_TRUE(found.runs[0].reopens);
  EXPECT_EQ(found.tokens_left(), 3U * 15 * 256);
  EXPECT_EQ(found.untrue, Names{"summary.json"});
}

TEST_F(PlanOfAStudy, WithOtherClaimsDecidesThemAnew) {
  make(small_study + claim);
  std::string other = small_study + claim;
  other.replace(other.find("above = 0"), 9, "above = 1");
  const StudyPlan found = plan(other, false);
  EXPECT_EQ(works(found), std::vector<Work>(3, Work::leave));
  EXPECT_EQ(found.untrue, Names{"ledger.json"});
  EXPECT_TRUE(found.writes_study_file);
  EXPECT_TRUE(found.is_finished);
}

TEST_F(PlanOfAStudy, LeavesARunThatDiverged) {
  make(changed("layers = 2", "layers = 2\n[arm.train]\nlearning_rate = 100\nwarmup_steps = 0"));
  const RunPlan found = first(
      changed("layers = 2", "layers = 2\n[arm.train]\nlearning_rate = 100\nwarmup_steps = 0"));
  EXPECT_EQ(found.state, RunState::diverged);
  EXPECT_EQ(found.work, Work::leave);
}

TEST_F(PlanOfAStudy, MakesARunAgainThatIsGone) {
  make(small_study);
  fs::remove_all(out() / "parallel");
  const auto refused = planned(small_study, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message.find((out() / "parallel/seed-0").string() + ": "), 0U);
  const StudyPlan found = plan(small_study, true);
  EXPECT_EQ(works(found), (std::vector<Work>{Work::leave, Work::make, Work::leave}));
}

TEST_F(PlanOfAStudy, InspectsARunThatWasNot) {
  make(small_study);
  const StudyPlan found = plan(changed("inspect = false\n", ""), true);
  EXPECT_EQ(works(found), std::vector<Work>(3, Work::inspect));
  EXPECT_EQ(found.tokens_left(), 0U);
  EXPECT_TRUE(found.runs[0].looks);
}

TEST_F(PlanOfAStudy, RepairsResultsFromTheLastCheckpoint) {
  make(small_study);
  flip(run() / "findings.json");
  EXPECT_FALSE(plan(small_study, false).runs[0].trains) << "not looked for until it is asked for";
  const RunPlan found = first(small_study);
  EXPECT_EQ(found.work, Work::repair);
  EXPECT_TRUE(found.reopens);
  EXPECT_EQ(found.from_step, 10U);
  EXPECT_EQ(found.tokens_left(), 0U);
  ASSERT_EQ(found.notes.size(), 1U);
  EXPECT_EQ(found.notes[0].find("findings.json "), 0U);
}

TEST_F(PlanOfAStudy, RepairsACheckpointFromTheOneBefore) {
  make(small_study);
  flip(run() / "checkpoints/768.safetensors");
  const RunPlan found = first(small_study);
  EXPECT_EQ(found.work, Work::repair);
  EXPECT_EQ(found.from_step, 1U);
  EXPECT_EQ(found.lost_checkpoints, (Names{"checkpoints/2560.safetensors",
                                           "checkpoints/768.safetensors", "resume.safetensors"}));
  EXPECT_EQ(found.tokens_left(), 9U * 256);
}

TEST_F(PlanOfAStudy, RepairsACheckpointOfARunWhoseFindingsAreGoneToo) {
  make(small_study);
  fs::remove(run() / "findings.json");
  fs::remove(run() / "checkpoints/768.safetensors");
  const RunPlan found = first(small_study);
  EXPECT_EQ(found.from_step, 1U);
  EXPECT_EQ(found.lost_checkpoints, (Names{"checkpoints/2560.safetensors", "resume.safetensors"}));
}

TEST_F(PlanOfAStudy, RepairsAnInspectionWithoutTraining) {
  const std::string inspected = changed("inspect = false\n", "");
  make(inspected, Listening(), false, {.tokens = 256});
  fs::remove(run() / "inspection.json");
  const RunPlan found = first(inspected, {.tokens = 256});
  EXPECT_EQ(found.work, Work::repair);
  EXPECT_FALSE(found.trains);
  EXPECT_TRUE(found.looks);
  EXPECT_EQ(found.lost_results.front(), "inspection.json");
}

TEST_F(PlanOfAStudy, RepairsALostManifestFromMetricsAndCheckpoints) {
  make(small_study);
  flip(run() / manifest_name);
  const RunPlan found = first(small_study);
  EXPECT_EQ(found.work, Work::repair);
  EXPECT_TRUE(found.forgets_manifest);
  EXPECT_EQ(found.from_step, 10U);
}

TEST_F(PlanOfAStudy, NamesCheckpointsThatAreSkipped) {
  int steps = 0;
  make(small_study, Listening([&] { return ++steps == 5; }));
  flip(run() / "resume.safetensors");
  const RunPlan found = first(small_study);
  EXPECT_EQ(found.work, Work::resume);
  EXPECT_EQ(found.from_step, 3U);
  ASSERT_EQ(found.notes.size(), 1U);
  EXPECT_NE(found.notes[0].find((run() / "resume.safetensors").string()), std::string::npos);
}

TEST_F(PlanOfAStudy, ThatIsRefusedWritesNothing) {
  make(small_study, Listening(), false, {.tokens = 512, .seeds = 2});
  const Overrides as_made = {.tokens = 512, .seeds = 2};
  EXPECT_FALSE(planned(changed("batch = 8", "batch = 16"), true, as_made)) << "another study";
  EXPECT_FALSE(planned(small_study, true, {.tokens = 512, .seeds = 1})) << "fewer seeds";
  EXPECT_FALSE(planned(small_study, true, {.tokens = 256, .seeds = 2})) << "fewer tokens";
  std::ofstream(out() / "claims.json") << "{}";
  EXPECT_FALSE(planned(small_study, true, as_made)) << "a record of claims that was changed";
  fs::remove(out() / "claims.json");
  fs::remove_all(out() / "parallel/seed-1");
  fs::copy(out() / "parallel/seed-0", out() / "parallel/seed-1", fs::copy_options::recursive);
  EXPECT_FALSE(planned(small_study, true, as_made)) << "another run in the place of one";
  fs::remove_all(out());
  fs::create_directory(out());
  std::ofstream(out() / "study.toml") << "question = \"Mine?\"\n";
  EXPECT_FALSE(planned(small_study, true)) << "beside a study file of a person's own";
}

TEST_F(PlanOfAStudy, IsWhatIsCarriedOut) {
  make(small_study);
  flip(run() / "findings.json");
  flip(out() / "sequential/seed-0/checkpoints/2560.safetensors");
  const Overrides more = {.seeds = 2};
  const StudyPlan before = plan(small_study, true, more);
  std::map<std::pair<std::string, std::uint64_t>, std::uint64_t> planned_steps, steps;
  for (const RunPlan& planned : before.runs) {
    const std::uint64_t left = planned.tokens_left() / 256;
    if (left > 0) planned_steps[{planned.config.arm, planned.config.seed}] = left;
  }
  model::CpuEngine engine(1);
  Listening listener;
  ASSERT_TRUE(run_study(parsed(small_study, more), out(), true, engine, listener));
  for (const Progress& step : listener.heard) ++steps[{step.arm, step.seed}];
  EXPECT_EQ(steps, planned_steps);
  const StudyPlan after = plan(small_study, true, more);
  EXPECT_EQ(works(after), std::vector<Work>(6, Work::leave));
  EXPECT_TRUE(plan(small_study, false, more).is_finished);
}

TEST_F(PlanOfAStudy, IsMadeAgainForARunThatAnotherProcessEndedMeanwhile) {
  bool is_first = true;
  Listening meddling([&] {
    if (std::exchange(is_first, false)) {
      model::CpuEngine engine(1);
      Listening listener;
      const RunConfig config = parsed(small_study).run(1, 0);
      EXPECT_TRUE(run_single(config, out() / "parallel/seed-0", false, engine, listener));
    }
    return false;
  });
  model::CpuEngine engine(1);
  ASSERT_TRUE(run_study(parsed(small_study), out(), false, engine, meddling));
  std::set<std::string> arms;
  for (const Progress& step : meddling.heard) arms.insert(step.arm);
  EXPECT_EQ(arms, (std::set<std::string>{"two-layer", "sequential"}));
}

/// One run alone.
class PlanOfARun : public PlanOfAStudy {
 protected:
  Result<StudyPlan> planned_single(const RunConfig& config, bool resume) {
    const auto before = everything();
    Result<StudyPlan> plan = plan_single(config, out(), resume);
    EXPECT_TRUE(everything() == before);
    return plan;
  }
  void train(const RunConfig& config, Listening listener = Listening()) {
    model::CpuEngine engine(1);
    const Status ended = run_single(config, out(), false, engine, listener);
    ASSERT_TRUE(ended || ended.fails_with(ErrorKind::stopped)) << ended.error().message;
  }
};

TEST_F(PlanOfARun, IsAsThatOfAStudy) {
  const RunConfig config = parsed(small_study).run(0, 3);
  const auto empty = planned_single(config, false);
  ASSERT_TRUE(empty) << empty.error().message;
  ASSERT_EQ(empty->runs.size(), 1U);
  EXPECT_EQ(empty->runs[0].work, Work::make);
  train(config, Listening([] { return true; }));
  EXPECT_FALSE(planned_single(config, false)) << "it needs --resume";
  const auto stopped = planned_single(config, true);
  ASSERT_TRUE(stopped) << stopped.error().message;
  EXPECT_EQ(stopped->runs[0].work, Work::resume);
  EXPECT_EQ(stopped->runs[0].from_step, 1U);
  EXPECT_FALSE(planned_single(parsed(small_study).run(0, 4), true)) << "another run";
}

}  // namespace
}  // namespace lookback::study
