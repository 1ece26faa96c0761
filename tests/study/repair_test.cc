// What --resume does about files that were changed or removed: the same run comes out of it, bit by bit.
#include "lookback/study/one_run.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <span>
#include <vector>

#include "lookback/model/cpu_engine.h"
#include "lookback/study/directory_lock.h"
#include "lookback/study/manifest.h"
#include "lookback/study/run_manifest.h"
#include "lookback/study/verify.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

/// One short run with an inspection, ended, in its directory.
class RepairOfARun : public testing::Test {
 protected:
  static RunConfig config() {
    RunConfig config = spec::parsed(spec::changed("inspect = false\n", "")).run(0, 1);
    config.train.tokens = 1024;
    config.evaluate.sequences = 2;
    return config;
  }

  void SetUp() override {
    train(false);
    whole_ = files();
    ASSERT_GE(whole_.size(), 8U);
  }

  Status trained(bool resume) {
    model::CpuEngine engine(1);
    spec::Listening listener;
    Status ending = run_single(config(), run(), resume, engine, listener);
    messages_ = listener.messages;
    return ending;
  }
  void train(bool resume) {
    const Status ending = trained(resume);
    ASSERT_TRUE(ending) << ending.error().message;
  }

  /// Everything that is a pure function of the configuration.
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(run())) {
      const std::string name = entry.path().lexically_relative(run()).generic_string();
      if (!entry.is_regular_file() || name.starts_with('.')) continue;
      if (name == "timing.json" || name == manifest_name) continue;
      found[name] = spec::text_of(entry.path());
    }
    return found;
  }

  void flip(const std::string& name) const {
    std::string text = spec::text_of(run() / name);
    text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 4);
    std::ofstream(run() / name, std::ios::binary) << text;
  }

  std::vector<std::string> faults() const {
    const auto found = verify(run());
    EXPECT_TRUE(found);
    return found ? found->faults : std::vector<std::string>();
  }

  void expect_whole_again(const std::string& what) {
    EXPECT_FALSE(faults().empty()) << what;
    train(true);
    EXPECT_EQ(faults(), std::vector<std::string>()) << what;
    EXPECT_TRUE(files() == whole_) << what;
    EXPECT_FALSE(messages_.empty()) << what;
  }

  fs::path run() const { return directory_ / "run"; }

  test::TemporaryDirectory directory_;
  std::map<std::string, std::string> whole_;
  std::vector<std::string> messages_;
};

TEST_F(RepairOfARun, MakesAnyChangedFileAgain) {
  for (const auto& [name, text] : whole_) {
    flip(name);
    expect_whole_again(name);
  }
}

TEST_F(RepairOfARun, MakesAnyMissingFileAgain) {
  for (const auto& [name, text] : whole_) {
    fs::remove(run() / name);
    expect_whole_again(name);
  }
}

TEST_F(RepairOfARun, MakesItsManifestAgain) {
  flip(manifest_name);
  expect_whole_again("changed");
  fs::remove(run() / manifest_name);
  expect_whole_again("removed");
}

TEST_F(RepairOfARun, MakesACheckpointAgainThatWasDamagedBeforeItWasListed) {
  const std::string name = "checkpoints/768.safetensors";
  ASSERT_TRUE(whole_.contains(name));
  flip(name);
  ASSERT_TRUE(list_files(run(), std::span(&name, 1)));
  expect_whole_again("listed as it is");
  // Without a manifest only the checkpoint's own checksum shows it.
  flip(name);
  fs::remove(run() / manifest_name);
  expect_whole_again("not listed");
}

TEST_F(RepairOfARun, EndsWithNoCheckpointThatIsDamaged) {
  flip("checkpoints/768.safetensors");
  const Status noted = note_end(run(), config());
  ASSERT_FALSE(noted);
  EXPECT_EQ(noted.error().message.find((run() / "checkpoints/768.safetensors").string()), 0U);
}

