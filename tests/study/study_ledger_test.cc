// The ledger that a study ends with, and that follows when its claims change.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "lookback/model/cpu_engine.h"
#include "lookback/study/study.h"
#include "lookback/study/verify.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/records.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using nlohmann::json;
using spec::changed;
using spec::json_of;
using spec::parsed;
using spec::small_study;
using spec::text_of;

std::string claim_of_two_layers(const std::string& test) {
  return "[[claim]]\nname = \"one\"\nsays = \"One.\"\n[[claim.test]]\narm = \"two-layer\"\n" + test;
}

class LedgerOfAStudy : public testing::Test {
 protected:
  Status run(const std::string& text, spec::Listening& listener, bool resume = false,
             std::optional<std::uint64_t> seeds = {}) {
    model::CpuEngine engine(2);
    study_ = parsed(text, {.tokens = 512, .seeds = seeds});
    return run_study(study_, out(), resume, engine, listener);
  }

  std::vector<std::string> run(const std::string& text) {
    spec::Listening listener;
    EXPECT_TRUE(run(text, listener));
    return listener.messages;
  }

  void write(const char* file, const std::string& text) { std::ofstream(out() / file) << text; }

  std::vector<std::string> there(std::vector<std::string> files) const {
    std::erase_if(files, [&](const auto& file) { return !std::filesystem::exists(out() / file); });
    return files;
  }

  std::filesystem::path out() const { return directory_ / "out"; }

  Study study_;
  test::TemporaryDirectory directory_;
};

TEST_F(LedgerOfAStudy, IsMadeAndItsClaimsMayChangeWhenTheStudyIsFinished) {
  run(small_study);
  EXPECT_FALSE(std::filesystem::exists(out() / "ledger.json"));
  const std::vector<std::string> finished = {out().string() + ": this study is finished"};
  const std::string first =
      small_study + claim_of_two_layers("finding = \"transition_tokens\"\npresent = true\n");
  EXPECT_EQ(run(first), finished);
  EXPECT_EQ(text_of(out() / "study.toml"), study_.text);
  const json ledger = json_of(out() / "ledger.json");
  EXPECT_EQ(ledger["claims"][0]["verdict"], "not decided");
  EXPECT_EQ(ledger["claims"][0]["tests"][0]["reason"], "1 seed decides nothing, 3 are needed");
  EXPECT_EQ(ledger["claims"][0]["runs"], json({"two-layer/seed-0"}));
  EXPECT_EQ(run(small_study + claim_of_two_layers("finding = \"parameters\"\nabove = 0\n")),
            finished);
  EXPECT_EQ(text_of(out() / "study.toml"), study_.text);
  EXPECT_EQ(json_of(out() / "ledger.json")["claims"][0]["tests"][0]["finding"], "parameters");
  EXPECT_EQ(run(small_study), finished);
  EXPECT_FALSE(std::filesystem::exists(out() / "ledger.json"));
}

/// What a finished study says of its runs.
const std::vector<std::string> results = {"summary.json", "ledger.json", "report.html"};

const std::string of_parameters = claim_of_two_layers("finding = \"parameters\"\nabove = 0\n");

TEST_F(LedgerOfAStudy, IsOfNewClaimsWhereThoseBeforeCanNoLongerBeRead) {
  run(small_study);
  const std::string asked = study_.text;
  for (const char* claims :
       {"[[claim]]\nname = \"one\"\nsays = \"One.\"\n[[claim.test]]\narm = \"two-layer\"\n"
        "finding = \"renamed_since\"\nabove = 0\n",
        "[[claim]]\nnaem = 3\n", "[claim]\n"}) {
    write("study.toml", asked + claims);
    run(small_study + of_parameters);
    EXPECT_EQ(text_of(out() / "study.toml"), study_.text) << claims;
    EXPECT_EQ(json_of(out() / "ledger.json")["claims"][0]["tests"][0]["finding"], "parameters");
  }
}

TEST_F(LedgerOfAStudy, MayHaveAnotherQuestion) {
  run(small_study + of_parameters);
  json summary = json_of(out() / "summary.json");
  run(changed("Does it run?", "Does it walk?") + of_parameters);
  EXPECT_EQ(text_of(out() / "study.toml"), study_.text);
  EXPECT_EQ(json_of(out() / "ledger.json")["question"], "Does it walk?");
  summary["question"] = "Does it walk?";
  EXPECT_EQ(json_of(out() / "summary.json"), summary);
}

TEST_F(LedgerOfAStudy, OfAnUnfinishedStudyMayHaveAnotherQuestionAndClaims) {
  spec::Listening stopping;
  stopping.source.request_stop();
  EXPECT_TRUE(run(small_study, stopping).fails_with(ErrorKind::stopped));
  spec::Listening listener;
  const std::string reworded = changed("Does it run?", "Does it walk?") + of_parameters;
  EXPECT_TRUE(run(reworded, listener, true));
  EXPECT_EQ(json_of(out() / "summary.json")["question"], "Does it walk?");
  EXPECT_EQ(json_of(out() / "ledger.json")["claims"].size(), 1U);
}

