// Claims of a study file: what each key becomes, and the one line that each mistake gets.
#include "lookback/study/claim.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "tests/base/like.h"
#include "tests/study/claim_tests.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using spec::claim_refusal;
using spec::parsed;
using spec::read_one;
using spec::small_study;
using spec::test_line;
using spec::with_test;

TEST(Claim, HasEveryKeyThatItIsGiven) {
  const Study study = parsed(std::string(small_study) + R"([[claim]]
name = "sharper"
number = 5
says = "Two layers end sharper."
article = "it eventually reaches a higher score"
article_figure = "about 0.9"
stated_after = "a trial was seen"
needs_tokens = "20M"
[[claim.test]]
finding = "induction_score"
arm = "two-layer"
above_arm = "parallel"
[[claim.test]]
finding = "second_half_loss"
arm = "two-layer"
below = 1
)");
  ASSERT_EQ(study.claims.size(), 1U);
  const Claim& claim = study.claims[0];
  EXPECT_EQ(claim.name, "sharper");
  EXPECT_EQ(claim.number, 5U);
  EXPECT_EQ(claim.says, "Two layers end sharper.");
  EXPECT_EQ(claim.article, "it eventually reaches a higher score");
  EXPECT_EQ(claim.article_figure, "about 0.9");
  EXPECT_EQ(claim.stated_after, "a trial was seen");
  EXPECT_EQ(claim.needs_tokens, 20'000'000U);
  ASSERT_EQ(claim.tests.size(), 2U);
  EXPECT_EQ(claim.tests[0].finding, "induction_score");
  EXPECT_EQ(claim.tests[1].finding, "second_half_loss");
  EXPECT_EQ(parsed(study.text).claims.size(), 1U);
}

TEST(Claim, NeedsLittle) {
  const Claim claim =
      parsed(with_test("finding = \"mechanism\"\narm = \"parallel\"\nis = \"none\"\n"))
          .claims.at(0);
  EXPECT_FALSE(claim.number);
  EXPECT_EQ(claim.article, "");
  EXPECT_EQ(claim.article_figure, "");
  EXPECT_EQ(claim.needs_tokens, 0U);
  EXPECT_EQ(claim.tests.at(0).probe, "");
}

TEST(Claim, TestsOneArmAfterTheOther) {
  const Study study = parsed(with_test(
      "finding = \"induction_score\"\narm = [\"sequential\", \"two-layer\"]\nabove = 0.5\n"));
  const std::vector<ClaimTest>& tests = study.claims.at(0).tests;
  ASSERT_EQ(tests.size(), 2U);
  EXPECT_EQ(tests[0].arm, "sequential");
  EXPECT_EQ(tests[1].arm, "two-layer");
  for (const ClaimTest& test : tests) {
    EXPECT_EQ(test.finding, "induction_score");
    EXPECT_EQ(test.relation, Relation::above);
    EXPECT_EQ(test.low, 0.5);
    EXPECT_FALSE(test.against_other);
  }
}

TEST(Claim, ComparesWithANumber) {
  const ClaimTest above = read_one("finding = \"k_rise\"\narm = \"parallel\"\nabove = -1.5\n");
  EXPECT_EQ(above.relation, Relation::above);
  EXPECT_EQ(above.low, -1.5);
  EXPECT_EQ(above.decided_by, DecidedBy::mean);
  const ClaimTest below = read_one(
      "finding = \"induction_score\"\nprobe = \"unseen-period\"\narm = \"parallel\"\nbelow = 1\n"
      "decided_by = \"every-seed\"\n");
  EXPECT_EQ(below.relation, Relation::below);
  EXPECT_EQ(below.low, 1);
  EXPECT_EQ(below.probe, "unseen-period");
  EXPECT_EQ(below.decided_by, DecidedBy::every_seed);
  const ClaimTest between =
      read_one("finding = \"transition_tokens\"\narm = \"parallel\"\nbetween = [5000000, 2e7]\n");
  EXPECT_EQ(between.relation, Relation::between);
  EXPECT_EQ(between.low, 5e6);
  EXPECT_EQ(between.high, 2e7);
  EXPECT_EQ(between.decided_by, DecidedBy::mean);
}

