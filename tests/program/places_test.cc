// What is there already: nothing is written over what is of another kind, and a study grows by seeds.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "tests/program/studies.h"

namespace lookback::program {
namespace {

using spec::lookback;
using spec::one_line;
using test::TemporaryDirectory;

/// A study of two steps an arm, run once, and beside it a model alone and its export.
class Places : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = std::make_unique<TemporaryDirectory>();
    spec::write_study(*directory_, spec::three_arms(2));
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {"study", file(), "--out", study(), "--threads", "2"},
             {"construct", "smeared", "--vocabulary", "16", "--context", "64", "--min-period", "3",
              "--max-period", "8", "--out", model()},
             {"export", model(), "--to", "torch", "--out", exported()}}) {
      const spec::Ended ended = spec::run(lookback(arguments));
      ASSERT_EQ(ended.exit_code, 0) << ended.err;
    }
  }
  static void TearDownTestSuite() { directory_.reset(); }

  static std::string path(const char* name) { return (directory_->path() / name).string(); }
  static std::string file() { return path("study.toml"); }
  static std::string study() { return path("study"); }
  static std::string run() { return path("study/parallel/seed-0"); }
  static std::string model() { return path("model.safetensors"); }
  static std::string exported() { return path("exported"); }

  static std::string line(const std::vector<std::string>& arguments) {
    return one_line(spec::run(lookback(arguments)));
  }

  static inline std::unique_ptr<TemporaryDirectory> directory_;
};

TEST_F(Places, ADirectoryOfAnotherKindIsRefusedAndLeftAsItIs) {
  const auto before = spec::results(directory_->path());
  const auto train = [&](const std::string& out) {
    return line({"train", file(), "--arm", "parallel", "--out", out});
  };
  const auto exporting = [&](const std::string& out) {
    return line({"export", model(), "--to", "torch", "--out", out});
  };
  const std::string end = "; use another --out";
  EXPECT_EQ(train(study()),
            study() +
                ": found a study (study.toml), which would be mixed with a run (config.toml)" +
                end);
  EXPECT_EQ(train(study() + "/parallel"),
            study() +
                "/parallel: found the runs of a study's arm (seed-<n>), which would be mixed "
                "with a run (config.toml)" +
                end);
  EXPECT_EQ(train(exported()),
            exported() +
                ": found an exported model (config.json, model.safetensors), which would "
                "be mixed with a run (config.toml)" +
                end);
  EXPECT_EQ(exporting(run()),
            run() +
                ": found a run (config.toml), which would be mixed with an exported model "
                "(config.json, model.safetensors)" +
                end);
  EXPECT_EQ(exporting(study()).rfind(study() + ": found a study (study.toml), ", 0), 0U);
  const spec::Ended study_there = spec::run(lookback({"study", file(), "--out", run()}));
  EXPECT_EQ(study_there.exit_code, 2);
  EXPECT_TRUE(study_there.err.ends_with(
      "\nlookback: " + run() +
      ": found a run (config.toml), which would be mixed with a study (study.toml)" + end + "\n"))
      << study_there.err;
  spec::expect_same_results(spec::results(directory_->path()), before);
}

TEST_F(Places, AModelReplacesNothingButAModel) {
  const std::string checkpoint = run() + "/checkpoints/512.safetensors";
  const auto told = [](const std::string& out, const char* found) {
    return fmt::format("{}: found {}, which a model would replace; use another --out", out, found);
  };
  const auto before = spec::results(directory_->path());
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"construct", "smeared", "--vocabulary", "16", "--context", "64", "--min-period", "3",
            "--max-period", "8"},
           {"import", exported()}}) {
    const auto to = [&](const std::string& out) {
      std::vector<std::string> arguments = command;
      arguments.insert(arguments.end(), {"--out", out});
      return line(arguments);
    };
    EXPECT_EQ(to(checkpoint), told(checkpoint, "a run's checkpoint"));
    const std::string no_model = to(file());
    EXPECT_EQ(no_model.rfind(file() + ": found a file that is no model of lookback (", 0), 0U)
        << no_model;
    EXPECT_TRUE(no_model.ends_with("), which a model would replace; use another --out"))
        << no_model;
    EXPECT_EQ(no_model.find(file(), 1), std::string::npos) << "named twice: " << no_model;
    EXPECT_EQ(to(study()), told(study(), "a directory"));
  }
  spec::expect_same_results(spec::results(directory_->path()), before);
  const std::string empty = path("empty.safetensors");
  std::ofstream(empty).close();
  for (const std::string& out : {model(), empty}) {
    const spec::Ended again =
        spec::run(lookback({"construct", "smeared", "--vocabulary", "16", "--context", "64",
                            "--min-period", "3", "--max-period", "8", "--out", out}));
    EXPECT_EQ(again.exit_code, 0) << again.err;
  }
  EXPECT_EQ(std::filesystem::file_size(empty), std::filesystem::file_size(model()));
  std::filesystem::remove(empty);
}