/// What the ledger says of when the study's only claim was stated.
json stated(const std::filesystem::path& out) {
  return json_of(out / "ledger.json")["claims"][0]["stated"];
}

TEST_F(LedgerOfAStudy, AClaimThatWasThereBeforeItsRunsHasNoMark) {
  run(small_study + of_parameters);
  EXPECT_EQ(stated(out()), json({{"runs_ended", 0}, {"of", 3}, {"after", ""}, {"mark", ""}}));
}

TEST_F(LedgerOfAStudy, AClaimOfAFinishedStudyIsMarkedAndStaysSoWithMoreSeeds) {
  run(small_study + of_parameters);
  const std::string late = claim_of_two_layers("finding = \"parameters\"\nabove = 1\n");
  run(small_study + late);
  EXPECT_EQ(stated(out()), json({{"runs_ended", 3},
                                 {"of", 3},
                                 {"after", ""},
                                 {"mark", "stated after 3 of 3 runs had ended"}}));
  spec::Listening listener;
  EXPECT_TRUE(run(small_study + late, listener, true, 2));
  EXPECT_EQ(stated(out())["mark"], "stated after 3 of 6 runs had ended");
  EXPECT_TRUE(run(small_study + of_parameters + "\n", listener, true, 2));
  EXPECT_EQ(stated(out())["mark"], "");
}

TEST_F(LedgerOfAStudy, AClaimThatIsAddedBetweenRunsIsOfThoseThatHadEnded) {
  spec::Listening stopping(
      [&] { return std::filesystem::exists(out() / "two-layer/seed-0/findings.json"); });
  EXPECT_TRUE(run(small_study, stopping).fails_with(ErrorKind::stopped));
  spec::Listening listener;
  EXPECT_TRUE(run(small_study + of_parameters, listener, true));
  EXPECT_EQ(stated(out())["mark"], "stated after 1 of 3 runs had ended");
}

TEST_F(LedgerOfAStudy, IsRefusedBeforeARunWhereTheRecordOfItsClaimsWasChanged) {
  spec::Listening stopping;
  stopping.source.request_stop();
  EXPECT_TRUE(run(small_study + of_parameters, stopping).fails_with(ErrorKind::stopped));
  write("claims.json", "{}");
  model::CpuEngine engine(1);
  spec::Listening listener;
  const Status ending = run_study(study_, out(), true, engine, listener);
  ASSERT_FALSE(ending);
  EXPECT_EQ(ending.error().message.rfind((out() / "claims.json").string(), 0), 0U);
  EXPECT_TRUE(listener.heard.empty());
}

TEST_F(LedgerOfAStudy, VerifyNoticesARecordOfItsClaimsThatWasChangedOrRemoved) {
  run(small_study + of_parameters);
  const auto faults = [&] {
    const Result<Verification> found = verify(out());
    return found ? found->faults : std::vector<std::string>{found.error().message};
  };
  EXPECT_EQ(faults(), std::vector<std::string>());
  write("claims.json", "{}");
  EXPECT_EQ(faults().size(), 1U);
  std::filesystem::remove(out() / "claims.json");
  EXPECT_EQ(faults().size(), 1U);
  run(small_study + of_parameters);  // recorded anew, as of now
  EXPECT_EQ(faults(), std::vector<std::string>());
  EXPECT_EQ(stated(out())["mark"], "stated after 3 of 3 runs had ended");
}

TEST_F(LedgerOfAStudy, IsAwayWhileSeedsAreAdded) {
  run(small_study + of_parameters);
  write("report.html", "of one seed");
  ASSERT_EQ(there(results), results);
  spec::Listening stopping;
  stopping.source.request_stop();
  EXPECT_TRUE(run(small_study + of_parameters, stopping, true, 2).fails_with(ErrorKind::stopped));
  EXPECT_EQ(text_of(out() / "study.toml"), study_.text);
  EXPECT_EQ(there(results), std::vector<std::string>());
}

TEST_F(LedgerOfAStudy, IsAwayUntilOtherClaimsAreDecided) {
  const std::string inspected = changed("inspect = false\n", "");
  run(inspected + of_parameters);
  write("report.html", "of the claims before");
  std::filesystem::remove(out() / "two-layer/seed-0/inspection.json");
  spec::Listening stopping;
  stopping.source.request_stop();
  const std::string other = claim_of_two_layers("finding = \"parameters\"\nbelow = 0\n");
  EXPECT_TRUE(run(inspected + other, stopping, true).fails_with(ErrorKind::stopped));
  EXPECT_EQ(text_of(out() / "study.toml"), study_.text);
  EXPECT_EQ(there(results), std::vector<std::string>{"summary.json"});
}

}  // namespace
}  // namespace lookback::study
