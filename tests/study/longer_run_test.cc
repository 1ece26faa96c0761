// A run that is made longer is the run that was long from the start.
#include "lookback/study/longer_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "lookback/model/cpu_engine.h"
#include "lookback/study/output_place.h"
#include "lookback/study/run_record.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using spec::changed;
using spec::json_of;
using spec::Listening;
using spec::parsed;
using spec::small_study;
using spec::text_of;

// 10 steps and 25: evaluations and checkpoints of the shorter run's end are none of the longer's.
const Overrides shorter{.tokens = 2560, .seeds = {}};
const Overrides longer{.tokens = 6400, .seeds = {}};

RunConfig config_of(const Overrides& tokens, const std::string& text = small_study) {
  RunConfig config = parsed(text, tokens).run(2, 1);
  config.evaluate.inspect = true;
  return config;
}

/// Runs arm "sequential" with seed 1 in a directory.
Status single(const RunConfig& config, const std::filesystem::path& directory, bool resume,
              Listening listener = Listening()) {
  model::CpuEngine engine(2);
  return run_single(config, directory, resume, engine, listener);
}

std::vector<std::string> files_in(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    names.push_back(entry.path().lexically_relative(directory).string());
  }
  std::ranges::sort(names);
  return names;
}

class LongerRun : public testing::Test {
 protected:
  void expect_as_long_from_the_start() {
    const Status straight = single(config_of(longer), directory_ / "straight", false);
    ASSERT_TRUE(straight) << straight.error().message;
    EXPECT_EQ(files_in(run_), files_in(directory_ / "straight"));
    for (const char* file : {"config.toml", "metrics.jsonl", "findings.json", "inspection.json",
                             "inspection.safetensors", "checkpoints/6400.safetensors"}) {
      EXPECT_EQ(text_of(run_ / file), text_of(directory_ / "straight" / file)) << file;
    }
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path run_ = directory_ / "run";
};

TEST_F(LongerRun, OfAnEndedOneIsTheSame) {
  ASSERT_TRUE(single(config_of(shorter), run_, false));
  ASSERT_TRUE(std::filesystem::exists(run_ / "inspection.json"));
  const Status ending = single(config_of(longer), run_, true);
  ASSERT_TRUE(ending) << ending.error().message;
  expect_as_long_from_the_start();
}

TEST_F(LongerRun, OfAnUnfinishedOneIsTheSame) {
  int steps = 0;
  ASSERT_TRUE(single(config_of(shorter), run_, false, Listening([&] { return ++steps == 7; }))
                  .fails_with(ErrorKind::stopped));
  ASSERT_TRUE(single(config_of(longer), run_, true));
  expect_as_long_from_the_start();
}

TEST_F(LongerRun, StoppedOnItsWayItGoesOn) {
  ASSERT_TRUE(single(config_of(shorter), run_, false));
  for (const int stop_at : {1, 5}) {
    int steps = 0;
    const Status stopped =
        single(config_of(longer), run_, true, Listening([&] { return ++steps == stop_at; }));
    EXPECT_TRUE(stopped.fails_with(ErrorKind::stopped));
  }
  ASSERT_TRUE(single(config_of(longer), run_, true));
  expect_as_long_from_the_start();
}

TEST_F(LongerRun, NeedsResume) {
  ASSERT_TRUE(single(config_of(shorter), run_, false));
  const Status refused = single(config_of(longer), run_, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            run_.string() +
                " holds this run with fewer tokens; add --resume to continue it, or "
                "use another --out");
  EXPECT_TRUE(std::filesystem::exists(run_ / "findings.json"));
}

TEST_F(LongerRun, IsNoneWhereTheRateFallsTowardsTheEnd) {
  const std::string cosine = changed("warmup_steps = 2", "warmup_steps = 2\ndecay = \"cosine\"");
  ASSERT_TRUE(single(config_of(shorter, cosine), run_, false));
  const Status refused = single(config_of(longer, cosine), run_, true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            (run_ / "config.toml").string() +
                ": this run was started with another configuration (train.tokens: found 2560, "
                "asked 6400); use another --out");
}

TEST_F(LongerRun, WithoutACheckpointToGoOnFromIsTrainedFromTheStart) {
  ASSERT_TRUE(single(config_of(longer), run_, false));
  const std::string findings = text_of(run_ / "findings.json");
  std::filesystem::remove_all(run_);
  ASSERT_TRUE(single(config_of(shorter), run_, false));
  std::filesystem::remove_all(run_ / "checkpoints");
  ASSERT_TRUE(single(config_of(longer), run_, true));
  EXPECT_EQ(text_of(run_ / "findings.json"), findings);
}

TEST_F(LongerRun, HoldsItsClampsToTheNewEnd) {
  const std::string pinned =
      std::string(small_study) + "[arm.clamp.copy]\nkind = \"copying\"\nlayer = 0\nhead = 1\n";
  EXPECT_TRUE(is_longer(config_of(longer, pinned), config_of(shorter, pinned)));
  const std::string until = pinned + "tokens = [0, 2048]\n";
  EXPECT_TRUE(is_longer(config_of(longer, until), config_of(shorter, until)));
  EXPECT_FALSE(is_longer(config_of(longer, until), config_of(shorter, pinned)));
}

TEST_F(LongerRun, IsNotCutShort) {
  ASSERT_TRUE(single(config_of(longer), run_, false));
  const Status refused = single(config_of(shorter), run_, true);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("(train.tokens: found 6400, asked 2560)"),
            std::string::npos);
}

