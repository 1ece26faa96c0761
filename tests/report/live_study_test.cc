#include "lookback/report/live_study.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "lookback/report/page.h"
#include "tests/report/study_directory.h"

namespace lookback::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// A study whose one run is at work, with one checkpoint, and who looks at it.
class LiveStudyTest : public test::StudyDirectory {
 protected:
  LiveStudyTest() : live_(directory_.path(), readers(), 0) {
    unend();
    write(checkpoint("1000.safetensors"), "a");
  }

  /// The lines that the run has.
  static json early() { return test::line_of(1000, 0.2, 5.0); }
  static json late() { return test::line_of(2000, 0.8, 1.0); }

  StudyReaders readers() {
    return {sequence, [this](const fs::path& path, const HeldOutSequence&) {
              ++reads_[path.filename().string()];
              return Result<CheckpointContents>(test::example_contents());
            }};
  }

  PageParts look() {
    Result<PageParts> parts = live_.refresh();
    if (parts) return *parts;
    ADD_FAILURE() << parts.error().message;
    return {};
  }

  /// That of a part as it is now.
  json now(const std::string& name) {
    const PageParts parts = look();
    return parts.contains(name) ? json::parse(parts.at(name)->text) : json();
  }

  /// What a page made from the same directory holds.
  json page() {
    const Result<StudyReport> study = load_study(directory_.path(), readers());
    if (!study) {
      ADD_FAILURE() << study.error().message;
      return {};
    }
    return *page_data(*study);
  }

  std::map<std::string, int> reads_;
  LiveStudy live_;
};

TEST_F(LiveStudyTest, HasThePartsOfThePage) {
  const PageParts parts = look();
  ASSERT_EQ(parts.size(), 4U);
  json whole = json::parse(parts.at("study")->text);
  for (const char* name : {"attention", "lens", "frames"}) {
    whole[name] = json::parse(parts.at(name)->text);
  }
  EXPECT_EQ(whole, page());
  EXPECT_EQ(whole["progress"]["runs"][0]["status"], "training");
}

TEST_F(LiveStudyTest, HasNoPartsWhileThereIsNoStudy) {
  LiveStudy nowhere(directory_ / "later", readers(), 0);
  Result<PageParts> parts = nowhere.refresh();
  ASSERT_TRUE(parts) << parts.error().message;
  EXPECT_TRUE(parts->empty());
  fs::create_directories(directory_ / "later");
  parts = nowhere.refresh();
  ASSERT_TRUE(parts);
  EXPECT_TRUE(parts->empty());
  write(directory_ / "later" / "study.toml", study_text("seeds = 1"));
  parts = nowhere.refresh();
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 4U);
  EXPECT_EQ(json::parse(parts->at("study")->text)["progress"]["runs"][0]["status"], "waiting");
}

TEST_F(LiveStudyTest, ReadsAndMakesNothingAgainWhereNothingChanged) {
  const PageParts first = look();
  const PageParts second = look();
  EXPECT_EQ(first, second);  // the very same texts
  EXPECT_EQ(reads_, (std::map<std::string, int>{{"1000.safetensors", 1}}));
}

TEST_F(LiveStudyTest, GivesWhatChangedANewVersionAndNothingElse) {
  const PageParts before = look();
  write(metrics(), lines({early(), late(), test::line_of(90000, 0.9, 0.5)}));
  const PageParts after = look();
  EXPECT_GT(after.at("study")->version, before.at("study")->version);
  for (const char* name : {"attention", "lens", "frames"}) {
    EXPECT_EQ(after.at(name), before.at(name)) << name;
  }
  EXPECT_EQ(json::parse(after.at("study")->text)["arms"][0]["runs"][0]["summary"]["tokens"], 90000);
}

