// Whole studies: what is in their directory, how they go on, and what they refuse.
#include "lookback/study/study.h"

#include <gtest/gtest.h>

#include <fstream>

#include "lookback/model/cpu_engine.h"
#include "lookback/study/manifest.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/run_manifest.h"
#include "lookback/train/checkpoint.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using nlohmann::json;
using spec::changed;
using spec::json_of;
using spec::Listening;
using spec::parsed;
using spec::small_study;
using spec::text_of;

class StudyRun : public testing::Test {
 protected:
  Status run(const std::string& text, bool resume, Listening& listener,
             const Overrides& overrides = {}) {
    model::CpuEngine engine(2);
    return run_study(parsed(text, overrides), out(), resume, engine, listener);
  }

  Status run(const std::string& text, bool resume = false, const Overrides& overrides = {}) {
    Listening listener;
    return run(text, resume, listener, overrides);
  }

  void expect_finished(const Status& ending) { ASSERT_TRUE(ending) << ending.error().message; }

  std::filesystem::path out() const { return directory_ / "out"; }

  /// The lines of a run's metrics, in its directory.
  static Result<std::vector<json>> metrics_of(const std::filesystem::path& run) {
    const auto config = parse_run_config(text_of(run / "config.toml"), "config.toml");
    if (!config) return config.error();
    return read_metrics(run / "metrics.jsonl", identity_of(*config));
  }

  /// Makes an ended run one that was killed before it noted its end.
  static void unfinish(const std::filesystem::path& run) {
    ASSERT_TRUE(note_reopening(run));
    std::filesystem::remove(run / "findings.json");
  }

  /// A summary's text but for what differs between two runs of the same bits.
  static std::string without_speed(const json& found) {
    json summary = found;
    for (json& arm : summary["arms"]) {
      for (json& run : arm["runs"]) run.erase("tokens_per_second");
    }
    return summary.dump();
  }

  test::TemporaryDirectory directory_;
};

TEST_F(StudyRun, LeavesWhatItSaysItLeaves) {
  expect_finished(run(small_study, false, {.tokens = {}, .seeds = 2}));
  const json summary = json_of(out() / "summary.json");
  EXPECT_EQ(summary["study"], "small");
  EXPECT_EQ(summary["seeds"], 2);
  EXPECT_EQ(summary["tokens"], 2560);
  ASSERT_EQ(summary["arms"].size(), 3U);
  for (const json& arm : summary["arms"]) {
    ASSERT_EQ(arm["runs"].size(), 2U);
    for (std::size_t seed = 0; seed < 2; ++seed) {
      const json& row = arm["runs"][seed];
      EXPECT_EQ(row["seed"], seed);
      for (const char* key : {"tokens", "parameters", "induction_score", "induction_score_peak",
                              "second_half_loss", "transition_tokens", "tokens_per_second"}) {
        EXPECT_TRUE(row.contains(key)) << key;
      }
      const auto place = out() / arm["arm"].get<std::string>() / ("seed-" + std::to_string(seed));
      EXPECT_TRUE(std::filesystem::exists(place / "checkpoints/2560.safetensors"));
      EXPECT_FALSE(std::filesystem::exists(train::resume_path(place)));
      const auto config = parse_run_config(text_of(place / "config.toml"), "config.toml");
      ASSERT_TRUE(config) << config.error().message;
      EXPECT_EQ(config->seed, seed);
    }
  }
}

/// The two-layer arm's match, pinned for the first six of its ten steps.
const std::string pinned_match =
    "layers = 2\n[arm.clamp.match]\nkind = \"matching\"\nlayer = 1\nhead = 0\ntokens = [0, "
    "1536]\n";

TEST_F(StudyRun, MeasuresAModelAsItTrainsAndWithoutItsClampsBeside) {
  expect_finished(run(changed("layers = 2\n", pinned_match)));
  const auto lines = metrics_of(out() / "two-layer/seed-0");
  ASSERT_TRUE(lines) << lines.error().message;
  for (const json& line : *lines) {
    const json& heads = line["probes"]["repeated-blocks"]["heads"];
    ASSERT_EQ(heads.size(), 2U);
    EXPECT_FALSE(heads[0].contains("pinned"));
    const bool in_force = line["tokens"] <= 1536;  // the sixth step was still made with it
    EXPECT_EQ(line.contains("unclamped"), in_force) << line["tokens"];
    EXPECT_EQ(heads[1].contains("pinned"), in_force) << line["tokens"];
    if (!in_force) continue;
    EXPECT_NEAR(heads[1]["induction_score"], 1, 1e-6);
    const json& alone = line["unclamped"]["repeated-blocks"];
    EXPECT_FALSE(alone["heads"][1].contains("pinned"));
    EXPECT_LT(alone["heads"][1]["induction_score"], 0.5);
    EXPECT_NE(alone["loss"], line["probes"]["repeated-blocks"]["loss"]);
  }
  EXPECT_TRUE(lines->front().contains("unclamped"));
  EXPECT_FALSE(lines->back().contains("unclamped"));
  const auto other = metrics_of(out() / "parallel/seed-0");
  ASSERT_TRUE(other) << other.error().message;
  for (const json& line : *other) EXPECT_FALSE(line.contains("unclamped"));
}

