// When claims were stated: what counts as the same claim, and that no later change of the study's files
// makes a prediction of one that came after its runs.
#include "lookback/study/statements.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "lookback/study/output_place.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/claim_tests.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using nlohmann::json;
using spec::json_of;
using spec::parsed;
using spec::small_study;
using spec::text_of;
using spec::with_test;

constexpr const char* above_parallel =
    "finding = \"second_half_loss\"\narm = \"two-layer\"\nabove_arm = \"parallel\"\n";

Claim claim_with(const std::string& test) { return parsed(with_test(test)).claims.at(0); }

class ClaimsOfAStudy : public testing::Test {
 protected:
  void end_run(const char* arm, std::uint64_t seed) {
    std::filesystem::create_directories(run_path(arm, seed));
    std::ofstream(run_path(arm, seed) / "findings.json") << "{}";
  }

  std::filesystem::path run_path(const char* arm, std::uint64_t seed) const {
    return run_directory(directory_.path(), arm, seed);
  }

  Statements recorded(const Study& study) {
    Result<Statements> statements = record_statements(study, directory_.path());
    if (statements) return *std::move(statements);
    ADD_FAILURE() << statements.error().message;
    return {};
  }

  /// By when the study's first claim was stated.
  std::optional<std::size_t> ended_before(const Study& study) {
    return recorded(study).runs_ended_before(study.claims.at(0));
  }
  std::optional<std::size_t> ended_before(const std::string& test) {
    return ended_before(parsed(with_test(test)));
  }

  std::string refusal(const Study& study) {
    const auto statements = record_statements(study, directory_.path());
    return statements ? "" : statements.error().message;
  }

  std::filesystem::path file() const { return directory_ / "claims.json"; }

  test::TemporaryDirectory directory_;
};

TEST_F(ClaimsOfAStudy, AreRecordedBeforeAnyRunHasEnded) {
  EXPECT_EQ(ended_before(above_parallel), 0U);
  const json record = json_of(file());
  EXPECT_EQ(record["format"], "lookback claims 1");
  EXPECT_EQ(record["ended"], json::array());
  ASSERT_EQ(record["claims"].size(), 1U);
  EXPECT_EQ(record["claims"][0]["name"], "sharper");
  EXPECT_EQ(record["claims"][0]["runs_ended"], 0);
  EXPECT_EQ(record["claims"][0]["tests"],
            json({"two-layer: second_half_loss above parallel: second_half_loss, mean"}));
}

TEST_F(ClaimsOfAStudy, KeepTheirRecordWhenRunsHaveEnded) {
  ended_before(above_parallel);
  end_run("two-layer", 0);
  end_run("parallel", 0);
  EXPECT_EQ(ended_before(above_parallel), 0U);
}

TEST_F(ClaimsOfAStudy, ThatAreNewAreOfTheRunsThatHadEnded) {
  end_run("two-layer", 0);
  EXPECT_EQ(ended_before(above_parallel), 1U);
  end_run("parallel", 0);
  EXPECT_EQ(ended_before(above_parallel), 1U);
  EXPECT_EQ(ended_before("finding = \"parameters\"\narm = \"two-layer\"\nabove = 0\n"), 2U);
}

TEST_F(ClaimsOfAStudy, AnyChangeOfATestMakesANewClaim) {
  const std::string loss = "finding = \"second_half_loss\"\narm = \"two-layer\"\n";
  const std::vector<std::string> tests = {
      loss + "above_arm = \"parallel\"\n",
      loss + "below_arm = \"parallel\"\n",
      loss + "above_arm = \"sequential\"\n",
      loss + "above_arm = \"parallel\"\ntimes = 1.0000001\n",
      loss + "above_arm = \"parallel\"\nby = -1e-9\n",
      loss + "above_arm = \"parallel\"\ndecided_by = \"every-seed\"\n",
      loss + "above_arm = \"parallel\"\nprobe = \"unseen-period\"\n",
      loss + "above_finding = \"first_half_loss\"\n",
      loss + "above_arm = \"parallel\"\nabove_finding = \"first_half_loss\"\n",
      loss + "within = 0.1\nof_arm = \"parallel\"\n",
      loss + "within = 0.2\nof_arm = \"parallel\"\n",
      loss + "above = 0.1\n",
      loss + "above = 0.10000001\n",
      loss + "below = 0.1\n",
      loss + "between = [0.1, 0.2]\n",
      loss + "between = [0.1, 0.3]\n",
      "finding = \"first_half_loss\"\narm = \"two-layer\"\nabove = 0.1\n",
      "finding = \"second_half_loss\"\narm = \"parallel\"\nabove = 0.1\n",
      "finding = \"second_half_loss\"\narm = [\"parallel\", \"two-layer\"]\nabove = 0.1\n",
      "finding = \"mechanism\"\narm = \"parallel\"\nis = \"none\"\n",
      "finding = \"mechanism\"\narm = \"parallel\"\nis = \"k-composition\"\n",
      "finding = \"transition_tokens\"\narm = \"parallel\"\npresent = true\n",
      "finding = \"transition_tokens\"\narm = \"parallel\"\npresent = false\n"};
  for (const std::string& test : tests) EXPECT_EQ(ended_before(test), 0U) << test;
  EXPECT_EQ(json_of(file())["claims"].size(), tests.size());  // no two are of one form
  end_run("two-layer", 0);
  for (const std::string& test : tests) EXPECT_EQ(ended_before(test), 0U) << test;
}

