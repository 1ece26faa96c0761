// The ledger that a study ends with, and that follows when its claims change.
#include <gtest/gtest.h>

#include <filesystem>

#include "lookback/base/workers.h"
#include "lookback/study/study.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/records.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using nlohmann::json;
using spec::json_of;
using spec::parsed;
using spec::small_study;
using spec::text_of;

std::string claim_of_two_layers(const std::string& test) {
  return "[[claim]]\nname = \"one\"\nsays = \"One.\"\n[[claim.test]]\narm = \"two-layer\"\n" + test;
}

class LedgerOfAStudy : public testing::Test {
 protected:
  std::vector<std::string> run(const std::string& text) {
    base::Workers workers(2);
    spec::Listening listener;
    study_ = parsed(text, {.tokens = 256, .seeds = {}});
    const Result<Ending> ending = run_study(study_, out(), false, workers, listener);
    EXPECT_TRUE(ending) << ending.error().message;
    return listener.messages;
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

}  // namespace
}  // namespace lookback::study
