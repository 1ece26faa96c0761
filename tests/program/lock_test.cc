// A run whose lock is taken away writes nothing more, whoever else is at work in its directory.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/program/studies.h"

namespace lookback::program {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using spec::Process;
using test::TemporaryDirectory;

class RemovedLock : public testing::Test {
 protected:
  void SetUp() override {
    study_ = spec::write_study(directory_, spec::three_arms(100));
    const spec::Ended whole = spec::run(command("whole"));
    ASSERT_EQ(whole.exit_code, 0) << whole.err;
  }

  spec::Command command(const std::string& out, bool resume = false) const {
    spec::Command made = spec::lookback(
        {"train", study_, "--arm", "parallel", "--threads", "1", "--out", directory_ / out});
    if (resume) made.arguments.emplace_back("--resume");
    return made;
  }

  void wait_for(const fs::path& file, Process& process) const {
    for (int i = 0; i < 60'000 && !fs::exists(file) && process.runs_for(1ms); ++i) continue;
    ASSERT_TRUE(fs::exists(file)) << "ended before it could be disturbed";
  }

  static void expect_stopped(const spec::Ended& ended, const fs::path& run) {
    EXPECT_EQ(ended.signal, 0);
    EXPECT_TRUE(ended.exit_code == 1 || ended.exit_code == 2) << ended.exit_code;
    // The lock, or the file that it was writing aside when the other took the directory.
    EXPECT_NE(ended.err.find("lookback: " + run.string() + "/"), std::string::npos) << ended.err;
  }

  void expect_whole(const std::string& out) const {
    spec::expect_same_results(spec::results(directory_ / out), spec::results(directory_ / "whole"));
  }

  TemporaryDirectory directory_;
  std::string study_;
};

TEST_F(RemovedLock, ASecondProcessHasTheRunToItself) {
  for (int round = 0; round < 3; ++round) {
    const std::string out = "run-" + std::to_string(round);
    const fs::path run = directory_ / out;
    Process first(command(out));
    ASSERT_NO_FATAL_FAILURE(wait_for(run / "checkpoints/256.safetensors", first));
    fs::remove(run / ".lock");
    const spec::Ended second = spec::run(command(out, true));
    EXPECT_EQ(second.exit_code, 0) << second.err;
    expect_stopped(first.wait(), run);
    expect_whole(out);
  }
}

TEST_F(RemovedLock, ItStopsTheRunThatGoesOnLater) {
  const fs::path run = directory_ / "run";
  Process process(command("run"));
  ASSERT_NO_FATAL_FAILURE(wait_for(run / "checkpoints/256.safetensors", process));
  fs::remove(run / ".lock");
  expect_stopped(process.wait(), run);
  EXPECT_FALSE(fs::exists(run / "findings.json"));
  const spec::Ended resumed = spec::run(command("run", true));
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  expect_whole("run");
}

TEST_F(RemovedLock, ADirectoryThatWasMovedIsNotMadeAgain) {
  const fs::path run = directory_ / "run";
  Process process(command("run"));
  ASSERT_NO_FATAL_FAILURE(wait_for(run / "checkpoints/256.safetensors", process));
  fs::rename(run, directory_ / "moved");
  expect_stopped(process.wait(), run);
  EXPECT_FALSE(fs::exists(run));
  const spec::Ended resumed = spec::run(command("moved", true));
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  expect_whole("moved");
}

}  // namespace
}  // namespace lookback::program