TEST_F(ClaimsOfAStudy, TheTokensThatAClaimNeedsArePartOfIt) {
  ended_before(above_parallel);
  end_run("two-layer", 0);
  Study study = parsed(with_test(above_parallel));
  study.claims[0].needs_tokens = 1000;  // what was contradicted would become "not tested"
  EXPECT_EQ(ended_before(study), 1U);
}

TEST_F(ClaimsOfAStudy, WordsNumbersAndTheOrderOfTestsMayBeEdited) {
  const std::string second =
      "[[claim.test]]\nfinding = \"parameters\"\narm = \"parallel\"\nabove = 0\n";
  ended_before(above_parallel + second);
  end_run("two-layer", 0);
  Study study = parsed(with_test(above_parallel + second));
  Claim& claim = study.claims[0];
  claim.name = "other";
  claim.says = "In other words.";
  claim.number = 9;
  claim.article = "as the article has it";
  claim.stated_after = "a trial was seen";
  std::swap(claim.tests[0], claim.tests[1]);
  EXPECT_EQ(ended_before(study), 0U);
  // Two arms in one test are two tests.
  const std::string of = "finding = \"parameters\"\nabove = 0\narm = ";
  EXPECT_EQ(form_of(claim_with(of + "[\"parallel\", \"two-layer\"]\n")),
            form_of(claim_with(of + "\"two-layer\"\n[[claim.test]]\n" + of + "\"parallel\"\n")));
}

TEST_F(ClaimsOfAStudy, OneThatIsTakenAwayAndPutBackKeepsItsRecord) {
  ended_before(above_parallel);
  end_run("two-layer", 0);
  EXPECT_EQ(ended_before("finding = \"parameters\"\narm = \"two-layer\"\nabove = 0\n"), 1U);
  EXPECT_EQ(ended_before(above_parallel), 0U);
}

TEST_F(ClaimsOfAStudy, WithoutTheFileTheyCountAsStatedNow) {
  ended_before(above_parallel);
  end_run("two-layer", 0);
  end_run("two-layer", 1);  // no seed of the study's
  std::filesystem::remove(file());
  EXPECT_EQ(ended_before(above_parallel), 1U);
}

TEST_F(ClaimsOfAStudy, RunsThatWereRemovedOrMadeLongerHadEndedAllTheSame) {
  end_run("two-layer", 0);
  end_run("parallel", 0);
  ended_before(above_parallel);
  std::filesystem::remove_all(run_path("two-layer", 0));
  std::filesystem::remove(run_path("parallel", 0) / "findings.json");
  EXPECT_EQ(ended_before("finding = \"parameters\"\narm = \"two-layer\"\nabove = 0\n"), 2U);
  EXPECT_EQ(json_of(file())["ended"], json({"parallel/seed-0", "two-layer/seed-0"}));
}

TEST_F(ClaimsOfAStudy, OfNoneTheRunsThatHadEndedAreKept) {
  EXPECT_TRUE(recorded(parsed(small_study)).ended.empty());
  EXPECT_FALSE(std::filesystem::exists(file()));  // there is nothing to keep
  end_run("two-layer", 0);
  recorded(parsed(small_study));
  std::filesystem::remove_all(run_path("two-layer", 0));
  EXPECT_EQ(ended_before(above_parallel), 1U);
}

