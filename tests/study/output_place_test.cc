#include "lookback/study/output_place.h"

#include <gtest/gtest.h>

#include <fstream>

#include "lookback/study/manifest.h"
#include "tests/base/temporary_directory.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

class OutputPlace : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text = "text") {
    const fs::path file = directory_ / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file.string();
  }
  bool begins(DirectoryKind wanted) {
    return static_cast<bool>(check_directory(directory_.path(), wanted));
  }

  test::TemporaryDirectory directory_;
};

TEST_F(OutputPlace, AStudyOrARunBeginsInAnEmptyDirectory) {
  EXPECT_TRUE(begins(DirectoryKind::study));
  EXPECT_TRUE(begins(DirectoryKind::run));
}

TEST_F(OutputPlace, NeitherBeginsAmongFilesOfOthers) {
  write("notes.md");
  EXPECT_FALSE(begins(DirectoryKind::study));
  EXPECT_FALSE(begins(DirectoryKind::run));
  EXPECT_TRUE(begins(DirectoryKind::exported));
}

TEST_F(OutputPlace, NeitherBeginsAmongDirectoriesOfOthers) {
  write("thesis/chapter-1.tex");
  EXPECT_FALSE(begins(DirectoryKind::study));
}

TEST_F(OutputPlace, AStudyBeginsBesideItsFileAndAfterAStartThatWasKilled) {
  write("mine.toml");
  write(".lock");
  write("study.toml");
  write("manifest.json");
  write("claims.json");
  fs::create_directories(directory_ / "two-layer/seed-0");
  EXPECT_TRUE(begins(DirectoryKind::study));
}

TEST_F(OutputPlace, ResultsReplaceResultsAndEmptyFilesAlone) {
  EXPECT_TRUE(check_json_file(directory_ / "new.json"));
  EXPECT_TRUE(check_json_file(write("empty.json", "")));
  EXPECT_TRUE(check_json_file(write("old.json", "{}")));
  EXPECT_FALSE(check_json_file(write("study.toml", "[study]")));
  EXPECT_FALSE(check_json_file(directory_.path()));
}

TEST_F(OutputPlace, ResultsNeverReplaceWhatAManifestLists) {
  ASSERT_TRUE(write_listed(directory_.path(), "summary.json", "{}"));
  EXPECT_FALSE(check_json_file(directory_ / "summary.json"));
  EXPECT_TRUE(check_json_file(directory_ / "scores.json"));
}

}  // namespace
}  // namespace lookback::study
