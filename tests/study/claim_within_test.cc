// Claims that a figure is near another: how they are read, and the one line that each mistake gets.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/base/like.h"
#include "tests/study/claim_tests.h"

namespace lookback::study {
namespace {

using spec::claim_refusal;
using spec::parsed;
using spec::read_one;
using spec::test_line;
using spec::with_test;

TEST(ClaimWithin, IsNearAnotherFigure) {
  const ClaimTest arm = read_one(
      "finding = \"transition_tokens\"\narm = \"parallel\"\nwithin = 0.1\nof_arm = "
      "\"sequential\"\n");
  EXPECT_EQ(arm.relation, Relation::within);
  EXPECT_TRUE(arm.against_other);
  EXPECT_EQ(arm.other_arm, "sequential");
  EXPECT_EQ(arm.other_finding, "transition_tokens");
  EXPECT_EQ(arm.within, 0.1);
  EXPECT_EQ(arm.decided_by, DecidedBy::mean);
  const ClaimTest both = read_one(
      "finding = \"q_rise\"\narm = \"parallel\"\nof_finding = \"k_rise\"\nof_arm = \"two-layer\"\n"
      "within = 1.5\ndecided_by = \"every-seed\"\n");
  EXPECT_EQ(both.relation, Relation::within);
  EXPECT_EQ(both.other_arm, "two-layer");
  EXPECT_EQ(both.other_finding, "k_rise");
  EXPECT_EQ(both.within, 1.5);  // nats: no ratio
  EXPECT_EQ(both.decided_by, DecidedBy::every_seed);
}

TEST(ClaimWithin, IsReadBackFromTheStudyAsItIsWritten) {
  const Study study = parsed(with_test(
      "finding = \"induction_score\"\narm = \"parallel\"\nwithin = 0.1\nof_arm = \"two-layer\"\n"));
  const Study again = parsed(study.text);
  ASSERT_EQ(again.claims.size(), 1U);
  ASSERT_EQ(again.claims[0].tests.size(), 1U);
  EXPECT_EQ(again.claims[0].tests[0].relation, Relation::within);
  EXPECT_EQ(again.claims[0].tests[0].within, 0.1);
  EXPECT_EQ(again.claims[0].tests[0].other_arm, "two-layer");
}

/// Of a score unless the text names another figure; the key that the refusal names, how many lines below
/// [[claim.test]] it stands, and what is said of it.
struct WrongWithin {
  std::string text;
  std::string key;
  std::size_t below;
  std::string problem;
};

TEST(ClaimWithin, EachMistakeGetsItsOneLine) {
  const std::string score = "finding = \"induction_score\"\narm = \"parallel\"\n";
  const std::string tokens = "finding = \"transition_tokens\"\narm = \"parallel\"\n";
  const std::string of_arm = "of_arm = \"two-layer\"\n";
  const std::string range = ", allowed: a number from 1e-09 to 1e+15";
  const WrongWithin mistakes[] = {
      {score + "within = 0.1\n", "within", 3, ": *of_arm or of_finding"},
      {score + of_arm, "within", 0, ": is missing*0.1 nats"},
      {score + "within = 0\n" + of_arm, "within", 3, ": found 0" + range},
      {score + "within = -0.1\n" + of_arm, "within", 3, ": found -0.1" + range},
      {score + "within = nan\n" + of_arm, "within", 3, ": found nan" + range},
      {score + "within = \"10%\"\n" + of_arm, "within", 3, ": found \"10%\"" + range},
      {tokens + "within = 1\n" + of_arm, "within", 3, ": found 1 *ratio*below 1*"},
      {score + "within = 0.1\n" + of_arm + "times = 2\n", "times", 5,
       ": *within*above_arm or below_arm"},
      {score + "within = 0.1\n" + of_arm + "by = 2\n", "by", 5, ": *within*above_arm or below_arm"},
      {score + "within = 0.1\nof_arm = \"three-layer\"\n", "of_arm", 4,
       ": found \"three-layer\", allowed: one of \"two-layer\", \"parallel\", \"sequential\""},
      {score + "within = 0.1\nof_arm = \"parallel\"\n", "finding", 1, ": *another arm or finding"},
      {score + "within = 0.1\nof_finding = \"mechanism\"\n", "finding", 1,
       ": found a comparison with a word, allowed: with a number"},
      {score + "within = 0.1\nof_arms = \"two-layer\"\n", "within", 3, ": *of_arm or of_finding"},
      {score + "above = 0\nwithin = 0.1\n" + of_arm, "within", 4,
       ": found with another relation, allowed: one of above or below (a number), above_arm or "
       "below_arm, above_finding or below_finding, between, within with of_arm or of_finding, is, "
       "present, or exponent"}};
  for (const auto& [text, key, below, problem] : mistakes) {
    EXPECT_TRUE(test::like(
        claim_refusal(with_test(text)),
        fmt::format("s.toml:{}: key 'claim[0].test[0].{}'{}", test_line + below, key, problem)));
  }
}

}  // namespace
}  // namespace lookback::study
