// Killed at any instant, again and again, a run comes to the same bytes as one never killed; so does
// one that is stopped by Ctrl-C.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <csignal>

#include "lookback/base/random.h"
#include "lookback/base/safetensors.h"
#include "lookback/train/checkpoint.h"
#include "tests/base/sanitized.h"
#include "tests/program/studies.h"

namespace lookback::program {
namespace {

using namespace std::chrono_literals;
using spec::Command;
using spec::Process;
using test::TemporaryDirectory;
using Microseconds = std::chrono::microseconds;
using Clock = std::chrono::steady_clock;

constexpr int least_kills = 20;
/// Steps of a run that goes on long enough to be interrupted.
constexpr std::size_t many_steps = test::sanitized ? 150 : 600;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// Starts the command again and again, each time with --resume, and kills it after a random time,
/// until it comes to its end. The times grow from a twentieth of what the whole takes, so that it
/// does. How often it was killed.
int kill_until_done(Command command, Microseconds whole, std::uint64_t seed) {
  base::RandomStream random(seed, base::StreamPurpose::test, 0);
  double longest = static_cast<double>(whole.count()) / 20;
  for (int kills = 0;; ++kills, longest *= 1.05) {
    Process process(command);
    if (kills == 0) command.arguments.emplace_back("--resume");
    const auto after = Microseconds(random.below(static_cast<std::uint64_t>(longest) + 1));
    if (process.runs_for(after)) process.send(SIGKILL);
    const spec::Ended ended = process.wait();
    if (ended.signal == SIGKILL) continue;
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return kills;
  }
}

/// `arguments` and --out, never killed, whose results are returned; and then killed until there were
/// enough kills.
std::map<std::string, std::string> expect_same_when_killed(
    const std::vector<std::string>& arguments) {
  const TemporaryDirectory directory;
  const auto with_out = [&](const std::string& out) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), {"--threads", "2", "--out", directory / out});
    return spec::lookback(all);
  };
  const Clock::time_point start = Clock::now();
  const spec::Ended reference = spec::run(with_out("whole"));
  EXPECT_EQ(reference.exit_code, 0) << reference.err;
  const auto took = std::chrono::duration_cast<Microseconds>(Clock::now() - start);
  auto expected = spec::results(directory / "whole");
  int kills = 0;
  for (std::uint64_t round = 0; kills < least_kills && round < 10; ++round) {
    const std::string out = "killed-" + std::to_string(round);
    kills += kill_until_done(with_out(out), took, round);
    spec::expect_same_results(spec::results(directory / out), expected);
  }
  EXPECT_GE(kills, least_kills);
  return expected;
}

TEST(SlowKill, ARunComesToTheSameBytes) {
  const TemporaryDirectory directory;
  const std::string study = spec::write_study(directory, spec::three_arms(100));
  expect_same_when_killed({"train", study, "--arm", "sequential", "--seed", "3"});
}

TEST(SlowKill, AStudyOfThreeArmsComesToTheSameBytes) {
  const TemporaryDirectory directory;
  const std::string study = spec::write_study(directory, spec::three_arms(40) + spec::clamps);
  expect_same_when_killed({"study", study});
}

TEST(SlowKill, ADivergingRunComesToTheSameBytes) {
  const TemporaryDirectory directory;
  std::string text = spec::three_arms(100, "divergence = 1.3");
  text = replaced(text, "learning_rate = 3e-3", "learning_rate = 3");
  text = replaced(text, "warmup_steps = 5", "warmup_steps = 100");  // it diverges on the way up
  const std::string study = spec::write_study(directory, text);
  const auto results = expect_same_when_killed({"train", study, "--arm", "two-layer"});
  const auto findings = results.find("findings.json");
  ASSERT_NE(findings, results.end());
  EXPECT_NE(findings->second.find("\"message\": \"diverged at step "), std::string::npos)
      << findings->second.substr(0, 2000);
}

TEST(SlowKill, ARunOfTextComesToTheSameBytes) {
  const TemporaryDirectory directory;
  const std::string study = spec::write_text_study(directory, 100, "resume_seconds = 0");
  const auto results = expect_same_when_killed({"train", study, "--arm", "ov", "--seed", "3"});
  for (const char* file :
       {"metrics.jsonl", "findings.json", "evaluation.json", "checkpoints/25600.safetensors"}) {
    EXPECT_TRUE(results.contains(file)) << file;
  }
}