TEST_F(RepairOfARun, MakesACheckpointAgainInThePlaceOfAnother) {
  fs::copy_file(run() / "checkpoints/256.safetensors", run() / "checkpoints/1024.safetensors",
                fs::copy_options::overwrite_existing);
  expect_whole_again("changed");
  fs::copy_file(run() / "checkpoints/256.safetensors", run() / "checkpoints/1024.safetensors",
                fs::copy_options::overwrite_existing);
  fs::remove(run() / manifest_name);
  expect_whole_again("without a manifest");
}

TEST_F(RepairOfARun, RemovesWhatIsNotOfTheRun) {
  for (const char* name : {"checkpoints/9999999.safetensors", "resume.safetensors"}) {
    fs::copy_file(run() / "checkpoints/256.safetensors", run() / name);
    expect_whole_again(name);
  }
  const fs::path kept = run() / "checkpoints/mine.safetensors";
  fs::copy_file(run() / "checkpoints/256.safetensors", kept);
  train(true);
  EXPECT_TRUE(fs::exists(kept)) << "a person's own";
}

TEST_F(RepairOfARun, RemovesATimingThatWasChangedAndSaysSo) {
  flip("timing.json");
  EXPECT_FALSE(faults().empty());
  train(true);
  EXPECT_FALSE(fs::exists(run() / "timing.json"));
  EXPECT_EQ(faults(), std::vector<std::string>());
  ASSERT_FALSE(messages_.empty());
  EXPECT_NE(messages_.front().find("timing.json was changed; it only said "), std::string::npos);
}

TEST_F(RepairOfARun, ThatWasCutShortInItsConfigurationIsTheSameRunAgain) {
  std::string text = spec::text_of(run() / "config.toml");
  text.replace(text.find("\ntokens = 1024"), 14, "\ntokens = 512");
  std::ofstream(run() / "config.toml") << text;
  EXPECT_FALSE(has_ended_as(config(), run())) << "an error, and not a run that has not ended";
  expect_whole_again("config.toml");
}

TEST_F(RepairOfARun, OfAnotherRunTouchesNothing) {
  fs::remove(run() / manifest_name);
  flip("checkpoints/768.safetensors");
  const auto before = files();
  model::CpuEngine engine(1);
  spec::Listening listener;
  RunConfig other = config();
  other.seed = 2;
  EXPECT_FALSE(run_single(other, run(), true, engine, listener));
  EXPECT_TRUE(files() == before);
}

TEST_F(RepairOfARun, WritesNothingOnceItsLockIsGone) {
  flip("findings.json");
  const auto before = files();
  const Result<DirectoryLock> lock = DirectoryLock::take(run());
  ASSERT_TRUE(lock) << lock.error().message;
  fs::remove(run() / ".lock");
  const Result<RunPlan> plan = plan_run(config(), run(), true);
  ASSERT_TRUE(plan) << plan.error().message;
  model::CpuEngine engine(1);
  spec::Listening listener;
  EXPECT_FALSE(carry_out(*plan, *lock, 0, engine, listener));
  EXPECT_TRUE(files() == before);
}

TEST_F(RepairOfARun, WaitsUntilItIsAskedFor) {
  flip("findings.json");
  const auto changed = files();
  EXPECT_TRUE(trained(false)) << "it has ended, and is left alone";
  EXPECT_TRUE(files() == changed);
}

TEST_F(RepairOfARun, GoesOnFromBeforeAChangedLineOfMetricsInARunThatHasNotEnded) {
  ASSERT_TRUE(note_reopening(run()));
  fs::remove(run() / "findings.json");
  flip("metrics.jsonl");
  train(true);
  EXPECT_TRUE(files() == whole_);
  EXPECT_NE(messages_.front().find((run() / "metrics.jsonl").string() + ":"), std::string::npos);
}

TEST_F(RepairOfARun, OfAnOlderProgramIsRefusedAndLeftAsItIs) {
  std::ofstream(run() / "metrics.jsonl") << "{\"step\":0,\"tokens\":0}\n";
  fs::remove(run() / manifest_name);
  const auto old = files();
  const Status ending = trained(true);
  ASSERT_FALSE(ending);
  EXPECT_EQ(ending.error().message.find(run().string() + ": "), 0U);
  EXPECT_TRUE(files() == old);
}

}  // namespace
}  // namespace lookback::study