TEST(Claim, ComparesWithAnotherFigure) {
  const ClaimTest arm = read_one(
      "finding = \"second_half_loss\"\narm = \"parallel\"\nabove_arm = \"sequential\"\ntimes = 3\n"
      "by = 0.1\n");
  EXPECT_EQ(arm.relation, Relation::above);
  EXPECT_TRUE(arm.against_other);
  EXPECT_EQ(arm.other_arm, "sequential");
  EXPECT_EQ(arm.other_finding, "second_half_loss");
  EXPECT_EQ(arm.times, 3);
  EXPECT_EQ(arm.by, 0.1);
  const ClaimTest finding =
      read_one("finding = \"q_rise\"\narm = \"parallel\"\nbelow_finding = \"k_rise\"\n");
  EXPECT_EQ(finding.relation, Relation::below);
  EXPECT_EQ(finding.other_arm, "parallel");
  EXPECT_EQ(finding.other_finding, "k_rise");
  EXPECT_EQ(finding.times, 1);
  EXPECT_EQ(finding.by, 0);
  const ClaimTest both = read_one(
      "finding = \"q_rise\"\narm = \"parallel\"\nbelow_arm = \"sequential\"\n"
      "below_finding = \"k_rise\"\n");
  EXPECT_EQ(both.relation, Relation::below);
  EXPECT_EQ(both.other_arm, "sequential");
  EXPECT_EQ(both.other_finding, "k_rise");
}

TEST(Claim, AsksForAWordOrForPresenceOfEverySeed) {
  const ClaimTest word =
      read_one("finding = \"mechanism\"\narm = \"parallel\"\nis = \"k-composition\"\n");
  EXPECT_EQ(word.relation, Relation::is);
  EXPECT_EQ(word.word, "k-composition");
  EXPECT_EQ(word.decided_by, DecidedBy::every_seed);
  const ClaimTest present =
      read_one("finding = \"transition_tokens\"\narm = \"parallel\"\npresent = true\n");
  EXPECT_EQ(present.relation, Relation::present);
  EXPECT_EQ(present.decided_by, DecidedBy::every_seed);
  const ClaimTest absent =
      read_one("finding = \"second_transition_tokens\"\narm = \"parallel\"\npresent = false\n");
  EXPECT_EQ(absent.relation, Relation::absent);
}

TEST(Claim, NamesOfRelationsAreThoseOfTheStudyFile) {
  EXPECT_STREQ(name_of(Relation::above), "above");
  EXPECT_STREQ(name_of(Relation::below), "below");
  EXPECT_STREQ(name_of(Relation::between), "between");
  EXPECT_STREQ(name_of(Relation::within), "within");
  EXPECT_STREQ(name_of(Relation::is), "is");
  EXPECT_STREQ(name_of(Relation::present), "present");
  EXPECT_STREQ(name_of(Relation::absent), "absent");
  EXPECT_STREQ(name_of(DecidedBy::mean), "mean");
  EXPECT_STREQ(name_of(DecidedBy::every_seed), "every-seed");
}

constexpr const char* relations =
    "above or below (a number), above_arm or below_arm, above_finding or below_finding, between, "
    "within with of_arm or of_finding, is, present, or exponent";

/// A test as it is written, and the key that its refusal names, how many lines below [[claim.test]]
/// it stands, and what is said of it.
struct BadTest {
  const char* name;
  std::string text;
  std::string key;
  std::size_t below;
  std::string problem;
};

class ClaimMistake : public testing::TestWithParam<BadTest> {};

TEST_P(ClaimMistake, GetsItsOneLine) {
  const BadTest& bad = GetParam();
  const std::string expected = fmt::format("s.toml:{}: key 'claim[0].test[0].{}'{}",
                                           test_line + bad.below, bad.key, bad.problem);
  EXPECT_TRUE(test::like(claim_refusal(with_test(bad.text)), expected + "*"));
}

