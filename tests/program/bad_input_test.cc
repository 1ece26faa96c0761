// Input that cannot be used: one line that says where and why, exit code 2, nothing half-written.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "lookback/base/file.h"
#include "tests/base/like.h"
#include "tests/program/studies.h"

namespace lookback::program {
namespace {

using spec::lookback;
using spec::one_line;
using spec::Process;
using test::TemporaryDirectory;

class BadInput : public testing::Test {
 protected:
  /// The line that a study's run gets.
  std::string line_of(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"study", file_, "--out", out_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return one_line(spec::run(lookback(arguments)));
  }

  void write(const std::string& from, const std::string& to) {
    std::string text = spec::three_arms(4);
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    spec::write_study(directory_, text.replace(at, from.size(), to));
  }

  /// One run of the parallel arm.
  spec::Command train(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"train", file_, "--arm",     "parallel",
                                          "--out", out_,  "--threads", "2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return lookback(arguments);
  }

  TemporaryDirectory directory_;
  std::string file_ = spec::write_study(directory_, spec::three_arms(20));
  std::string out_ = directory_ / "out";
};

TEST_F(BadInput, AStudyFileThatIsNotThere) {
  std::filesystem::remove(file_);
  EXPECT_EQ(line_of(), file_ + ": cannot open: No such file or directory");
}

TEST_F(BadInput, AStudyFileThatIsADirectory) {
  file_ = directory_.path();
  EXPECT_EQ(line_of(), file_ + ": cannot read: found a directory, allowed: a regular file");
}

TEST_F(BadInput, StudyFilesWithAMistake) {
  const struct {
    const char *from, *to, *line;
  } mistakes[] = {
      {"batch = 8", "batch = = 8", ":15: not TOML: "},
      {"batch = 8", "bacth = 8", ":15: key 'train.bacth' is unknown; nearest: 'batch'"},
      {"batch = 8", "batch = \"eight\"", ":15: key 'train.batch': found \"eight\", allowed: "},
      {"batch = 8", "batch = 0", ":15: key 'train.batch': found 0, allowed: "},
      {"\"parallel\"", "\"two-layer\"", ":26: key 'arm[1].name': found \"two-layer\" twice"},
      {"\"parallel\"", "\"a/b\"", ":26: key 'arm[1].name': found \"a/b\", allowed: letters"},
      {"context = 32", "context = 1_000_000_000", ":5: key 'model.context': found 1000000000"},
      {"context = 32", "context = 32\nlayers = 1_000_000", ":27: arm 'parallel': model.layers is "},
      {"heads = 2", "layers = 1024\nsteps = 256",
       ":26: arm 'parallel': model.layers x model.steps is 1024 x 256 = 262144; "},
      {"heads = 2", "d_model = 65536\nvocabulary = 1_048_576",
       ":26: arm 'parallel': the sizes in [model] give 1.4e+11 parameters; "},
      {"heads = 2", "heads = 1024\ncontext = 65536\n[arm.data]\nlength = 65536",
       ":26: arm 'parallel': the activations of one sequence of data.length = 65536 take up to "},
      {"question", "seeds = 1_000_000_000_000_000_000\nquestion",
       ":2: key 'seeds': found 1000000000000000000, allowed: "},
      {"\"parallel\"", "\"a\\nb\"", ":26: key 'arm[1].name': found \"a b\", allowed: letters"},
      {"\"parallel\"", "\"a\\nb\"\n[arm.data]\nperiod = [3, 20]",
       ":26: key 'arm[1].name': found \"a b\", allowed: letters"},
      {"heads = 2", "shared_weights = true", ":26: arm 'parallel': model.shared_weights needs "},
      {"[3, 8]", "[3, 20]", ":22: arm 'two-layer': repeated-blocks: found a length of 32"},
      {"[\"repeated-blocks\"]", "[\"random-repeat\"]",
       ":22: arm 'two-layer': evaluate.probes must"},
      {"heads = 2", "heads = 2\n[arm.clamp.a]\nkind = \"match\"",
       ":30: key 'clamp.a.kind': found \"match\", allowed: one of \"previous-token\", "},
      {"heads = 2", "heads = 2\n[arm.clamp.a]\nkind = \"copying\"\nlayer = 0\nhead = 2",
       ":26: arm 'parallel': clamp.a: head is 2, but a layer has 2 heads"},
      {"heads = 2",
       "heads = 2\n[arm.clamp.a]\nkind = \"freeze\"\nto = \"zero\"\nactivation = \"hook_embd\"",
       ":26: arm 'parallel': clamp.a: no activation is named 'hook_embd'; the nearest is "
       "'hook_embed'"},
  };
  for (const auto& mistake : mistakes) {
    write(mistake.from, mistake.to);
    const std::string line = line_of();
    EXPECT_EQ(line.rfind(file_ + mistake.line, 0), 0U) << line;
    EXPECT_FALSE(std::filesystem::exists(out_));
  }
}

TEST_F(BadInput, ARunThatNeedsMoreMemoryThanThereIsSaysHowMuch) {
  // A thousand sums of gradients of 3.4e9 parameters: 13 TB.
  write("heads = 2",
        "d_model = 16384\nvocabulary = 100_000\n[arm.train]\nbatch = 1024\nshards = 1024");
  for (const spec::Command& command :
       {lookback({"train", file_, "--arm", "parallel", "--out", out_, "--threads", "1024"}),
        lookback({"study", file_, "--out", out_, "--threads", "1024"})}) {
    const std::string line = one_line(spec::run(command), 1);
    EXPECT_EQ(line.rfind("not enough memory: training 'parallel' needs about 1", 0), 0U) << line;
    EXPECT_NE(line.find(" GiB with 1024 threads, "), std::string::npos) << line;
    EXPECT_NE(line.find(" available"), std::string::npos) << line;
    EXPECT_FALSE(std::filesystem::exists(out_));
  }
}

TEST_F(BadInput, MemoryThatRunsOutSaysHowMuchWasNeeded) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer needs an address space without limit";
#else
  spec::Command limited = lookback({"bench", "--model", "gpt2-small", "--threads", "1"});
  limited.arguments.insert(limited.arguments.begin(),
                           {"/bin/sh", "-c", "ulimit -v 400000; exec \"$@\"", "sh"});
  const spec::Ended ended = spec::run(limited);
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_EQ(ended.err.rfind("lookback: not enough memory", 0), 0U) << ended.err;
  EXPECT_NE(ended.err.find(" available"), std::string::npos) << ended.err;
#endif
}

TEST_F(BadInput, AFileInTheWayOfTheDirectory) {
  std::ofstream(out_) << "mine";
  EXPECT_TRUE(
      test::like(one_line(spec::run(train())), out_ + ": cannot make directory: " + out_ + " *"));
}

TEST_F(BadInput, AFileInTheWayOfARun) {
  std::filesystem::create_directories(out_ + "/two-layer");
  std::ofstream(out_ + "/two-layer/seed-0") << "mine";
  const spec::Ended ended = spec::run(lookback({"study", file_, "--out", out_}));
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_NE(ended.err.find("lookback: " + out_ + "/two-layer/seed-0: cannot make directory"),
            std::string::npos)
      << ended.err;
}

TEST_F(BadInput, ADirectoryOfOtherFiles) {
  std::filesystem::create_directories(out_);
  std::ofstream(out_ + "/notes.md") << "mine";
  const std::string expected =
      out_ + ": found notes.md, which is not lookback's; use a new or empty directory";
  EXPECT_EQ(one_line(spec::run(train())), expected);
}

TEST_F(BadInput, ADirectoryThatCannotBeWritten) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  std::filesystem::create_directory(out_);
  std::filesystem::permissions(
      out_, std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  EXPECT_EQ(one_line(spec::run(train()), 1), out_ + "/.lock: cannot open: Permission denied");
}

TEST_F(BadInput, AnUnfinishedRunWithoutResume) {
  Process process(train({"--tokens", "100M"}));
  while (process.runs_for(std::chrono::milliseconds(5)) &&
         !std::filesystem::exists(out_ + "/resume.safetensors")) {
  }
  process.send(SIGKILL);
  process.wait();
  EXPECT_EQ(one_line(spec::run(train({"--tokens", "100M"}))),
            out_ +
                " holds an unfinished run; add --resume to continue it, or use another "
                "--out");
  EXPECT_EQ(one_line(spec::run(train({"--tokens", "50M", "--resume"}))),
            out_ +
                "/config.toml: this run was started with another configuration (train.tokens: "
                "found 100000000, asked 50000000); use another --out");
}

TEST_F(BadInput, ASecondProcessInTheSameDirectory) {
  Process first(train({"--tokens", "100M"}));
  while (first.runs_for(std::chrono::milliseconds(5)) &&
         !std::filesystem::exists(out_ + "/metrics.jsonl")) {
  }
  EXPECT_EQ(one_line(spec::run(train({"--tokens", "100M", "--resume"})), 4),
            out_ +
                ": another process is at work in this directory; wait for it, or use another "
                "--out");
  first.send(SIGKILL);
  EXPECT_EQ(first.wait().signal, SIGKILL);
}

TEST_F(BadInput, AStudyWithAProcessInOneOfItsRuns) {
  const std::string run = out_ + "/two-layer/seed-0";
  Process first(lookback({"train", file_, "--arm", "two-layer", "--out", run, "--tokens", "100M"}));
  while (first.runs_for(std::chrono::milliseconds(5)) &&
         !std::filesystem::exists(run + "/metrics.jsonl")) {
  }
  const spec::Ended study =
      spec::run(lookback({"study", file_, "--out", out_, "--tokens", "100M"}));
  EXPECT_EQ(study.exit_code, 4);
  EXPECT_TRUE(study.err.ends_with(
      "\nlookback: " + run +
      ": another process is at work in this directory; wait for it, or use another --out\n"))
      << study.err;
  first.send(SIGKILL);
  EXPECT_EQ(first.wait().signal, SIGKILL);
}

/// A finished run without its findings: what a process would go on from.
class TornCheckpoint : public BadInput {
 protected:
  void SetUp() override {
    const spec::Ended ended = spec::run(train());
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    whole_ = spec::results(out_);
    spec::unfinish(out_);
  }

