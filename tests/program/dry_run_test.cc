// --dry-run: the plan on stdout, and nothing on disk.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "lookback/base/checksum.h"
#include "tests/program/studies.h"

namespace lookback::program {
namespace {

namespace fs = std::filesystem;
using spec::Ended;
using test::TemporaryDirectory;

class DryRun : public testing::Test {
 protected:
  void SetUp() override { file_ = spec::write_study(directory_, spec::three_arms(2)); }

  /// `lookback COMMAND study.toml --out OUT` with more arguments.
  Ended run(const std::string& command, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {command,        file_,       "--out",
                                          out().string(), "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return spec::run(spec::lookback(arguments));
  }

  /// The same with --dry-run, which must leave everything as it is.
  Ended dry(const std::string& command, std::vector<std::string> more) const {
    const auto before = everything();
    more.emplace_back("--dry-run");
    Ended ended = run(command, more);
    EXPECT_EQ(everything(), before);
    return ended;
  }

  /// Every directory, and every file with its checksum and when it was written.
  std::map<std::string, std::string> everything() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(directory_.path())) {
      std::string& text = found[entry.path().string()];
      if (!entry.is_regular_file()) continue;
      const auto sum = base::sum_of_file(entry.path());
      text = (sum ? sum->checksum : sum.error().message) +
             std::to_string(entry.last_write_time().time_since_epoch().count());
    }
    return found;
  }

  fs::path out() const { return directory_ / "out"; }

  TemporaryDirectory directory_;
  std::string file_;
};

TEST_F(DryRun, OfAStudyTellsWhatIsMadeResumedAndLeft) {
  const Ended empty = dry("study", {});
  EXPECT_EQ(empty.exit_code, 0) << empty.err;
  EXPECT_EQ(empty.err, "");
  EXPECT_NE(empty.out.find(out().string() + ": 3 runs\n"), std::string::npos) << empty.out;
  EXPECT_FALSE(fs::exists(out()));

  ASSERT_EQ(run("study", {}).exit_code, 0);
  const Ended grown = dry("study", {"--seeds", "2", "--resume"});
  EXPECT_EQ(grown.exit_code, 0) << grown.err;
  for (const char* part :
       {"seed 0  finished ", "seed 1  not started ", "summary.json", "report.html"})
    EXPECT_NE(grown.out.find(part), std::string::npos) << part << grown.out;

  spec::unfinish_study(out());
  spec::unfinish(out() / "parallel/seed-0");
  const Ended resumed = dry("study", {"--resume"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_NE(resumed.out.find("seed 0  unfinished  resume from step 2 of 2\n"), std::string::npos)
      << resumed.out;
  ASSERT_EQ(run("study", {"--resume"}).exit_code, 0);
  EXPECT_EQ(dry("study", {"--resume"}).out.find("resume from"), std::string::npos);
}

TEST_F(DryRun, OfWhatIsRefusedGivesTheRefusal) {
  ASSERT_EQ(run("study", {"--seeds", "2"}).exit_code, 0);
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--seeds", "1", "--resume"}, {"--seeds", "3"}, {"--tokens", "256", "--resume"}}) {
    const std::string line = spec::one_line(dry("study", arguments));
    EXPECT_EQ(line.find(out().string() + " "), 0U) << line;
  }
}

TEST_F(DryRun, OfARunTellsTheSame) {
  const std::vector<std::string> arm = {"--arm", "parallel", "--seed", "7"};
  const Ended empty = dry("train", arm);
  EXPECT_EQ(empty.exit_code, 0) << empty.err;
  EXPECT_NE(empty.out.find("parallel  seed 7  not started  train 2 steps\n"), std::string::npos)
      << empty.out;
  EXPECT_FALSE(fs::exists(out()));
  ASSERT_EQ(run("train", arm).exit_code, 0);
  EXPECT_NE(dry("train", arm).out.find("finished  leave as is\n"), std::string::npos);
  EXPECT_NE(spec::one_line(dry("train", {"--arm", "parallel", "--seed", "8"})), "");
}

}  // namespace
}  // namespace lookback::program