/// Waits until a file is there, a minute at most.
bool appears(const std::filesystem::path& file, Process& process) {
  for (int i = 0; i < 60'000 && process.runs_for(1ms); ++i) {
    if (std::filesystem::exists(file)) return true;
  }
  return std::filesystem::exists(file);
}

/// How a run ends that is sent the signal after its first steps.
spec::Ended interrupted(const Command& command, const std::filesystem::path& run, int signal) {
  Process process(command);
  EXPECT_TRUE(appears(run / "checkpoints/256.safetensors", process));
  process.send(signal);
  return process.wait();
}

class Interrupt : public testing::TestWithParam<int> {};

TEST_P(Interrupt, StopsARunWithAHintAndResumedItComesToTheSameBytes) {
  const TemporaryDirectory directory;
  // Long enough to be interrupted: only a few checkpoints are written.
  const std::string text = replaced(spec::three_arms(many_steps, "checkpoints_per_decade = 1"),
                                    "resume_seconds = 0", "resume_seconds = 9e8");
  const std::string study = spec::write_study(directory, text);
  const auto command = [&](const std::string& out) {
    return spec::lookback(
        {"train", study, "--arm", "parallel", "--threads", "2", "--out", directory / out});
  };
  const spec::Ended whole = spec::run(command("whole"));
  ASSERT_EQ(whole.exit_code, 0) << whole.err;

  const spec::Ended stopped = interrupted(command("stopped"), directory / "stopped", GetParam());
  EXPECT_EQ(stopped.signal, 0);
  EXPECT_EQ(stopped.exit_code, 3);
  EXPECT_TRUE(stopped.err.ends_with(
      "\nlookback: stopped; the same command with --resume continues to the same result\n"))
      << stopped.err;
  EXPECT_TRUE(std::filesystem::exists(train::resume_path(directory / "stopped")));

  Command again = command("stopped");
  again.arguments.emplace_back("--resume");
  const spec::Ended resumed = spec::run(again);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(resumed.err.rfind("parallel seed 0: resuming from step ", 0), 0U) << resumed.err;
  spec::expect_same_results(spec::results(directory / "stopped"),
                            spec::results(directory / "whole"));
}

TEST(InterruptText, ARunWhoseTextWasMovedGoesOnWithItFromItsNewPlace) {
  const TemporaryDirectory directory;
  const std::string study = spec::write_text_study(
      directory, many_steps, "resume_seconds = 9e8\ncheckpoints_per_decade = 1");
  const auto command = [&](const std::string& out) {
    return spec::lookback(
        {"train", study, "--arm", "ov", "--threads", "2", "--out", directory / out});
  };
  const spec::Ended whole = spec::run(command("whole"));
  ASSERT_EQ(whole.exit_code, 0) << whole.err;

  const spec::Ended stopped = interrupted(command("stopped"), directory / "stopped", SIGINT);
  EXPECT_EQ(stopped.exit_code, 3) << stopped.err;
  ASSERT_TRUE(std::filesystem::exists(train::resume_path(directory / "stopped")));
  std::filesystem::rename(directory / "books", directory / "moved");

  Command again = command("stopped");
  again.arguments.emplace_back("--resume");
  const std::string line = spec::one_line(spec::run(again));  // and nothing is lost
  EXPECT_NE(line.find((directory / "books").string() + ": found no train.tokens"),
            std::string::npos)
      << line;
  again.arguments.insert(again.arguments.end(), {"--data", directory / "moved"});
  const spec::Ended resumed = spec::run(again);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(resumed.err.rfind("ov seed 0: resuming from step ", 0), 0U) << resumed.err;
  const auto expected = spec::results(directory / "whole");
  EXPECT_TRUE(expected.contains("evaluation.json"));
  spec::expect_same_results(spec::results(directory / "stopped"), expected);
}

INSTANTIATE_TEST_SUITE_P(
    Signals, Interrupt, testing::Values(SIGINT, SIGTERM, SIGHUP), [](const auto& s) {
      return std::string(s.param == SIGINT ? "CtrlC" : s.param == SIGTERM ? "Terminate" : "HangUp");
    });

TEST(HangUp, IsNotHeardUnderNohup) {
  const TemporaryDirectory directory;
  const std::string study = spec::write_study(directory, spec::three_arms(40));
  Process process(spec::lookback({"train", study, "--arm", "parallel", "--out", directory / "run"}),
                  [] { return std::signal(SIGHUP, SIG_IGN) != SIG_ERR; });
  EXPECT_TRUE(appears(directory / "run/checkpoints/0.safetensors", process));
  process.send(SIGHUP);
  const spec::Ended ended = process.wait();
  EXPECT_EQ(ended.signal, 0);
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
}