TEST_F(LiveStudyTest, AddsANewCheckpointAndReadsNoOther) {
  const PageParts before = look();
  write(checkpoint("2000.safetensors"), "b");
  const PageParts after = look();
  for (const char* name : {"study", "attention", "frames"}) {
    EXPECT_GT(after.at(name)->version, before.at(name)->version) << name;
  }
  EXPECT_EQ(after.at("lens"), before.at("lens"));
  EXPECT_EQ(json::parse(after.at("frames")->text)[0]["checkpoints"].size(), 2U);
  EXPECT_EQ(json::parse(after.at("study")->text)["checkpoints"], (json{1000, 2000}));
  EXPECT_EQ(reads_, (std::map<std::string, int>{{"1000.safetensors", 1}, {"2000.safetensors", 1}}));
}

TEST_F(LiveStudyTest, ReadsACheckpointAgainThatIsAnotherFile) {
  look();
  write(checkpoint("1000.safetensors"), "longer");
  look();
  EXPECT_EQ(reads_["1000.safetensors"], 2);
}

TEST_F(LiveStudyTest, FollowsARunThatWasKilledAndGoesOn) {
  write(metrics(),
        lines({early(), late(), test::line_of(3000, 0.9, 0.5)}) + R"({"tokens":4000,"pro)");
  write(checkpoint("2000.safetensors"), "b");
  EXPECT_EQ(now("study")["arms"][0]["runs"][0]["summary"]["tokens"], 3000);
  EXPECT_EQ(now("study")["notes"].size(), 1U);
  // Resumed from its checkpoint of 2000 tokens, with the lines up to there.
  write(metrics(), lines({early(), late()}));
  EXPECT_EQ(now("study")["arms"][0]["runs"][0]["summary"]["tokens"], 2000);
  write(metrics(), lines({early(), late(), test::line_of(3000, 0.95, 0.25)}));
  write(checkpoint("3000.safetensors"), "c");
  const json study = now("study");
  EXPECT_EQ(study["arms"][0]["runs"][0]["summary"]["induction_score"], 0.95);
  EXPECT_TRUE(study["notes"].empty());
  const json whole = page();
  EXPECT_EQ(study["figures"], whole["figures"]);
  EXPECT_EQ(now("attention"), whole["attention"]);
}

TEST_F(LiveStudyTest, TakesALineThatIsBeingWrittenOnceItIsWhole) {
  const std::string before = lines({early(), late()});
  const std::string line =
      lines({early(), late(), test::line_of(3000, 0.9, 0.5)}).substr(before.size());
  append(metrics(), line.substr(0, 40));
  EXPECT_EQ(now("study")["arms"][0]["runs"][0]["summary"]["tokens"], 2000);
  append(metrics(), line.substr(40));
  EXPECT_EQ(now("study")["arms"][0]["runs"][0]["summary"]["tokens"], 3000);
  EXPECT_TRUE(now("study")["notes"].empty());
}

TEST_F(LiveStudyTest, TriesAFileAgainThatWasNotWhole) {
  look();
  end(R"({"seed":0,"sta)");
  json study = now("study");
  EXPECT_EQ(study["arms"][0]["runs"][0]["summary"]["status"], "training");
  ASSERT_EQ(study["notes"].size(), 1U);
  EXPECT_NE(study["notes"][0].get<std::string>().find("findings.json: not a JSON object"),
            std::string::npos);
  end(R"({"seed":0,"status":"finished","tokens":32768})");
  study = now("study");
  EXPECT_EQ(study["arms"][0]["runs"][0]["summary"]["status"], "finished");
  EXPECT_EQ(study["progress"], nullptr);
  EXPECT_TRUE(study["notes"].empty());
}

TEST_F(LiveStudyTest, KeepsTheLinesOfARunWhoseFileWasSpoiled) {
  look();
  write(metrics(), "no JSON\n" + lines({early(), late()}));
  const json study = now("study");
  EXPECT_EQ(study["arms"][0]["runs"][0]["summary"]["tokens"], 2000);
  ASSERT_EQ(study["notes"].size(), 1U);
  EXPECT_EQ(study["notes"][0].get<std::string>().find(metrics().string() + ":1: "), 0U);
}