const std::string score_of_parallel = "finding = \"induction_score\"\narm = \"parallel\"\n";

const BadTest bad_tests[] = {
    {"UnknownFinding", "finding = \"induction_scor\"\narm = \"parallel\"\nabove = 1\n", "finding",
     1, ": found \"induction_scor\", *nearest: \"induction_score\""},
    {"UnknownOtherFinding", score_of_parallel + "above_finding = \"inductionscore_peak\"\n",
     "above_finding", 3, ": found \"inductionscore_peak\", *nearest: \"induction_score_peak\""},
    {"FindingOfAnotherKind", "finding = 3\narm = \"parallel\"\nabove = 1\n", "finding", 1,
     ": found 3, allowed: a text of at most 100 bytes without control characters"},
    {"NoFinding", "arm = \"parallel\"\nabove = 1\n", "finding", 0, ": is missing*"},
    {"NoArm", "finding = \"induction_score\"\nabove = 1\n", "arm", 0, ": is missing*"},
    {"NoArmInTheList", "arm = []\n", "arm", 1, ": found none, allowed: an arm's name, or several"},
    {"UnknownArm", "finding = \"induction_score\"\narm = \"paralel\"\nabove = 1\n", "arm", 2,
     ": found \"paralel\", allowed: one of \"two-layer\", \"parallel\", \"sequential\""},
    {"UnknownOtherArm", score_of_parallel + "above_arm = \"three-layer\"\n", "above_arm", 3,
     ": found \"three-layer\", allowed: one of \"two-layer\", \"parallel\", \"sequential\""},
    {"ArmTwice", "finding = \"induction_score\"\narm = [\"parallel\", \"parallel\"]\nabove = 1\n",
     "arm", 2, ": found \"parallel\" twice, allowed: each name once"},
    {"NoRelation", score_of_parallel, "finding", 1, std::string(": *") + relations},
    {"MisspelledRelation", score_of_parallel + "above_arms = \"two-layer\"\n", "above_arms", 3,
     ": *nearest: 'above_arm'"},
    {"TwoRelations", score_of_parallel + "above = 0\nbelow = 1\n", "below", 4,
     std::string(": *another relation*") + relations},
    {"ANumberAndAnArm", score_of_parallel + "above = 0\nabove_arm = \"two-layer\"\n", "above_arm",
     4, std::string(": *another relation*") + relations},
    {"AboveAnArmAndBelowAFinding",
     score_of_parallel + "above_arm = \"two-layer\"\nbelow_finding = \"induction_chance\"\n",
     "below_finding", 4, std::string(": *another relation*") + relations},
    {"PresenceAndANumber", score_of_parallel + "above = 0\npresent = true\n", "present", 4,
     std::string(": *another relation*") + relations},
    {"BoundOfAnotherKind", score_of_parallel + "above = \"two-layer\"\n", "above", 3,
     ": found \"two-layer\", allowed: a number from -1e+15 to 1e+15"},
    {"BoundThatIsNoNumber", score_of_parallel + "above = nan\n", "above", 3,
     ": found nan, allowed: a number from -1e+15 to 1e+15"},
    {"BoundsReversed", score_of_parallel + "between = [1, 0]\n", "between", 3, ": *two numbers*"},
    {"OneBound", score_of_parallel + "between = [1]\n", "between", 3, ": *two numbers*"},
    {"ThreeBounds", score_of_parallel + "between = [0, 1, 2]\n", "between", 3,
     ": found an array of 3, allowed: an array of at most 2, each a number from -1e+15 to 1e+15"},
    {"PresenceOfAnotherKind", score_of_parallel + "present = 1\n", "present", 3,
     ": found 1, allowed: true or false"},
    {"AWordOfANumber", score_of_parallel + "is = \"high\"\n", "finding", 1,
     ": found \"induction_score\", which is a number; allowed with is: a word"},
    {"ANumberOfAWord", "finding = \"mechanism\"\narm = \"parallel\"\nabove = 1\n", "finding", 1,
     ": found \"mechanism\", which is a word; allowed with above: a number"},
    {"AComparisonWithAWord", score_of_parallel + "above_finding = \"mechanism\"\n", "finding", 1,
     ": found a comparison with a word, allowed: with a number"},
    {"AWordThatItNeverIs", "finding = \"mechanism\"\narm = \"parallel\"\nis = \"composition\"\n",
     "is", 3,
     ": found \"composition\", allowed: one of \"none\", \"positional-band\", \"k-composition\", "
     "\"q-composition\", \"smeared-keys\""},
    {"UnknownProbe", score_of_parallel + "above = 0\nprobe = \"unseen\"\n", "probe", 4,
     ": found \"unseen\", allowed: one of \"repeated-blocks\", \"unseen-period\", "},
    {"AProbeThatDoesNotApply",
     "finding = \"k_rise\"\narm = \"parallel\"\nabove = 0\nprobe = \"unseen-period\"\n", "probe", 4,
     ": found \"unseen-period\", allowed with \"k_rise\": no probe"},
    {"AProbeThatDoesNotApplyToTheOther",
     score_of_parallel + "above_finding = \"induction_score_peak\"\nprobe = \"unseen-period\"\n",
     "probe", 4, ": found \"unseen-period\", allowed with \"induction_score_peak\": no probe"},
    {"ByWithARatio",
     "finding = \"transition_tokens\"\narm = \"parallel\"\nbelow_arm = \"two-layer\"\nby = 1000\n",
     "by", 4, ": *ratio*times"},
    {"ByWithoutAnother", score_of_parallel + "above = 0\nby = 1\n", "by", 4,
     ": *another arm or finding"},
    {"TimesWithoutAnother", score_of_parallel + "above = 0\ntimes = 1\n", "times", 4,
     ": *another arm or finding"},
    {"TimesNothing", score_of_parallel + "above_arm = \"two-layer\"\ntimes = 0\n", "times", 4,
     ": found 0, allowed: a number from 1e-09 to 1e+15"},
    {"ComparedWithItself", score_of_parallel + "above_arm = \"parallel\"\n", "finding", 1,
     ": *another arm or finding"},
    {"ComparedWithItselfByFinding", score_of_parallel + "above_finding = \"induction_score\"\n",
     "finding", 1, ": *another arm or finding"},
    {"AWordByTheMean",
     "finding = \"mechanism\"\narm = \"parallel\"\nis = \"none\"\ndecided_by = \"mean\"\n",
     "decided_by", 4, ": found \"mean\", allowed: \"every-seed\""},
    {"PresenceByTheMean",
     "finding = \"transition_tokens\"\narm = \"parallel\"\npresent = true\ndecided_by = \"mean\"\n",
     "decided_by", 4, ": found \"mean\", allowed: \"every-seed\""},
    {"DecidedBySomethingElse", score_of_parallel + "above = 0\ndecided_by = \"median\"\n",
     "decided_by", 4, ": found \"median\", allowed: *\"every-seed\"*"},
    {"UnknownKey", score_of_parallel + "above = 0\nprobes = \"unseen-period\"\n", "probes", 4,
     " is unknown; nearest: 'probe'"},
};

