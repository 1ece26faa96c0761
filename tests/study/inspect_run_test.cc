// The inspection that a run ends with: when it is made, and what it must never cost.
#include "lookback/study/inspect_run.h"

#include <gtest/gtest.h>

#include <fstream>

#include "lookback/base/safetensors.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/study/manifest.h"
#include "lookback/study/run_manifest.h"
#include "lookback/study/verify.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/small_study.h"
#include "tests/study/watched_engine.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// One short run of two heads that is inspected, in its directory.
class InspectRun : public testing::Test {
 protected:
  static RunConfig config() {
    RunConfig config = spec::parsed(spec::changed("inspect = false\n", "")).run(0, 1);
    config.train.tokens = 256;
    config.evaluate.sequences = 2;
    return config;
  }

  Status train(const RunConfig& config, bool resume, spec::Listening& listener,
               std::size_t threads = 1) const {
    model::CpuEngine engine(threads);
    return run_single(config, out(), resume, engine, listener);
  }
  void train_to_end(bool resume = false, std::size_t threads = 1) const {
    spec::Listening listener;
    const Status ending = train(config(), resume, listener, threads);
    ASSERT_TRUE(ending) << ending.error().message;
  }

  fs::path out() const { return directory_ / "out"; }
  fs::path object() const { return out() / "inspection.json"; }
  fs::path arrays() const { return out() / "inspection.safetensors"; }

  test::TemporaryDirectory directory_;
};

TEST_F(InspectRun, IsOfTheLastCheckpointInBothForms) {
  train_to_end();
  const json found = spec::json_of(object());
  EXPECT_EQ(found["format"], "lookback inspection 3");
  EXPECT_EQ(found["arm"], "two-layer");
  EXPECT_EQ(found["tokens"], 256);
  EXPECT_EQ(found["probes"]["repeated-blocks"]["sequences"], 2);
  EXPECT_EQ(found["mechanism"]["probe"], "repeated-blocks");
  EXPECT_EQ(found["ablation"]["probe"], "repeated-blocks");
  EXPECT_TRUE(found["transitions"]["transition"].is_null());
  const auto file = base::SafetensorsFile::read(arrays());
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->metadata().at("tokens"), "256");
  const auto matrix = file->find("circuits/k_composition/0.0-1.0/matrix");
  ASSERT_TRUE(matrix) << matrix.error().message;
  EXPECT_EQ(matrix->shape, (std::vector<std::size_t>{16, 16}));
}

TEST_F(InspectRun, IsTheSameOnAnyNumberOfThreads) {
  train_to_end(false, 1);
  const std::string text = spec::text_of(object());
  const std::string bytes = spec::text_of(arrays());
  fs::remove_all(out());
  train_to_end(false, 3);
  EXPECT_TRUE(spec::text_of(object()) == text);
  EXPECT_TRUE(spec::text_of(arrays()) == bytes);
}

TEST_F(InspectRun, ThatIsMissingIsMadeOnResumeAndOneThatIsThereIsLeft) {
  train_to_end();
  const std::string text = spec::text_of(object());
  fs::remove(object());
  std::ofstream(arrays()) << "half of it";
  train_to_end();
  EXPECT_FALSE(fs::exists(object())) << "made without being asked to go on";
  train_to_end(true);
  EXPECT_TRUE(spec::text_of(object()) == text);
  EXPECT_TRUE(base::SafetensorsFile::read(arrays()));
  // By the rules of another program, earlier and later.
  ASSERT_TRUE(write_listed(out(), "inspection.json", R"({"format":"lookback inspection 1"})"));
  train_to_end(true);
  EXPECT_TRUE(spec::text_of(object()) == text);
  const std::string other = R"({"format":"another program's inspection"})";
  ASSERT_TRUE(write_listed(out(), "inspection.json", other));
  train_to_end(true);
  EXPECT_EQ(spec::text_of(object()), other);
}

