#include "lookback/report/load_study.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/base/temporary_directory.h"
#include "tests/report/example_study.h"

namespace lookback::report {
namespace {

namespace fs = std::filesystem;

const HeldOutSequence sequence = {{7, 9, 7, 9}, 2};

/// A study directory with one arm and one run, to be spoiled by a test.
class LoadStudy : public testing::Test {
 protected:
  LoadStudy() {
    fs::create_directories(run() / "checkpoints");
    write(directory_ / "summary.json", summary("composed", "finished"));
    write(metrics(),
          test::record(1000, 0.2, 5.0).dump() + "\n" + test::record(2000, 0.8, 1.0).dump() + "\n");
  }

  static std::string summary(const std::string& arm, const std::string& status) {
    return R"({"study":"example","question":"Does it?","tokens":2000,"threads":2,"arms":[{"arm":")" +
           arm + R"(","runs":[{"seed":3,"parameters":12,"status":")" + status + R"("}]}]})";
  }

  static void write(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }

  fs::path run() const { return directory_ / "composed" / "seed-3"; }
  fs::path metrics() const { return run() / "metrics.jsonl"; }
  fs::path checkpoint(const std::string& name) const { return run() / "checkpoints" / name; }

  Result<StudyReport> load(const AttentionReader& reader = {}) const {
    return load_study(directory_.path(), sequence, reader);
  }

  /// The error of a load that must fail.
  std::string error() const {
    const Result<StudyReport> study = load();
    if (study) {
      ADD_FAILURE() << "loaded";
      return {};
    }
    EXPECT_EQ(study.error().message.find('\n'), std::string::npos);
    return study.error().message;
  }

  lookback::test::TemporaryDirectory directory_;
};

Result<std::vector<AttentionMap>> uniform(const fs::path&, const HeldOutSequence&) {
  return std::vector<AttentionMap>{{0, 0, "layer 0, head 0", test::uniform_map()}};
}

TEST_F(LoadStudy, ReadsSummaryAndMetrics) {
  const Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_EQ(study->name, "example");
  EXPECT_EQ(study->question, "Does it?");
  EXPECT_EQ(study->tokens, 2000U);
  EXPECT_EQ(study->threads, 2U);
  ASSERT_EQ(study->arms.size(), 1U);
  EXPECT_EQ(study->arms[0].parameters, 12U);
  EXPECT_EQ(study->arms[0].runs[0].seed, 3U);
  EXPECT_EQ(study->arms[0].runs[0].metrics.size(), 2U);
  EXPECT_TRUE(study->notes.empty());
}

TEST_F(LoadStudy, TakesTheQuestionFromTheStudyFileWhereTheSummaryHasNone) {
  write(directory_ / "summary.json", R"({"arms":[]})");
  write(directory_ / "study.toml", "question = \"From the file?\"\nother = 1\n");
  const Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_EQ(study->question, "From the file?");
}

TEST_F(LoadStudy, LeavesOutATornLastLineWithANote) {
  std::ofstream(metrics(), std::ios::app) << R"({"tokens":3000,"probes":{"rep)";
  const Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_EQ(study->arms[0].runs[0].metrics.size(), 2U);
  ASSERT_EQ(study->notes.size(), 1U);
  EXPECT_NE(study->notes[0].find("metrics.jsonl:3: the last line is incomplete"),
            std::string::npos);
}