TEST_F(LiveStudyTest, TakesUpAnInspectionWhenItComes) {
  EXPECT_TRUE(now("lens").empty());
  write(run() / "inspection.json", R"({"format":"lookback inspection 3","tokens":2000})");
  list_all();
  EXPECT_EQ(now("lens").size(), 1U);
}

TEST_F(LiveStudyTest, DecidesItsClaimsAnewWhenARunEnds) {
  write_study(study_text("seeds = 2") + test::claim_text);
  const auto seeds = [&] {
    return now("study")["ledger"]["claims"][0]["tests"][0]["seeds"].size();
  };
  EXPECT_EQ(seeds(), 0U);  // its run trains
  end(R"({"seed":0,"status":"finished","tokens":2000})");
  EXPECT_EQ(seeds(), 1U);
  std::filesystem::create_directories(run("seed-1"));
  write(run("seed-1") / "config.toml", study::to_toml(config(1)));
  write(run("seed-1") / "metrics.jsonl", lines({early()}, 1));
  EXPECT_EQ(seeds(), 1U);
  end(R"({"seed":1,"status":"finished","tokens":1000})", "seed-1");
  EXPECT_EQ(seeds(), 2U);
}

TEST_F(LiveStudyTest, TriesALedgerAgainThatCouldNotBeMade) {
  write_study(study_text("seeds = 1") + test::claim_text);
  write(metrics(), "no JSON\n" + lines({early(), late()}));
  end(R"({"seed":0,"status":"finished","tokens":2000})");
  json study = now("study");
  EXPECT_EQ(study["ledger"], nullptr);
  ASSERT_FALSE(study["notes"].empty());
  const std::string last = study["notes"].back();
  EXPECT_EQ(last.rfind("no ledger: ", 0), 0U) << last;
  const PageParts failing = look();
  EXPECT_EQ(failing, look());
  write(metrics(), lines({early(), late()}));
  list_all();
  study = now("study");
  EXPECT_EQ(study["ledger"]["claims"][0]["tests"][0]["seeds"].size(), 1U);
  EXPECT_TRUE(study["notes"].empty()) << study["notes"];
}

TEST_F(LiveStudyTest, SaysWhyAStudyFileCannotBeReadAndTriesAgain) {
  look();
  write(directory_ / "study.toml", "name = ");
  const Result<PageParts> parts = live_.refresh();
  ASSERT_FALSE(parts);
  EXPECT_NE(parts.error().message.find("study.toml:1"), std::string::npos);
  write_study(study_text("seeds = 2"));
  EXPECT_EQ(now("study")["arms"][0]["runs"].size(), 2U);
  EXPECT_EQ(reads_["1000.safetensors"], 1);  // seeds were added, and the rest is as it was
}

TEST_F(LiveStudyTest, HasOtherVersionsAfterAnotherStart) {
  constexpr std::uint64_t start = 1'800'000'000'000;
  LiveStudy later(directory_.path(), readers(), start);
  const PageParts before = look();
  const Result<PageParts> after = later.refresh();
  ASSERT_TRUE(after) << after.error().message;
  ASSERT_EQ(after->size(), 4U);
  for (const auto& [name, part] : *after) {
    EXPECT_GT(part->version, start) << name;
    EXPECT_LE(part->version, start + 4) << name;
    EXPECT_EQ(part->text, before.at(name)->text) << name;
  }
}

TEST_F(LiveStudyTest, GivesAStudyThatComesBackNewVersions) {
  const PageParts before = look();
  fs::rename(directory_ / "study.toml", directory_ / "away");
  EXPECT_TRUE(look().empty());
  fs::rename(directory_ / "away", directory_ / "study.toml");
  for (const auto& [name, part] : look()) {
    EXPECT_GT(part->version, before.at(name)->version) << name;
  }
}

}  // namespace
}  // namespace lookback::report