class Unheard : public testing::TestWithParam<spec::Stderr> {};

TEST_P(Unheard, AStudyEndsAsOneThatIsHeard) {
  const TemporaryDirectory directory;
  const std::string study = spec::write_study(directory, spec::three_arms(4));
  const auto run = [&](const std::string& out, spec::Stderr err) {
    Command command = spec::lookback({"study", study, "--out", directory / out, "--threads", "2"});
    command.err = err;
    return spec::run(command);
  };
  ASSERT_EQ(run("heard", spec::Stderr::kept).exit_code, 0);
  const spec::Ended ended = run("unheard", GetParam());
  EXPECT_EQ(ended.signal, 0);
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.out, (directory / "unheard/report.html").string() + "\n");
  spec::expect_same_results(spec::results(directory / "unheard"),
                            spec::results(directory / "heard"));
  EXPECT_EQ(std::filesystem::file_size(directory / "unheard/.lock"), 0U) << "no message went there";
}

INSTANTIATE_TEST_SUITE_P(Stderr, Unheard,
                         testing::Values(spec::Stderr::closed, spec::Stderr::unread),
                         [](const auto& where) {
                           return std::string(where.param == spec::Stderr::closed ? "Closed"
                                                                                  : "Unread");
                         });

/// Gives a checkpoint weights that are not finite and a checksum that is right.
void spoil(const std::filesystem::path& file) {
  const auto read = base::SafetensorsFile::read(file);
  ASSERT_TRUE(read) << read.error().message;
  std::vector<base::Tensor> tensors;
  for (const std::string& name : read->names()) tensors.push_back(*read->find(name));
  const std::vector<float> none(tensors.front().values.size(), std::nanf(""));
  tensors.front().values = none;
  auto metadata = read->metadata();
  metadata.erase("checksum");
  ASSERT_TRUE(base::write_safetensors(file, tensors, metadata));
}

TEST(NotFinite, ARunGoesOnFromTheCheckpointBefore) {
  const TemporaryDirectory directory;
  const std::string study =
      spec::write_study(directory, spec::three_arms(many_steps, "checkpoints_per_decade = 1"));
  const auto command = [&](const std::string& out) {
    return spec::lookback({"train", study, "--arm", "parallel", "--out", directory / out});
  };
  const std::filesystem::path run = directory / "run";
  const spec::Ended stopped = interrupted(command("run"), run, SIGINT);
  EXPECT_EQ(stopped.exit_code, 3) << stopped.err;
  ASSERT_NO_FATAL_FAILURE(spoil(train::resume_path(run)));
  Command again = command("run");
  again.arguments.emplace_back("--resume");
  const spec::Ended resumed = spec::run(again);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(
      resumed.err.rfind("parallel seed 0: passed over: " + train::resume_path(run).string(), 0), 0U)
      << resumed.err;
  EXPECT_NE(resumed.err.find("\nparallel seed 0: resuming from step "), std::string::npos)
      << resumed.err;
  ASSERT_EQ(spec::run(command("whole")).exit_code, 0);
  spec::expect_same_results(spec::results(run), spec::results(directory / "whole"));
}

TEST(NotFinite, TheCheckpointBeforeIsInspected) {
  const TemporaryDirectory directory;
  const std::string study =
      spec::write_study(directory, spec::three_arms(20, "checkpoints_per_decade = 1"));
  const std::filesystem::path run = directory / "run", checkpoints = run / "checkpoints";
  ASSERT_EQ(
      spec::run(spec::lookback({"train", study, "--arm", "two-layer", "--out", run})).exit_code, 0);
  const auto inspected = [](const std::filesystem::path& path) {
    return spec::run(spec::lookback({"inspect", path, "--json"}));
  };
  const std::filesystem::path before = checkpoints / "2560.safetensors";
  const spec::Ended expected = inspected(before);
  ASSERT_EQ(expected.exit_code, 0) << expected.err;
  ASSERT_NO_FATAL_FAILURE(spoil(checkpoints / "5120.safetensors"));
  const spec::Ended ended = inspected(run);
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.out, expected.out);
  EXPECT_EQ(ended.err.rfind("passed over: " + (checkpoints / "5120.safetensors").string(), 0), 0U)
      << ended.err;
}

}  // namespace
}  // namespace lookback::program