/// Leaves the run as earlier builds did, with the arrays in inspection.npz.
void put_back_npz(const fs::path& run) {
  fs::rename(run / "inspection.safetensors", run / "inspection.npz");
  const std::string gone[] = {"inspection.safetensors"}, npz[] = {"inspection.npz"};
  ASSERT_TRUE(unlist_files(run, gone));
  ASSERT_TRUE(list_files(run, npz));
}

TEST_F(InspectRun, WithItsArraysAsNpzIsWholeAndMadeAnewOnResume) {
  train_to_end();
  const std::string text = spec::text_of(object());
  const std::string bytes = spec::text_of(arrays());
  put_back_npz(out());
  const auto faults = [&] {
    const Result<Verification> found = verify(out());
    EXPECT_TRUE(found);
    return found ? found->faults : std::vector<std::string>{"no run"};
  };
  EXPECT_EQ(faults(), std::vector<std::string>());
  train_to_end();
  EXPECT_FALSE(fs::exists(arrays())) << "made without being asked to go on";
  train_to_end(true);
  EXPECT_TRUE(spec::text_of(object()) == text);
  EXPECT_TRUE(spec::text_of(arrays()) == bytes);
  EXPECT_FALSE(fs::exists(out() / "inspection.npz"));
  EXPECT_EQ(faults(), std::vector<std::string>());
}

TEST_F(InspectRun, WithItsArraysAsNpzLosesThemWhenTheRunGoesOn) {
  train_to_end();
  put_back_npz(out());
  RunConfig longer = config();
  longer.train.tokens = 512;
  longer.evaluate.inspect = false;
  spec::Listening listener;
  const Status ending = train(longer, true, listener);
  ASSERT_TRUE(ending) << ending.error().message;
  EXPECT_FALSE(fs::exists(object()) || fs::exists(out() / "inspection.npz"));
}

TEST_F(InspectRun, IsNotMadeWhereTheConfigurationWantsNone) {
  RunConfig without = config();
  without.evaluate.inspect = false;
  spec::Listening listener;
  ASSERT_TRUE(train(without, false, listener));
  EXPECT_TRUE(fs::exists(out() / "findings.json"));
  EXPECT_FALSE(fs::exists(object()) || fs::exists(arrays()));
}

TEST_F(InspectRun, IsNoPartOfTheRunAndMayBeWantedLater) {
  RunConfig without = config();
  without.evaluate.inspect = false;
  spec::Listening listener;
  ASSERT_TRUE(train(without, false, listener));
  train_to_end(true);
  EXPECT_TRUE(fs::exists(object()));
}

TEST_F(InspectRun, IsNotMadeWithoutItsTransitionsWhereTheMetricsCannotBeRead) {
  train_to_end();
  const std::string files[] = {"inspection.json"};
  ASSERT_TRUE(unlist_files(out(), files));
  fs::remove(object());
  fs::remove(out() / "metrics.jsonl");
  fs::create_directory(out() / "metrics.jsonl");
  model::CpuEngine engine(1);
  spec::Listening listener;
  const Result<DirectoryLock> lock = DirectoryLock::take(out());
  ASSERT_TRUE(lock) << lock.error().message;
  const Status ending = inspect_run(config(), *lock, engine, listener);
  ASSERT_FALSE(ending);
  EXPECT_NE(ending.error().message.find((out() / "metrics.jsonl").string()), std::string::npos);
  EXPECT_FALSE(fs::exists(object()));
}

TEST_F(InspectRun, IsNotMadeOfARunThatDiverged) {
  RunConfig diverging = config();
  diverging.train.tokens = 2560;
  diverging.train.learning_rate = 100;
  diverging.train.warmup_steps = 0;
  spec::Listening listener;
  ASSERT_TRUE(train(diverging, false, listener));
  EXPECT_EQ(spec::json_of(out() / "findings.json")["status"], "diverged");
  EXPECT_FALSE(fs::exists(object()) || fs::exists(arrays()));
}