TEST_F(ClaimsOfAStudy, StayWhenSeedsAreAdded) {
  ended_before(above_parallel);
  end_run("two-layer", 0);
  const std::string late = "finding = \"parameters\"\narm = \"two-layer\"\nabove = 0\n";
  EXPECT_EQ(ended_before(late), 1U);
  for (const char* arm : {"two-layer", "parallel"}) end_run(arm, 1);
  const Overrides more{.seeds = 2};
  EXPECT_EQ(ended_before(parsed(with_test(above_parallel), more)), 0U);
  EXPECT_EQ(ended_before(parsed(with_test(late), more)), 1U);
}

TEST_F(ClaimsOfAStudy, ReadingThemWritesNothing) {
  end_run("two-layer", 0);
  const Study study = parsed(with_test(above_parallel));
  const Result<Statements> first = read_statements(study, directory_.path());
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->runs_ended_before(study.claims[0]), 1U);
  EXPECT_FALSE(std::filesystem::exists(file()));
  ended_before(study);
  const std::string text = text_of(file());
  end_run("parallel", 0);
  const Result<Statements> second = read_statements(study, directory_.path());
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->runs_ended_before(study.claims[0]), 1U);
  EXPECT_EQ(second->ended.size(), 2U);
  EXPECT_EQ(text_of(file()), text);
}

TEST_F(ClaimsOfAStudy, AFileThatWasChangedIsRefused) {
  end_run("two-layer", 0);
  const Study study = parsed(with_test(above_parallel));
  ended_before(study);
  const std::string good = text_of(file());
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& text :
       {changed("\"runs_ended\": 1", "\"runs_ended\": 0"),
        changed("two-layer/seed-0", "two-layer/seed-1"), changed("above", "below"),
        changed("claims 1", "claims 2"), changed("checksum", "checkrum"),
        good.substr(0, good.size() / 2), std::string(), std::string("[]"), std::string("{}")}) {
    std::ofstream(file()) << text;
    const std::string why = refusal(study);
    EXPECT_EQ(why.rfind(file().string() + ": ", 0), 0U) << text;
    EXPECT_NE(why.find("or remove it"), std::string::npos) << why;
    EXPECT_EQ(why.find('\n'), std::string::npos) << why;
    EXPECT_EQ(text_of(file()), text);  // and kept as it is
    EXPECT_FALSE(read_statements(study, directory_.path()));
  }
}

TEST(MarkOfAClaim, IsOfOneThatIsNoPrediction) {
  Claim claim;
  EXPECT_EQ(mark_of(claim, 0, 9), "");
  EXPECT_EQ(mark_of(claim, {}, 9), "");
  EXPECT_EQ(mark_of(claim, 3, 9), "stated after 3 of 9 runs had ended");
  EXPECT_EQ(mark_of(claim, 12, 9), "stated after 9 of 9 runs had ended");
  claim.stated_after = "the first seeds were known";
  EXPECT_EQ(mark_of(claim, 0, 9), "stated after the first seeds were known");
  EXPECT_EQ(mark_of(claim, {}, 9), "stated after the first seeds were known");
  EXPECT_EQ(mark_of(claim, 3, 9),
            "stated after 3 of 9 runs had ended, and after the first seeds were known");
}

TEST(ShippedResults, MarkTheClaimsThatTheirStudiesAdmit) {
  std::size_t marked = 0;
  for (const auto& entry : std::filesystem::directory_iterator(LOOKBACK_SOURCE_DIR "/results")) {
    const Study study = parsed(text_of(entry.path() / "study.toml"));
    const json ledger = json_of(entry.path() / "ledger.json");
    ASSERT_EQ(ledger["claims"].size(), study.claims.size()) << entry.path();
    for (std::size_t i = 0; i < study.claims.size(); ++i) {
      const json& stated = ledger["claims"][i]["stated"];
      EXPECT_EQ(stated["mark"], mark_of(study.claims[i], {}, 0)) << study.claims[i].name;
      EXPECT_EQ(stated["after"], study.claims[i].stated_after);
      EXPECT_EQ(stated["of"], study.arms.size() * study.seeds);
      if (!study.claims[i].stated_after.empty()) ++marked;
    }
  }
  EXPECT_EQ(marked, 39U);  // docs/findings.md names them
}

}  // namespace
}  // namespace lookback::study