TEST_F(StudyRun, WithClampsItGoesOnToTheSameBytes) {
  const std::string text = changed("layers = 2\n", pinned_match);
  expect_finished(run(text));
  const std::string whole = text_of(out() / "two-layer/seed-0/metrics.jsonl");
  const std::string last = text_of(out() / "two-layer/seed-0/checkpoints/2560.safetensors");
  std::filesystem::remove_all(out());
  for (int stretch = 0;; ++stretch) {
    int steps = 0;
    Listening listener([&] { return ++steps == 4; });
    const Status ending = run(text, stretch > 0, listener);
    if (ending) break;
    ASSERT_EQ(ending.error().kind, ErrorKind::stopped) << ending.error().message;
  }
  EXPECT_EQ(text_of(out() / "two-layer/seed-0/metrics.jsonl"), whole);
  EXPECT_TRUE(text_of(out() / "two-layer/seed-0/checkpoints/2560.safetensors") == last);
}

TEST_F(StudyRun, HearsOfItsProgress) {
  Listening listener;
  expect_finished(run(small_study, false, listener));
  ASSERT_EQ(listener.heard.size(), 30U);  // three arms of ten steps
  EXPECT_EQ(listener.heard[0].arm, "two-layer");
  EXPECT_EQ(listener.heard[0].tokens, 256U);
  EXPECT_EQ(listener.heard[0].tokens_of_run, 2560U);
  EXPECT_GT(listener.heard[0].seconds_left, 0);
  EXPECT_EQ(listener.heard[29].arm, "sequential");
  EXPECT_EQ(listener.heard[29].seconds_left, 0);
}

TEST_F(StudyRun, FinishedItIsLeftAlone) {
  expect_finished(run(small_study));
  const std::string summary = text_of(out() / "summary.json");
  Listening listener;
  expect_finished(run(small_study, false, listener));
  EXPECT_EQ(listener.messages,
            std::vector<std::string>{out().string() + ": this study is finished"});
  EXPECT_TRUE(listener.heard.empty());
  EXPECT_EQ(text_of(out() / "summary.json"), summary);
}

TEST_F(StudyRun, AnotherStudysDirectoryIsRefused) {
  expect_finished(run(small_study));
  for (const bool resume : {false, true}) {
    const Status other = run(changed("batch = 8", "batch = 16"), resume);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().message,
              out().string() +
                  " holds another study, or this one with other settings (train.batch: found 8, "
                  "asked 16); use another --out, or remove it");
  }
}

TEST_F(StudyRun, UnfinishedItNeedsResume) {
  int steps = 0;
  Listening stopping([&] { return ++steps == 13; });  // in the second arm
  const Status stopped = run(small_study, false, stopping);
  EXPECT_TRUE(stopped.fails_with(ErrorKind::stopped));
  EXPECT_FALSE(std::filesystem::exists(out() / "summary.json"));

  const Status again = run(small_study);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message,
            out().string() +
                " holds this study unfinished; add --resume to continue it, or use "
                "another --out");

  Listening resumed;
  expect_finished(run(small_study, true, resumed));
  EXPECT_GE(resumed.messages.size(), 1U);
  EXPECT_EQ(resumed.messages[0].rfind("parallel seed 0: resuming from step ", 0), 0U);
  EXPECT_EQ(json_of(out() / "summary.json")["arms"].size(), 3U);
}