TEST_F(Places, AStudyBesideItsOwnFileIsRefusedAndLeavesNothing) {
  const TemporaryDirectory own;
  const std::string text = spec::write_study(own, spec::three_arms(2));
  const spec::Ended ended = spec::run(lookback({"study", text, "--out", own.path().string()}));
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_TRUE(ended.err.ends_with("\nlookback: " + text +
                                  ": no study here was started from this file, which would be "
                                  "overwritten; use another --out\n"))
      << ended.err;
  EXPECT_FALSE(std::filesystem::exists(own / ".lock"));
}

TEST_F(Places, InspectingAStudyNamesItsRuns) {
  EXPECT_EQ(line({"inspect", study()}),
            study() +
                ": found a directory of 3 runs, allowed: a checkpoint or one run's directory: " +
                study() + "/parallel/seed-0, " + study() + "/sequential/seed-0, " + study() +
                "/two-layer/seed-0");
  EXPECT_EQ(line({"inspect", study() + "/parallel"}),
            study() +
                "/parallel: found a directory of 1 runs, allowed: a checkpoint or one run's "
                "directory: " +
                run());
}

TEST_F(Places, AProbeIsOneWordAFlag) {
  const spec::Ended ended = spec::run(
      lookback({"inspect", "--sequences", "2", "--json", "--probe", "random-repeat", run()}));
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  const std::vector<std::string> both = {"inspect", run(),     "--sequences",
                                         "2",       "--probe", "random-repeat,repeated-blocks"};
  const spec::Ended with_comma = spec::run(lookback(both));
  EXPECT_EQ(with_comma.exit_code, 0) << with_comma.err;
  EXPECT_EQ(one_line(spec::run(lookback({"inspect", run(), "--probe", "random-repeat", "--probe",
                                         "random-repeat"})),
                     2),
            "--probe: found random-repeat twice, allowed: each once");
}

TEST_F(Places, AStudyTakesMoreSeeds) {
  const std::string grown = path("grown"), whole = path("whole");
  const auto with_seeds = [&](const std::string& out, const char* seeds,
                              const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"study", file(), "--out", out, "--seeds", seeds};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return spec::run(lookback(arguments));
  };
  ASSERT_EQ(with_seeds(grown, "1").exit_code, 0);
  const spec::Ended without = with_seeds(grown, "2");
  EXPECT_EQ(without.exit_code, 2);
  EXPECT_NE(without.err.find("\nlookback: " + grown +
                             " holds this study with seeds = 1, asked 2; add --resume to add what "
                             "is missing, or use another --out\n"),
            std::string::npos)
      << without.err;
  const spec::Ended added = with_seeds(grown, "2", {"--resume"});
  ASSERT_EQ(added.exit_code, 0) << added.err;
  EXPECT_EQ(added.err.find("seed 0: induction score"), std::string::npos) << "made anew";
  ASSERT_EQ(with_seeds(whole, "2").exit_code, 0);
  spec::expect_same_results(spec::results(grown), spec::results(whole));
  const spec::Ended fewer = with_seeds(grown, "1", {"--resume"});
  EXPECT_EQ(fewer.exit_code, 2);
  EXPECT_NE(fewer.err.find(" with seeds = 2, asked 1; add --seeds 2, or use another --out"),
            std::string::npos)
      << fewer.err;
}

}  // namespace
}  // namespace lookback::program