/// A study whose runs are made longer, and more.
class LongerStudy : public testing::Test {
 protected:
  Status run(const Overrides& overrides, bool resume) {
    model::CpuEngine engine(2);
    Listening listener;
    return run_study(parsed(small_study, overrides), out_, resume, engine, listener);
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path out_ = directory_ / "out";
};

TEST_F(LongerStudy, GoesOnWithEveryRun) {
  ASSERT_TRUE(run(shorter, false));
  const Status refused = run(longer, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            out_.string() +
                " holds this study with runs of fewer tokens than asked; add --resume "
                "to add what is missing, or use another --out");
  const Status ending = run({.tokens = 6400, .seeds = 2}, true);
  ASSERT_TRUE(ending) << ending.error().message;
  const nlohmann::json summary = json_of(out_ / "summary.json");
  EXPECT_EQ(summary["tokens"], 6400);
  for (const nlohmann::json& arm : summary["arms"]) {
    ASSERT_EQ(arm["runs"].size(), 2U);
    for (const nlohmann::json& row : arm["runs"]) EXPECT_EQ(row["tokens"], 6400);
  }
}

TEST_F(LongerStudy, StoppedOnItsWayComparesNoRunsOfTwoLengths) {
  ASSERT_TRUE(run(shorter, false));
  model::CpuEngine engine(2);
  int steps = 0;
  Listening stopping([&] { return ++steps == 20; });  // the first arm has 15 to go
  const auto stopped = run_study(parsed(small_study, longer), out_, true, engine, stopping);
  EXPECT_TRUE(stopped.fails_with(ErrorKind::stopped));
  const Study study = parsed(small_study, longer);
  const auto record = [&](std::size_t arm) {
    const RunConfig config = study.run(arm, 0);
    return read_run_record(run_directory(out_, config.arm, 0), config);
  };
  ASSERT_TRUE(record(0));
  ASSERT_TRUE(*record(0));
  EXPECT_EQ((*record(0))->findings["tokens"], 6400);
  EXPECT_FALSE(*record(1));  // at work
  EXPECT_FALSE(*record(2));  // ended with fewer tokens
  ASSERT_TRUE(run(longer, true));
  EXPECT_TRUE(*record(2));
}

TEST_F(LongerStudy, IsNotMadeOfARunThatGrowsByItself) {
  ASSERT_TRUE(run(shorter, false));
  model::CpuEngine engine(2);
  Listening listener;
  const std::filesystem::path one = out_ / "parallel/seed-0";
  const auto refused =
      run_single(parsed(small_study, longer).run(1, 0), one, true, engine, listener);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, one.string() +
                                         " holds this run with fewer tokens, as one of "
                                         "the study in " +
                                         out_.string() +
                                         "; make the study longer, or use another --out");
}

TEST_F(LongerStudy, IsNotCutShort) {
  ASSERT_TRUE(run({.tokens = 6400, .seeds = 2}, false));
  const Status shorter_one = run({.tokens = 2560, .seeds = 2}, true);
  ASSERT_FALSE(shorter_one);
  EXPECT_NE(shorter_one.error().message.find("(train.tokens: found 6400, asked 2560)"),
            std::string::npos)
      << shorter_one.error().message;
  const Status fewer = run({.tokens = 6400, .seeds = 1}, true);
  ASSERT_FALSE(fewer);
  EXPECT_EQ(fewer.error().message, out_.string() +
                                       " holds this study with seeds = 2, asked 1; add "
                                       "--seeds 2, or use another --out");
}

}  // namespace
}  // namespace lookback::study