TEST_F(InspectRun, ThatCannotBeMadeIsAnErrorAndTheRunStands) {
  train_to_end();
  const std::string files[] = {"inspection.json"};
  ASSERT_TRUE(unlist_files(out(), files));
  fs::remove(object());
  const fs::path checkpoint = out() / "checkpoints/256.safetensors";
  fs::resize_file(checkpoint, 100);
  model::CpuEngine engine(1);
  spec::Listening listener;
  const Result<DirectoryLock> lock = DirectoryLock::take(out());
  ASSERT_TRUE(lock) << lock.error().message;
  const Status ending = inspect_run(config(), *lock, engine, listener);
  ASSERT_FALSE(ending);
  EXPECT_NE(ending.error().message.find(checkpoint.string() + ": "), std::string::npos);
  EXPECT_EQ(ending.error().message.find('\n'), std::string::npos);
  const Result<bool> finished = has_finished(out());
  EXPECT_TRUE(finished && *finished);
}

TEST_F(InspectRun, OfOneRunThatCannotBeMadeStopsNoOtherAndIsToldLast) {
  const Study study =
      spec::parsed(spec::changed("inspect = false\n", ""), {.tokens = 256, .seeds = {}});
  model::CpuEngine engine(2);
  // The arrays of the second arm cannot be written where a directory has their name.
  const fs::path run = out() / "parallel/seed-0";
  spec::Listening listener([&] {
    if (fs::exists(run / "config.toml")) {
      fs::create_directories(run / "inspection.safetensors/in-the-way");
    }
    return false;
  });
  const Status ending = run_study(study, out(), false, engine, listener);
  ASSERT_FALSE(ending);
  EXPECT_NE(ending.error().message.find("parallel/seed-0/inspection.safetensors"),
            std::string::npos)
      << ending.error().message;
  EXPECT_TRUE(fs::exists(out() / "two-layer/seed-0/inspection.json"));
  EXPECT_TRUE(fs::exists(out() / "sequential/seed-0/inspection.json"));
  EXPECT_TRUE(fs::exists(out() / "summary.json"));
  fs::remove_all(out() / "parallel/seed-0/inspection.safetensors");
  spec::Listening undisturbed;
  const Status again = run_study(study, out(), true, engine, undisturbed);
  EXPECT_TRUE(again) << again.error().message;
  EXPECT_TRUE(fs::exists(out() / "parallel/seed-0/inspection.json"));
}

TEST_F(InspectRun, StoppedAtAnyPartOfItLeavesNothingAndIsMadeAnew) {
  train_to_end();
  const std::string text = spec::text_of(object());
  const std::string both[] = {"inspection.json", "inspection.safetensors"};
  int parts = 0;
  for (bool stopped = true; stopped; ++parts) {
    ASSERT_TRUE(unlist_files(out(), both));
    fs::remove(object());
    fs::remove(arrays());
    int opened = 0;
    spec::Listening stopping;
    spec::WatchedEngine engine([&] {
      if (opened++ == parts) stopping.source.request_stop();
    });
    const Status ending = run_single(config(), out(), true, engine, stopping);
    stopped = ending.fails_with(ErrorKind::stopped);
    ASSERT_TRUE(ending || stopped) << ending.error().message;
    EXPECT_EQ(fs::exists(object()), !stopped);
    EXPECT_EQ(fs::exists(arrays()), !stopped);
  }
  EXPECT_GE(parts, 5);
  EXPECT_TRUE(spec::text_of(object()) == text);
}

TEST_F(InspectRun, OfAStudyThatIsFinishedIsMadeOnResume) {
  const Study study =
      spec::parsed(spec::changed("inspect = false\n", ""), {.tokens = 256, .seeds = {}});
  model::CpuEngine engine(2);
  spec::Listening listener;
  ASSERT_TRUE(run_study(study, out(), false, engine, listener));
  const fs::path run = out() / "sequential/seed-0";
  const std::string text = spec::text_of(run / "inspection.json");
  fs::remove(run / "inspection.json");
  ASSERT_TRUE(run_study(study, out(), true, engine, listener));
  EXPECT_TRUE(spec::text_of(run / "inspection.json") == text);
  EXPECT_EQ(listener.messages.back().substr(0, 40), "sequential seed 0: inspected, mechanism ");
}

}  // namespace
}  // namespace lookback::study