TEST_F(StudyRun, MoreSeedsNeedResumeAndKeepWhatIsThere) {
  expect_finished(run(small_study));
  const auto kept = std::filesystem::last_write_time(out() / "parallel/seed-0/findings.json");
  const Overrides two = {.tokens = {}, .seeds = 2};
  const Status without = run(small_study, false, two);
  ASSERT_FALSE(without);
  EXPECT_EQ(
      without.error().message,
      out().string() +
          " holds this study with seeds = 1, asked 2; add --resume to add what is missing, or "
          "use another --out");
  EXPECT_TRUE(std::filesystem::exists(out() / "summary.json"));
  expect_finished(run(small_study, true, two));
  EXPECT_EQ(std::filesystem::last_write_time(out() / "parallel/seed-0/findings.json"), kept);
  const json summary = json_of(out() / "summary.json");
  EXPECT_EQ(summary["seeds"], 2);
  EXPECT_EQ(summary["arms"][0]["runs"].size(), 2U);
  const Status fewer = run(small_study, true);
  ASSERT_FALSE(fewer);
  EXPECT_NE(fewer.error().message.find("with seeds = 2, asked 1; add --seeds 2"), std::string::npos)
      << fewer.error().message;
}

TEST_F(StudyRun, ADivergingArmDoesNotStopTheOthers) {
  const std::string text =
      changed("heads = 2", "heads = 2\n[arm.train]\nlearning_rate = 100\nwarmup_steps = 0");
  Listening listener;
  expect_finished(run(text, false, listener));
  ASSERT_EQ(listener.messages.size(), 3U);  // one a run, as each ends
  EXPECT_NE(listener.messages[0].find(" seed 0: induction score "), std::string::npos);
  EXPECT_EQ(listener.messages[1].rfind("parallel seed 0: diverged at step ", 0), 0U);
  EXPECT_NE(listener.messages[2].find(" seed 0: induction score "), std::string::npos);
  const json arms = json_of(out() / "summary.json")["arms"];
  EXPECT_EQ(arms[0]["runs"][0]["status"], "finished");
  EXPECT_EQ(arms[1]["runs"][0]["status"], "diverged");
  EXPECT_EQ("parallel seed 0: " + arms[1]["runs"][0]["message"].get<std::string>(),
            listener.messages[1]);
  EXPECT_EQ(arms[2]["runs"][0]["status"], "finished");
}

TEST_F(StudyRun, FinishedItMakesARunThatIsGoneAgainOnResume) {
  expect_finished(run(small_study));
  const std::filesystem::path gone = out() / "parallel/seed-0";
  const std::string findings = text_of(gone / "findings.json");
  const std::string summary = without_speed(json_of(out() / "summary.json"));
  std::filesystem::remove_all(gone);
  const Status left = run(small_study);
  ASSERT_FALSE(left);
  EXPECT_EQ(left.error().message.find(gone.string() + ": "), 0U) << left.error().message;
  expect_finished(run(small_study, true));
  EXPECT_EQ(text_of(gone / "findings.json"), findings);
  EXPECT_EQ(without_speed(json_of(out() / "summary.json")), summary);
}

/// One run alone, in its own directory.
class SingleRun : public StudyRun {
 protected:
  Status single(const RunConfig& config, bool resume, Listening& listener) {
    model::CpuEngine engine(2);
    return run_single(config, out(), resume, engine, listener);
  }
  Status single(const RunConfig& config, bool resume = false) {
    Listening listener;
    return single(config, resume, listener);
  }
};

TEST_F(SingleRun, IsTheRunOfTheStudy) {
  const Study study = parsed(small_study);
  expect_finished(single(study.run(2, 0)));
  test::TemporaryDirectory other;
  model::CpuEngine engine(1);
  Listening listener;
  expect_finished(run_study(study, other.path(), false, engine, listener));
  for (const char* file :
       {"config.toml", "metrics.jsonl", "findings.json", "checkpoints/2560.safetensors"}) {
    EXPECT_EQ(text_of(out() / file), text_of(other / (std::string("sequential/seed-0/") + file)));
  }
}

TEST_F(SingleRun, InTheDirectoryOfAnotherIsRefused) {
  const Study study = parsed(small_study);
  expect_finished(single(study.run(0, 0)));
  for (const bool resume : {false, true}) {
    const Status other = single(study.run(0, 1), resume);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().message,
              (out() / "config.toml").string() +
                  ": this run was started with another configuration (run.seed: found 0, asked 1); "
                  "use another --out");
  }
}

