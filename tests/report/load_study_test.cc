#include "lookback/report/load_study.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/report/study_directory.h"

namespace lookback::report {
namespace {

namespace fs = std::filesystem;

/// Loads a study's directory, which a test spoils first.
class LoadStudy : public test::StudyDirectory {
 protected:
  Result<StudyReport> load(const CheckpointReader& reader = {},
                           const CheckpointLimits& limits = {}) const {
    return load_study(directory_.path(), {sequence, reader}, limits);
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
};

Result<CheckpointContents> two_heads(const fs::path&, const HeldOutSequence&) {
  return test::example_contents();
}

TEST_F(LoadStudy, ReadsTheStudyFileAndItsRuns) {
  const Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_EQ(study->name, "example");
  EXPECT_EQ(study->question, "Does it?");
  EXPECT_EQ(study->tokens, 32768U);
  ASSERT_EQ(study->arms.size(), 1U);
  EXPECT_EQ(study->arms[0].sequences, 4U);
  EXPECT_GT(study->arms[0].parameters, 10'000U);
  EXPECT_NE(study->arms[0].configuration.find("arm = \"composed\""), std::string::npos);
  ASSERT_EQ(study->arms[0].runs.size(), 1U);
  const report::Run& run = study->arms[0].runs[0];
  EXPECT_EQ(run.metrics.size(), 2U);
  EXPECT_EQ(run.planned_tokens, 32768U);
  EXPECT_EQ(run.summary["status"], "finished");
  EXPECT_EQ(run.summary["tokens"], 2000);
  EXPECT_EQ(run.summary["tokens_per_second"], nullptr);
  EXPECT_TRUE(study->ledger.is_null());
  EXPECT_TRUE(study->notes.empty());
}

TEST_F(LoadStudy, KnowsTheSpeedOfARunAndItsThreads) {
  write(run() / "timing.json", R"({"tokens_per_second":125.5,"threads":3})");
  Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_EQ(study->arms[0].runs[0].summary["tokens_per_second"], 125.5);
  EXPECT_EQ(study->threads, 3U);
  write(run() / "timing.json", "{\"tok");
  study = load();
  ASSERT_TRUE(study) << study.error().message;
  ASSERT_EQ(study->notes.size(), 1U);
  EXPECT_NE(study->notes[0].find("timing.json: not a JSON object"), std::string::npos);
}

TEST_F(LoadStudy, SaysOfARunThatHasNotEndedWhatItsLinesSay) {
  unend();
  write_study(study_text("seeds = 2"));
  const Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_TRUE(study->notes.empty());
  const nlohmann::json& training = study->arms[0].runs[0].summary;
  EXPECT_EQ(training["status"], "training");
  EXPECT_EQ(training["arm"], "composed");
  EXPECT_EQ(training["seed"], 0);
  EXPECT_EQ(training["tokens"], 2000);
  EXPECT_EQ(training["induction_score"], 0.8);
  EXPECT_EQ(training["second_half_loss"], 1.0);
  EXPECT_TRUE(training["transition_tokens"].is_number());
  EXPECT_FALSE(training.contains("last"));
  const nlohmann::json& waiting = study->arms[0].runs[1].summary;
  EXPECT_EQ(waiting["status"], "waiting");
  EXPECT_EQ(waiting["tokens"], 0);
  EXPECT_FALSE(waiting.contains("induction_score"));
}

TEST_F(LoadStudy, SaysTrainingOfARunThatHasMeasuredNothingYet) {
  unend();
  fs::remove(metrics());
  const Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_EQ(study->arms[0].runs[0].summary["status"], "training");
  EXPECT_TRUE(study->arms[0].runs[0].metrics.empty());
  EXPECT_TRUE(study->notes.empty());
}

TEST_F(LoadStudy, LeavesOutATornLastLineWithANote) {
  unend();
  append(metrics(), R"({"tokens":3000,"probes":{"rep)");
  const Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_EQ(study->arms[0].runs[0].metrics.size(), 2U);
  ASSERT_EQ(study->notes.size(), 1U);
  EXPECT_EQ(study->notes[0].find(metrics().string() + ": "), 0U);
}

TEST_F(LoadStudy, NamesALineThatIsNotAsARunWroteIt) {
  unend();
  for (const std::string& spoiled :
       {std::string("{\"tokens\":1\n{\"tokens\":2}\n"), test::line_of(1000, 0.2, 5.0).dump() + "\n",
        "{\"a\":" + std::string(200'000, '[') + std::string(200'000, ']') + "}\n",
        lines({test::line_of(1000, 0.2, 5.0)}, 1)}) {  // the last is of another seed
    write(metrics(), spoiled);
    EXPECT_EQ(error().find(metrics().string() + ":1: "), 0U) << spoiled.substr(0, 40);
  }
  write(metrics(), lines({test::line_of(1000, 0.2, 5.0), test::line_of(1000, 0.2, 5.0)}));
  EXPECT_EQ(error().find(metrics().string() + ":2: "), 0U);
}

TEST_F(LoadStudy, NamesAFileOfAnEndedRunThatWasChanged) {
  append(metrics(), "\n");
  EXPECT_EQ(error().find(metrics().string() + ": "), 0U);
  write(metrics(), lines({test::line_of(1000, 0.2, 5.0)}));  // whole lines, and one too few
  EXPECT_EQ(error().find(metrics().string() + ": "), 0U);
  list_all();
  write(run() / "findings.json", R"({"seed":0,"status":"finished","tokens":2001})");
  EXPECT_EQ(error().find((run() / "findings.json").string() + ": "), 0U);
}

TEST_F(LoadStudy, NamesAMissingFile) {
  fs::remove(metrics());
  EXPECT_NE(error().find("metrics.jsonl"), std::string::npos);
  fs::remove(directory_ / "study.toml");
  EXPECT_NE(error().find("study.toml"), std::string::npos);
}

TEST_F(LoadStudy, DoesWithoutTheMetricsOfARunThatDiverged) {
  fs::remove(metrics());
  end(R"({"status":"diverged","message":"found NaN"})");
  const Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_TRUE(study->arms[0].runs[0].metrics.empty());
  EXPECT_EQ(study->arms[0].runs[0].summary["message"], "found NaN");
  ASSERT_EQ(study->notes.size(), 1U);
  EXPECT_NE(study->notes[0].find(metrics().string()), std::string::npos);
}

TEST_F(LoadStudy, ReadsTheInspectionWhereItIs) {
  Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_FALSE(study->arms[0].runs[0].lens);
  write(run() / "inspection.json", R"({"format":"lookback inspection 3","tokens":2000})");
  study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_FALSE(study->arms[0].runs[0].lens) << "it is being made";
  list_all();
  study = load();
  ASSERT_TRUE(study) << study.error().message;
  ASSERT_TRUE(study->arms[0].runs[0].lens);
  EXPECT_EQ(study->arms[0].runs[0].lens->tokens, 2000U);
  EXPECT_TRUE(study->notes.empty());
}

TEST_F(LoadStudy, LeavesOutAnInspectionThatCannotBeReadWithANote) {
  write(run() / "inspection.json", "{\"format\":");
  list_all();
  const Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_FALSE(study->arms[0].runs[0].lens);
  ASSERT_EQ(study->notes.size(), 1U);
  EXPECT_NE(study->notes[0].find("inspection.json: not a JSON object"), std::string::npos);
}

TEST_F(LoadStudy, DecidesTheClaimsOfTheRunsThatHaveEnded) {
  write_study(study_text("seeds = 2") + test::claim_text);
  const Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  const nlohmann::json& test = study->ledger["claims"][0]["tests"][0];
  ASSERT_EQ(test["seeds"].size(), 1U);  // the other has no directory yet
  EXPECT_EQ(test["seeds"][0]["value"], 1.0);
  EXPECT_EQ(study->ledger["claims"][0]["verdict"], "not decided");
  EXPECT_TRUE(study->notes.empty());
}

TEST_F(LoadStudy, MarksAClaimThatNoRecordHasAsStatedNowAndKeepsNoRecord) {
  write_study(study_text("seeds = 2") + test::claim_text);
  const Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_EQ(study->ledger["claims"][0]["stated"]["mark"], "stated after 1 of 2 runs had ended");
  EXPECT_FALSE(fs::exists(directory_ / "claims.json"));
}

TEST_F(LoadStudy, HasNoLedgerWhereTheRecordOfItsClaimsWasChanged) {
  write_study(study_text("seeds = 2") + test::claim_text);
  write(directory_ / "claims.json", "{}");
  const Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_TRUE(study->ledger.is_null());
  ASSERT_EQ(study->notes.size(), 1U);
  EXPECT_NE(study->notes[0].find("claims.json: "), std::string::npos) << study->notes[0];
}

TEST_F(LoadStudy, HasNoLedgerWithoutClaimsWhateverAFileSays) {
  write(directory_ / "ledger.json", R"({"format":"lookback ledger 2","claims":[]})");
  const Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_TRUE(study->ledger.is_null());
}

TEST_F(LoadStudy, SaysWhichRunAFinishedStudyLacks) {
  ASSERT_TRUE(study::write_listed(directory_.path(), "summary.json", "{}"));
  const Result<StudyReport> whole = load();
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->unread, std::vector<std::string>());
  unend();
  const Result<StudyReport> study = load();
  ASSERT_TRUE(study) << study.error().message;
  ASSERT_EQ(study->unread.size(), 1U);
  EXPECT_EQ(study->unread[0].find(run().string() + ": "), 0U) << study->unread[0];
}

TEST_F(LoadStudy, RefusesFindingsThatAreNone) {
  for (const std::string text : {"", "{\"seed\":", "[]"}) {
    end(text);
    EXPECT_NE(error().find("findings.json: not a JSON object"), std::string::npos) << text;
  }
}

TEST_F(LoadStudy, RefusesFindingsOfARunThatEndedInNoKnownWay) {
  for (const std::string text : {"{}", R"({"status":1})", R"({"status":"training"})"}) {
    end(text);
    EXPECT_NE(error().find("findings.json: key 'status'"), std::string::npos) << text;
  }
}

TEST_F(LoadStudy, RefusesFindingsThatWouldExhaustTheStack) {
  end("{\"deep\":" + std::string(200'000, '[') + std::string(200'000, ']') + "}");
  EXPECT_EQ(error().find((run() / "findings.json").string() + ": "), 0U);
}

TEST_F(LoadStudy, RefusesAStudyFileWhoseRunsWereChanged) {
  write(directory_ / "study.toml", study_text("seeds = 2"));
  EXPECT_EQ(error().find((directory_ / "study.toml").string() + ": "), 0U);
}

TEST_F(LoadStudy, RefusesAStudyFileThatIsNone) {
  write(directory_ / "study.toml", "name = ");
  EXPECT_NE(error().find("study.toml:1"), std::string::npos);
}

TEST_F(LoadStudy, RefusesAnArmWhoseNameLeavesTheDirectory) {
  for (const std::string name : {"..", "../composed", "a/b", "", "a\\u0000b"}) {
    write(directory_ / "study.toml", study_text("seeds = 1", name));
    EXPECT_NE(error().find("name"), std::string::npos) << name;
  }
}

TEST_F(LoadStudy, RefusesMoreRunsThanAPageCouldList) {
  write_study(study_text("seeds = 10001"));
  EXPECT_NE(error().find("found 1 arms with 10001 seeds each"), std::string::npos);
}

TEST_F(LoadStudy, ReadsCheckpointsInOrderOfTheirTokens) {
  for (const std::string name : {"1000.safetensors", "0.safetensors", "200.safetensors",
                                 ".300.safetensors.partial-1", "4x.safetensors", "notes.txt"}) {
    write(checkpoint(name), "");
  }
  const Result<StudyReport> study = load(two_heads);
  ASSERT_TRUE(study) << study.error().message;
  std::vector<std::uint64_t> tokens;
  for (const auto& one : study->arms[0].runs[0].checkpoints) {
    tokens.push_back(one->tokens);
    EXPECT_EQ(one->maps.size(), 2U);
    EXPECT_EQ(one->circuits.size(), 1U);
    EXPECT_TRUE(one->circuits[0].circuit.matrix.empty());
  }
  EXPECT_EQ(tokens, (std::vector<std::uint64_t>{0, 200, 1000}));
}

TEST_F(LoadStudy, ReadsNoCheckpointThatIsNotShownAndEachOnce) {
  for (int i = 100; i < 200; ++i) write(checkpoint(std::to_string(i) + ".safetensors"), "");
  std::map<std::string, int> reads;
  const auto reader = [&](const fs::path& path, const HeldOutSequence&) {
    ++reads[path.stem().string()];
    return Result<CheckpointContents>(test::example_contents());
  };
  const std::size_t one = encode_checkpoint(test::example_contents(), 0, test::length).map_bytes;
  const Result<StudyReport> study = load(reader, {.maps = 40 * one});
  ASSERT_TRUE(study) << study.error().message;
  const auto& shown = study->arms[0].runs[0].checkpoints;
  ASSERT_EQ(shown.size(), 34U);  // every third
  EXPECT_EQ(shown.front()->tokens, 100U);
  EXPECT_EQ(shown[1]->tokens, 103U);
  EXPECT_EQ(shown.back()->tokens, 199U);
  EXPECT_EQ(reads.size(), 34U);
  for (const auto& [name, times] : reads) EXPECT_EQ(times, 1) << name;
  EXPECT_EQ(study->notes, (std::vector<std::string>{
                              "attention maps and circuits of 66 of 100 checkpoints were left out "
                              "to keep this page small"}));
}

TEST_F(LoadStudy, KeepsTheLimitAlsoWhereLaterCheckpointsTakeMore) {
  for (int i = 100; i < 200; ++i) write(checkpoint(std::to_string(i) + ".safetensors"), "");
  const auto reader = [](const fs::path& path, const HeldOutSequence&) {
    CheckpointContents contents = test::example_contents();
    const bool small = path.stem() == "100" || path.stem() == "199";
    for (int i = 0; i < 3 && !small; ++i) contents.maps.push_back(contents.maps.front());
    return Result<CheckpointContents>(contents);
  };
  constexpr std::size_t limit = 8000;
  const Result<StudyReport> study = load(reader, {.maps = limit});
  ASSERT_TRUE(study) << study.error().message;
  std::size_t bytes = 0;
  for (const auto& one : study->arms[0].runs[0].checkpoints) bytes += one->map_bytes;
  EXPECT_LE(bytes, limit);
  EXPECT_GT(bytes, limit / 2);
}

TEST_F(LoadStudy, SaysWhichArmHasMoreCircuitsThanAreShown) {
  write(checkpoint("100.safetensors"), "");
  const Result<StudyReport> study = load([](const fs::path&, const HeldOutSequence&) {
    CheckpointContents contents = test::example_contents();
    contents.circuits_left_out = 7;
    return Result<CheckpointContents>(contents);
  });
  ASSERT_TRUE(study) << study.error().message;
  ASSERT_EQ(study->notes.size(), 1U);
  EXPECT_EQ(study->notes[0].find("arm 'composed': 7 of its circuits are not followed"), 0U);
}

TEST_F(LoadStudy, LeavesOutACheckpointThatCannotBeReadWithANote) {
  write(checkpoint("100.safetensors"), "");
  write(checkpoint("200.safetensors"), "");
  const Result<StudyReport> study =
      load([](const fs::path& path, const HeldOutSequence& on) -> Result<CheckpointContents> {
        if (path.filename() == "200.safetensors") return Error{path.string() + ": torn"};
        return two_heads(path, on);
      });
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_EQ(study->arms[0].runs[0].checkpoints.size(), 1U);
  ASSERT_EQ(study->notes.size(), 1U);
  EXPECT_NE(study->notes[0].find("200.safetensors: torn"), std::string::npos);
}

TEST_F(LoadStudy, SaysOnceAnArmWhyNoCheckpointOfItHasMaps) {
  for (const std::string name : {"0", "100", "200"}) write(checkpoint(name + ".safetensors"), "");
  const Result<StudyReport> study = load([](const fs::path&, const HeldOutSequence&) {
    CheckpointContents contents = test::example_contents();
    contents.maps.clear();
    contents.maps_fault = "found a vocabulary of 9 tokens";
    return Result<CheckpointContents>(contents);
  });
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_EQ(study->arms[0].runs[0].checkpoints.size(), 3U);
  EXPECT_EQ(study->notes, (std::vector<std::string>{
                              "left out: " + checkpoint("0.safetensors").string() +
                              ": found a vocabulary of 9 tokens (as are 2 more checkpoints of this "
                              "arm)"}));
}

TEST_F(LoadStudy, LeavesOutMapsAndCircuitsOfTheWrongSizeWithANote) {
  write(checkpoint("100.safetensors"), "");
  const Result<StudyReport> study = load([](const fs::path&, const HeldOutSequence&) {
    CheckpointContents contents = test::example_contents();
    contents.maps[1].weights.pop_back();
    contents.circuits[0].matrix.pop_back();
    return Result<CheckpointContents>(contents);
  });
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_TRUE(study->arms[0].runs[0].checkpoints.empty());
  ASSERT_EQ(study->notes.size(), 2U);
  EXPECT_NE(
      study->notes[0].find("layer 0, head 1: attention map: found 15 weights, expected 4 x 4"),
      std::string::npos);
  EXPECT_NE(study->notes[1].find("QK of 1.0, keys through 0.1: matrix: found 3 values"),
            std::string::npos);
}

}  // namespace
}  // namespace lookback::report