TEST_F(LoadStudy, NamesALineBeforeTheLastThatIsNoJson) {
  write(metrics(), "{\"tokens\":1\n{\"tokens\":2}\n");
  EXPECT_NE(error().find("metrics.jsonl:1: not valid JSON"), std::string::npos);
  const std::string deep = R"({"tokens":1,"a":)" + std::string(200'000, '[') +
                           std::string(200'000, ']') + "}\n{\"tokens\":2}\n";
  write(metrics(), deep);
  EXPECT_NE(error().find("metrics.jsonl:1: not valid JSON"), std::string::npos);
}

TEST_F(LoadStudy, NamesALineWithoutTokensOrOutOfOrder) {
  write(metrics(), "{\"step\":1}\n{\"tokens\":2}\n");
  EXPECT_NE(error().find("metrics.jsonl:1: key 'tokens'"), std::string::npos);
  write(metrics(), "{\"tokens\":5}\n{\"tokens\":4}\n{\"tokens\":6}\n");
  EXPECT_NE(error().find("metrics.jsonl:2: key 'tokens': found 4 after 5"), std::string::npos);
}

TEST_F(LoadStudy, NamesAMissingFile) {
  fs::remove(metrics());
  EXPECT_NE(error().find("metrics.jsonl"), std::string::npos);
  fs::remove(directory_ / "summary.json");
  EXPECT_NE(error().find("summary.json"), std::string::npos);
}

TEST_F(LoadStudy, DoesWithoutTheMetricsOfARunThatDidNotFinish) {
  fs::remove(metrics());
  write(directory_ / "summary.json", summary("composed", "diverged"));
  const Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_TRUE(study->arms[0].runs[0].metrics.empty());
  EXPECT_EQ(study->notes.size(), 1U);
}

TEST_F(LoadStudy, ReadsTheConfigurationAndTheInspectionWhereTheyAre) {
  Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_EQ(study->arms[0].configuration, "");
  EXPECT_FALSE(study->arms[0].runs[0].lens);
  write(run() / "config.toml", "[run]\n");
  write(run() / "inspection.json", R"({"format":"lookback inspection 1","tokens":2000})");
  study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_EQ(study->arms[0].configuration, "[run]\n");
  ASSERT_TRUE(study->arms[0].runs[0].lens);
  EXPECT_EQ(study->arms[0].runs[0].lens->tokens, 2000U);
  EXPECT_TRUE(study->notes.empty());
}

TEST_F(LoadStudy, LeavesOutAnInspectionThatCannotBeReadWithANote) {
  write(run() / "inspection.json", "{\"format\":");
  const Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_FALSE(study->arms[0].runs[0].lens);
  ASSERT_EQ(study->notes.size(), 1U);
  EXPECT_NE(study->notes[0].find("inspection.json: not a JSON object"), std::string::npos);
}

TEST_F(LoadStudy, RefusesASummaryThatIsTornOrOfAnotherShape) {
  for (const std::string text :
       {"", "{\"arms\":", "[]", "{}", R"({"arms":{}})", R"({"arms":[1]})",
        R"({"arms":[{"arm":"composed"}]})", R"({"arms":[{"arm":"composed","runs":[{}]}]})",
        R"({"arms":[{"arm":"composed","runs":[{"seed":-1}]}]})"}) {
    write(directory_ / "summary.json", text);
    EXPECT_NE(error().find("summary.json"), std::string::npos) << text;
  }
}

TEST_F(LoadStudy, RefusesASummaryThatWouldExhaustTheStack) {
  std::string text = summary("composed", "finished");
  text.insert(text.find('{') + 1,
              "\"deep\":" + std::string(200'000, '[') + std::string(200'000, ']') + ",");
  write(directory_ / "summary.json", text);
  EXPECT_EQ(error(), (directory_ / "summary.json").string() +
                         ": found values nested deeper than 64, the most that is allowed");
}

TEST_F(LoadStudy, RefusesAnArmWhoseNameLeavesTheDirectory) {
  for (const std::string name : {"..", "../composed", "a/b", "", "a\\u0000b"}) {
    write(directory_ / "summary.json", summary(name, "finished"));
    EXPECT_NE(error().find("needs a name"), std::string::npos) << name;
  }
}

TEST_F(LoadStudy, ReadsCheckpointsInOrderOfTheirTokens) {
  for (const std::string name : {"1000.safetensors", "0.safetensors", "200.safetensors",
                                 ".300.safetensors.partial-1", "4x.safetensors", "notes.txt"}) {
    write(checkpoint(name), "");
  }
  const Result<StudyReport> study = load(uniform);
  ASSERT_TRUE(study) << study.error().message;
  std::vector<std::uint64_t> tokens;
  for (const CheckpointMaps& maps : study->arms[0].runs[0].attention) tokens.push_back(maps.tokens);
  EXPECT_EQ(tokens, (std::vector<std::uint64_t>{0, 200, 1000}));
}

TEST_F(LoadStudy, LeavesOutACheckpointThatCannotBeReadWithANote) {
  write(checkpoint("100.safetensors"), "");
  write(checkpoint("200.safetensors"), "");
  const Result<StudyReport> study = load(
      [](const fs::path& path, const HeldOutSequence& on) -> Result<std::vector<AttentionMap>> {
        if (path.filename() == "200.safetensors") return Error{path.string() + ": torn"};
        return uniform(path, on);
      });
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_EQ(study->arms[0].runs[0].attention.size(), 1U);
  ASSERT_EQ(study->notes.size(), 1U);
  EXPECT_NE(study->notes[0].find("200.safetensors: torn"), std::string::npos);
}

TEST_F(LoadStudy, SaysOnceAnArmWhyNoCheckpointOfItHasMaps) {
  for (const std::string name : {"0", "100", "200"}) write(checkpoint(name + ".safetensors"), "");
  const Result<StudyReport> study =
      load([](const fs::path&, const HeldOutSequence&) -> Result<std::vector<AttentionMap>> {
        return Error{"found a vocabulary of 9 tokens"};
      });
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_EQ(study->notes, (std::vector<std::string>{
                              "left out: " + checkpoint("0.safetensors").string() +
                              ": found a vocabulary of 9 tokens (and so 2 more checkpoints of this "
                              "arm)"}));
}

TEST_F(LoadStudy, LeavesOutAMapOfTheWrongSizeWithANote) {
  write(checkpoint("100.safetensors"), "");
  const Result<StudyReport> study =
      load([](const fs::path&, const HeldOutSequence&) -> Result<std::vector<AttentionMap>> {
        return std::vector<AttentionMap>{{0, 0, "layer 0, head 0", {1.0F}}};
      });
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_TRUE(study->arms[0].runs[0].attention.empty());
  ASSERT_EQ(study->notes.size(), 1U);
  EXPECT_NE(study->notes[0].find("expected 4 x 4"), std::string::npos);
}

}  // namespace
}  // namespace lookback::report