  std::map<std::string, std::string> whole_;
};

TEST_F(TornCheckpoint, IsNamedAndTheOneBeforeUsed) {
  const std::string last = out_ + "/checkpoints/5120.safetensors";
  for (const std::uintmax_t share : {0U, 1U, 2U}) {
    spec::unfinish(out_);
    std::filesystem::resize_file(last, std::filesystem::file_size(last) * share / 3);
    const spec::Ended ended = spec::run(train({"--resume"}));
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_EQ(ended.err.rfind("parallel seed 0: passed over: " + last + ": ", 0), 0U) << ended.err;
    EXPECT_NE(ended.err.find("\nparallel seed 0: resuming from step 18\n"), std::string::npos)
        << ended.err;
    spec::expect_same_results(spec::results(out_), whole_);
  }
}

TEST_F(TornCheckpoint, WithoutAWholeOneTheRunBeginsAnew) {
  for (const auto& entry : std::filesystem::directory_iterator(out_ + "/checkpoints")) {
    std::filesystem::resize_file(entry.path(), 1000);
  }
  const spec::Ended ended = spec::run(train({"--resume"}));
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  spec::expect_same_results(spec::results(out_), whole_);
}

TEST_F(TornCheckpoint, MetricsThatWereChangedAreNamedAndMadeAgain) {
  std::string metrics = *base::read_file(out_ + "/metrics.jsonl", 1 << 26);
  const std::size_t third = metrics.find('\n', metrics.find('\n') + 1) + 1;
  metrics[third + 40] = static_cast<char>(metrics[third + 40] ^ 1);
  std::ofstream(out_ + "/metrics.jsonl") << metrics;
  const spec::Ended ended = spec::run(train({"--resume"}));
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_NE(ended.err.find(out_ + "/metrics.jsonl:3: "), std::string::npos) << ended.err;
  spec::expect_same_results(spec::results(out_), whole_);
}

TEST_F(BadInput, AFullDiskIsOneLineAndNoHalfFile) {
  const spec::Ended reference = spec::run(train());
  ASSERT_EQ(reference.exit_code, 0) << reference.err;
  const auto whole = spec::results(out_);
  out_ = directory_ / "full";
  // Too small for a checkpoint; for the metrics after some lines; for config.toml.
  for (const std::size_t limit : {20'000U, 6'000U, 300U}) {
    spec::Command command = train();
    command.largest_file = limit;
    const spec::Ended ended = spec::run(command);
    const std::string line = one_line(ended, 1);
    EXPECT_EQ(line.rfind(out_ + "/", 0), 0U) << line;
    EXPECT_NE(line.find(": File too large"), std::string::npos) << line;
    for (const auto& [path, bytes] : spec::results(out_)) {
      EXPECT_EQ(path.find("partial"), std::string::npos) << path;
      EXPECT_FALSE(path.ends_with(".safetensors") && whole.at(path) != bytes) << path;
    }
    const spec::Ended resumed = spec::run(train({"--resume"}));
    EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
    spec::expect_same_results(spec::results(out_), whole);
    std::filesystem::remove_all(out_);
  }
}

TEST_F(BadInput, AReportOfNothing) {
  const std::string none = directory_ / "none";
  EXPECT_TRUE(
      test::like(one_line(spec::run(lookback({"report", none}))), none + ": found no study.toml*"));
}

TEST_F(BadInput, AReportOfAStudyOfWhichNoRunHasBegun) {
  std::filesystem::create_directory(out_);
  std::filesystem::copy_file(file_, out_ + "/study.toml");
  EXPECT_TRUE(
      test::like(one_line(spec::run(lookback({"report", out_}))), out_ + ": found a study file*"));
  EXPECT_FALSE(std::filesystem::exists(out_ + "/report.html"));
}

TEST_F(BadInput, AReportOfFindingsNestedWithoutEnd) {
  const std::string run = out_ + "/parallel/seed-0";
  std::filesystem::create_directories(run);
  std::filesystem::copy_file(file_, out_ + "/study.toml");
  const std::size_t depth = 200'000;
  std::ofstream(run + "/findings.json")
      << R"({"seed":0,"deep":)" << std::string(depth, '[') << std::string(depth, ']') << "}";
  const std::string line = one_line(spec::run(lookback({"report", out_})));
  EXPECT_EQ(line.find(run), 0U) << line;
}

TEST_F(BadInput, AnUnknownInstructionSet) {
  spec::Command command = train();
  command.environment["LOOKBACK_ISA"] = "MMX";
  const std::string line = one_line(spec::run(command));
  EXPECT_TRUE(test::like(line, "LOOKBACK_ISA: *'MMX'*; available: *"));
  EXPECT_NE(line.find("SCALAR"), std::string::npos) << line;
}

}  // namespace
}  // namespace lookback::program