TEST_F(SingleRun, ACheckpointOfAnotherConfigurationIsRefused) {
  const Study study = parsed(small_study);
  expect_finished(single(study.run(0, 0)));
  const auto metrics = metrics_of(out());
  ASSERT_TRUE(metrics);
  std::filesystem::remove(out() / "config.toml");
  std::filesystem::remove(out() / manifest_name);
  std::filesystem::remove(out() / "findings.json");
  ASSERT_TRUE(MetricsWriter(out() / "metrics.jsonl", identity_of(study.run(0, 1))).begin(*metrics));
  const Status other = single(study.run(0, 1), true);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().message,
            out().string() +
                ": its newest checkpoint, of step 10, is of another configuration (run.seed: found "
                "0, asked 1); remove it, or use another --out");
}

TEST_F(SingleRun, UnfinishedItNeedsResumeAndThenIsTheSame) {
  const RunConfig config = parsed(small_study).run(1, 4);
  expect_finished(single(config));
  const std::string findings = text_of(out() / "findings.json");
  const std::string metrics = text_of(out() / "metrics.jsonl");
  std::filesystem::remove_all(out());

  Listening stopping;
  stopping.source.request_stop();
  ASSERT_TRUE(single(config, false, stopping).fails_with(ErrorKind::stopped));
  const Status again = single(config);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message,
            out().string() +
                " holds an unfinished run; add --resume to continue it, or use "
                "another --out");
  expect_finished(single(config, true));
  EXPECT_EQ(text_of(out() / "findings.json"), findings);
  EXPECT_EQ(text_of(out() / "metrics.jsonl"), metrics);
}

TEST_F(SingleRun, ItsTimingIsOfAllItsStretches) {
  const RunConfig config = parsed(small_study).run(1, 4);
  double seconds = 0;
  for (int stretch = 0; stretch < 3; ++stretch) {
    int steps = 0;
    Listening listener([&] { return ++steps == 4; });
    const Status ended = single(config, stretch > 0, listener);
    ASSERT_TRUE(ended || ended.fails_with(ErrorKind::stopped)) << ended.error().message;
    const json timing = json_of(out() / "timing.json");
    EXPECT_EQ(timing["tokens"], std::min(10, 4 * (stretch + 1)) * 256);
    EXPECT_GT(timing["seconds"], seconds);
    seconds = timing["seconds"];
    EXPECT_DOUBLE_EQ(timing["tokens_per_second"], timing["tokens"].get<double>() / seconds);
  }
}

TEST_F(SingleRun, ATimingThatIsNoneStopsNothing) {
  const RunConfig config = parsed(small_study).run(1, 4);
  Listening stopping;
  stopping.source.request_stop();
  ASSERT_TRUE(single(config, false, stopping).fails_with(ErrorKind::stopped));
  std::ofstream(out() / "timing.json") << R"({"tokens": "many", "seconds": [)";
  expect_finished(single(config, true));
  EXPECT_EQ(json_of(out() / "timing.json")["tokens"], 9 * 256);
}

TEST_F(SingleRun, KilledBeforeItsFirstStepItMeasuresTheStartOnce) {
  const RunConfig config = parsed(small_study).run(1, 4);
  expect_finished(single(config));
  const std::string metrics = text_of(out() / "metrics.jsonl");
  unfinish(out());
  for (const auto& entry : std::filesystem::directory_iterator(out() / "checkpoints")) {
    if (entry.path().filename() != "0.safetensors") std::filesystem::remove(entry.path());
  }
  std::filesystem::resize_file(out() / "metrics.jsonl", metrics.find('\n') + 1);
  expect_finished(single(config, true));
  EXPECT_EQ(text_of(out() / "metrics.jsonl"), metrics);
}

TEST_F(SingleRun, ATornCheckpointIsNamedAndTheOneBeforeUsed) {
  const RunConfig config = parsed(small_study).run(1, 4);
  expect_finished(single(config));
  const std::string findings = text_of(out() / "findings.json");
  const std::filesystem::path last = out() / "checkpoints/2560.safetensors";
  const std::string whole = text_of(last);
  unfinish(out());
  std::filesystem::resize_file(last, whole.size() / 2);
  Listening listener;
  expect_finished(single(config, true, listener));
  ASSERT_GE(listener.messages.size(), 2U);
  EXPECT_EQ(listener.messages[0].rfind("parallel seed 4: passed over: " + last.string() + ": ", 0),
            0U)
      << listener.messages[0];
  EXPECT_EQ(listener.messages[1], "parallel seed 4: resuming from step 3");
  EXPECT_EQ(text_of(out() / "findings.json"), findings);
  EXPECT_EQ(text_of(last), whole);
}

}  // namespace
}  // namespace lookback::study