INSTANTIATE_TEST_SUITE_P(Each, ClaimMistake, testing::ValuesIn(bad_tests),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(Claim, AnUnknownFindingThatIsNearNoneGetsThemAll) {
  const std::string why =
      claim_refusal(with_test("finding = \"glory\"\narm = \"parallel\"\nabove = 0\n"));
  EXPECT_NE(why.find("found \"glory\", which is not a measure; allowed: transition_tokens, "),
            std::string::npos)
      << why;
  EXPECT_NE(why.find(", mechanism, "), std::string::npos) << why;
  EXPECT_EQ(why.find('\n'), std::string::npos);
}

/// A whole claim as it is written, and what is said of it.
struct BadClaim {
  const char* name;
  std::string text;
  std::string line;
};

class WholeClaimMistake : public testing::TestWithParam<BadClaim> {};

TEST_P(WholeClaimMistake, GetsItsOneLine) {
  EXPECT_TRUE(test::like(claim_refusal(std::string(small_study) + "[[claim]]\n" + GetParam().text),
                         "s.toml:" + GetParam().line));
}

const std::string good_test = "[[claim.test]]\n" + score_of_parallel + "above = 0\n";

const BadClaim bad_claims[] = {
    {"NoName", "says = \"A.\"\n" + good_test, "34: key 'claim[0].name': is missing*"},
    {"BlankName", "name = \" \"\nsays = \"A.\"\n" + good_test,
     "35: key 'claim[0].name': found \" \", allowed: a text on one line"},
    {"NoSentence", "name = \"a\"\n" + good_test, "34: key 'claim[0].says': is missing*"},
    {"SentenceOfTwoLines", "name = \"a\"\nsays = \"A.\\nB.\"\n" + good_test,
     "36: key 'claim[0].says': found \"A. B.\", allowed: a text on one line"},
    {"BlankStatedAfter", "name = \"a\"\nsays = \"A.\"\nstated_after = \"\"\n" + good_test,
     "37: key 'claim[0].stated_after': found \"\", allowed: a text on one line"},
    {"LongName", "name = \"" + std::string(101, 'a') + "\"\nsays = \"A.\"\n" + good_test,
     "35: key 'claim[0].name': found \"" + std::string(40, 'a') +
         "...\", allowed: a text of at most 100 bytes without control characters"},
    {"NumberZero", "name = \"a\"\nsays = \"A.\"\nnumber = 0\n" + good_test,
     "37: key 'claim[0].number': found 0, allowed: a whole number from 1 to 1000, such as "
     "40_000_000 or \"40M\" (k, M, G)"},
    {"NegativeTokens", "name = \"a\"\nsays = \"A.\"\nneeds_tokens = -1\n" + good_test,
     "37: key 'claim[0].needs_tokens': found -1, allowed: a whole number from 0 to "
     "1000000000000000, such as 40_000_000 or \"40M\" (k, M, G)"},
    {"NoTests", "name = \"a\"\nsays = \"A.\"\n",
     "34: key 'claim[0].test': found none, allowed: one [[claim.test]] or more"},
    {"AnEmptyListOfTests", "name = \"a\"\nsays = \"A.\"\ntest = []\n",
     "37: key 'claim[0].test': found none, allowed: one [[claim.test]] or more"},
    {"TestsThatAreNone", "name = \"a\"\nsays = \"A.\"\ntest = 3\n",
     "37: key 'claim[0].test': found 3, allowed: an array of tables, [[claim[0].test]]"},
    {"UnknownKey", "name = \"a\"\nsay = \"A.\"\nsays = \"A.\"\n" + good_test,
     "36: key 'claim[0].say' is unknown; nearest: 'says'"},
    {"TheSameNameTwice",
     "name = \"a\"\nsays = \"A.\"\n" + good_test + "[[claim]]\nname = \"a\"\nsays = \"B.\"\n" +
         good_test,
     "42: key 'claim[1].name': found \"a\" twice, allowed: each name once"},
};

INSTANTIATE_TEST_SUITE_P(Each, WholeClaimMistake, testing::ValuesIn(bad_claims),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(Claim, ThousandsAreReadInTime) {
  // Half of what a study file may hold, of claims and of tests of one claim.
  const std::string one = "{finding = \"induction_score\", arm = \"parallel\", above = 0}";
  constexpr int count = 5000;
  std::string claims = small_study;
  std::string tests = small_study + std::string("[[claim]]\nname = \"a\"\nsays = \"A\"\ntest = [");
  for (int i = 0; i < count; ++i) {
    claims += fmt::format("[[claim]]\nname = \"{}\"\nsays = \"A\"\ntest = [{}]\n", i, one);
    tests += one + ", ";
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(parsed(claims).claims.size(), std::size_t{count});
  EXPECT_EQ(parsed(tests + "]\n").claims.at(0).tests.size(), std::size_t{count});
  // A tenth of a second; the limit is for slow machines, and far below what would be too much.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace lookback::study
