// Claims of a power law: how they are read, and what runs decide.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lookback/study/ledger.h"
#include "lookback/study/statements.h"
#include "tests/study/claim_tests.h"
#include "tests/study/records.h"

namespace lookback::study {
namespace {

using nlohmann::json;
using spec::contradicted;
using spec::never;
using spec::not_decided;
using spec::supported;

const std::string three = "[sweep]\n\"model.context\" = [24, 36, 48]\n";

/// The small study with this sweep and a claim with this test, whose [[claim.test]] is on line 39 after a
/// sweep of one key.
std::string with_law(const std::string& test, const std::string& sweep = three) {
  return std::string(spec::small_study) + sweep +
         "[[claim]]\nname = \"law\"\nsays = \"It is a law.\"\n[[claim.test]]\n" + test;
}
const std::string law = R"(finding = "transition_tokens"
arm = "two-layer"
against = "model.context"
exponent = [1.5, 2.5]
)";

ClaimTest law_of(const std::string& test, const std::string& sweep = three) {
  const Study study = spec::parsed(with_law(test, sweep));
  if (study.claims.size() == 1 && study.claims[0].tests.size() == 1)
    return study.claims[0].tests[0];
  ADD_FAILURE() << test;
  return {};
}

TEST(PowerLaw, IsFittedOverAllPointsOfItsArm) {
  const ClaimTest test = law_of(law);
  EXPECT_EQ(test.relation, Relation::exponent);
  EXPECT_EQ(test.decided_by, DecidedBy::fit);
  EXPECT_EQ(test.low, 1.5);
  EXPECT_EQ(test.high, 2.5);
  ASSERT_TRUE(test.law);
  EXPECT_EQ(test.law->key, "model.context");
  EXPECT_FALSE(test.law->skips_missing);
  ASSERT_EQ(test.law->places.size(), 3U);
  EXPECT_EQ(test.law->places[1].arm, "two-layer,context=36");
  EXPECT_EQ(test.law->places[1].at, 36);
  EXPECT_TRUE(is_about(test, "two-layer,context=48"));
  EXPECT_FALSE(is_about(test, "parallel,context=48"));
}

TEST(PowerLaw, OfAGridSaysWhereItLiesOnTheOtherAxes) {
  const std::string grid = three + "\"train.learning_rate\" = [0.001, 0.01]\n";
  const ClaimTest test = law_of(law + "at = { \"train.learning_rate\" = 0.01 }\n", grid);
  ASSERT_EQ(test.law->places.size(), 3U);
  EXPECT_EQ(test.law->places[0].arm, "two-layer,context=24,learning_rate=0.01");
}

TEST(PowerLaw, OfAStudyWithoutArmsNamesNone) {
  std::string text = spec::small_study;
  text = text.substr(0, text.find("[[arm]]")) + three +
         "[[claim]]\nname = \"law\"\nsays = \"It is.\"\n[[claim.test]]\nfinding = "
         "\"second_half_loss\"\n"
         "against = \"model.context\"\nexponent = [-1, 0]\n";
  const Study study = spec::parsed(text);
  ASSERT_EQ(study.claims.size(), 1U);
  EXPECT_EQ(study.claims[0].tests.at(0).law->places.at(2).arm, "context=48");
}

TEST(PowerLaw, AnotherLawIsAnotherClaim) {
  const auto form = [](const std::string& test, const std::string& sweep = three) {
    return form_of(spec::parsed(with_law(test, sweep)).claims.at(0));
  };
  EXPECT_EQ(form(law), form(law + "decided_by = \"fit\"\n"));
  EXPECT_NE(form(law), form(law + "skip_missing = true\n"));
  EXPECT_NE(form(law), form(law, "[sweep]\n\"model.context\" = [24, 36, 64]\n"));
}

struct BadLaw {
  const char* name;
  std::string text;
  std::string line;  ///< what follows "s.toml:"
};
class PowerLawMistake : public testing::TestWithParam<BadLaw> {};
TEST_P(PowerLawMistake, IsReportedWithItsLineAndKey) {
  const std::string why = spec::claim_refusal(GetParam().text);
  EXPECT_EQ(why.rfind("s.toml:" + GetParam().line, 0), 0U) << why;
}
const std::string bare = "finding = \"transition_tokens\"\narm = \"two-layer\"\n";
const BadLaw bad_laws[] = {
    {"NoSweep", with_law(bare + "against = \"model.context\"\nexponent = [1, 2]\n", ""),
     "41: key 'claim[0].test[0].exponent': found in a study without a [sweep]"},
    {"NoKey", with_law(bare + "exponent = [1, 2]\n"),
     "39: key 'claim[0].test[0].against': is missing"},
    {"AnotherKey", with_law(bare + "against = \"model.d_model\"\nexponent = [1, 2]\n"),
     "42: key 'claim[0].test[0].against': found \"model.d_model\""},
    {"BandBackward", with_law(bare + "against = \"model.context\"\nexponent = [2, 1]\n"),
     "43: key 'claim[0].test[0].exponent'"},
    {"OneNumber", with_law(bare + "against = \"model.context\"\nexponent = 2\n"),
     "43: key 'claim[0].test[0].exponent'"},
    {"ArmAtAPoint",
     with_law("finding = \"transition_tokens\"\narm = \"two-layer,context=24\"\nagainst = "
              "\"model.context\"\nexponent = [1, 2]\n"),
     "41: key 'claim[0].test[0].arm': found \"two-layer,context=24\""},
    {"OfAWord",
     with_law("finding = \"mechanism\"\narm = \"two-layer\"\nagainst = \"model.context\"\nexponent "
              "= [1, "
              "2]\n"),
     "40: key 'claim[0].test[0].finding': found \"mechanism\", which is a word"},
    {"ByTheMean", with_law(law + "decided_by = \"mean\"\n"),
     "44: key 'claim[0].test[0].decided_by'"},
    {"TwoRelations", with_law(law + "below = 3\n"),
     "43: key 'claim[0].test[0].exponent': found with another relation"},
    {"WithoutExponent",
     with_law("finding = \"transition_tokens\"\narm = \"two-layer,context=24\"\nagainst = "
              "\"model.context\"\npresent = true\n"),
     "42: key 'claim[0].test[0].against': found without exponent"},
    {"TwoValues", with_law(law, "[sweep]\n\"model.context\" = [24, 36]\n"),
     "42: key 'claim[0].test[0].against'"},
    {"NotAbove0",
     with_law("finding = \"second_half_loss\"\narm = \"two-layer\"\nagainst = "
              "\"train.optimizer.weight_decay\"\nexponent = [1, 2]\n",
              "[sweep]\n\"train.optimizer.weight_decay\" = [0, 0.1, 0.2]\n"),
     "42: key 'claim[0].test[0].against'"},
    {"GridWithoutPlace", with_law(law, three + "\"train.learning_rate\" = [0.001, 0.01]\n"),
     "40: key 'claim[0].test[0].at.train.learning_rate': is missing"},
    {"PlaceOffTheGrid",
     with_law(law + "at = { \"train.learning_rate\" = 0.02 }\n",
              three + "\"train.learning_rate\" = [0.001, 0.01]\n"),
     "45: key 'claim[0].test[0].at.train.learning_rate': found 0.02"},
};
INSTANTIATE_TEST_SUITE_P(Each, PowerLawMistake, testing::ValuesIn(bad_laws),
                         [](const auto& instance) { return std::string(instance.param.name); });

// --- what runs decide

/// Runs of seeds 0, 1, ... at 10, 20, 40, ... with figures in that order, a row a seed.
std::vector<LawRun> runs_with(const std::vector<std::vector<Figure>>& figures) {
  std::vector<LawRun> runs;
  for (std::size_t seed = 0; seed < figures.size(); ++seed) {
    double at = 10;
    for (const Figure& figure : figures[seed]) {
      runs.push_back({"a", at, seed, true, false, figure});
      at *= 2;
    }
  }
  return runs;
}

TestResult decided_law(const std::vector<LawRun>& runs, double low, double high,
                       bool skips = false) {
  ClaimTest test = spec::test_of("transition_tokens", Relation::exponent, low, high);
  test.law = PowerLaw{"model.context", {}, skips};
  return decide_law(test, runs);
}

/// Of y = 3 x^2, but for a factor e^(+-0.1) at the ends and the middle of two seeds.
const double above_line = std::exp(0.1), below_line = std::exp(-0.1);
const std::vector<LawRun> squares = runs_with({{300.0 * above_line, 1200.0, 4800.0 * below_line},
                                               {300.0 * below_line, 1200.0, 4800.0 * above_line},
                                               {300.0, 1200.0, 4800.0}});

TEST(PowerLaw, HasTheExponentOfLeastSquaresWithItsInterval) {
  const TestResult result = decided_law(squares, 1.5, 2.5);
  ASSERT_TRUE(result.law);
  EXPECT_NEAR(result.law->exponent, 2, 1e-12);
  EXPECT_NEAR(result.law->factor, 3, 1e-11);
  EXPECT_EQ(result.law->fitted, 9U);
  // s^2 = 4 * 0.01 / 7, Sxx = 3 * 2 ln(2)^2, t of 7 degrees of freedom: 2.364624
  const double s = std::sqrt(0.04 / 7), half = 2.364624252 * s / (std::sqrt(6.0) * std::log(2.0));
  EXPECT_NEAR(result.law->upper, 2 + half, 1e-8);
  EXPECT_NEAR(result.law->lower, 2 - half, 1e-8);
  EXPECT_NEAR(result.law->spread, std::exp(s), 1e-12);
  EXPECT_EQ(result.figure, "exponent 2.00 [1.89, 2.11]");
}

TEST(PowerLaw, IsSupportedInsideItsBandContradictedOutsideAndElseOpen) {
  EXPECT_EQ(decided_law(squares, 1.5, 2.5).verdict, supported);
  EXPECT_EQ(decided_law(squares, 0.5, 1.5).verdict, contradicted);
  EXPECT_EQ(decided_law(squares, 2.5, 3).verdict, contradicted);
  EXPECT_EQ(decided_law(squares, 1.95, 3).verdict, not_decided);
  EXPECT_EQ(decided_law(squares, 2.05, 3).verdict, not_decided);
}

TEST(PowerLaw, ShowsTheExponentOfEachSeed) {
  const TestResult result = decided_law(squares, 1.9, 2.1);
  ASSERT_EQ(result.seeds.size(), 3U);
  const double slant = 0.2 / (2 * std::log(2.0));  // of e^-0.1 at one end, e^0.1 at the other
  EXPECT_NEAR(std::get<double>(result.seeds[0].figures.figure), 2 - slant, 1e-12);
  EXPECT_NEAR(std::get<double>(result.seeds[1].figures.figure), 2 + slant, 1e-12);
  EXPECT_EQ(result.seeds[0].holds, false);
  EXPECT_EQ(result.seeds[2].holds, true);
  EXPECT_EQ(result.holds_in, 1U);
  EXPECT_EQ(result.decided_in, 3U);
}

TEST(PowerLaw, ARunWithoutTheFigureLeavesItOpenUnlessItIsSkipped) {
  for (const Figure& missing : {never, Figure(), Figure(0.0), Figure(std::nan(""))}) {
    std::vector<LawRun> runs = squares;
    runs[8].figure = missing;
    EXPECT_EQ(decided_law(runs, 1.5, 2.5).verdict, not_decided);
    const TestResult skipped = decided_law(runs, 1.5, 2.5, true);
    EXPECT_EQ(skipped.verdict, supported);
    EXPECT_EQ(skipped.law->fitted, 8U);
    EXPECT_NE(skipped.reason.find("of 9 runs"), std::string::npos) << skipped.reason;
  }
  std::vector<LawRun> runs = squares;
  runs[0].has_diverged = true;
  EXPECT_EQ(decided_law(runs, 1.5, 2.5).verdict, not_decided);
}

TEST(PowerLaw, IsOpenWhileRunsGoOn) {
  std::vector<LawRun> runs = squares;
  runs[8].has_ended = false;
  EXPECT_EQ(decided_law(runs, 1.5, 2.5, true).verdict, not_decided);
}

TEST(PowerLaw, NeedsThreeSeedsAtThreeValues) {
  const std::vector<Figure> row = {300.0, 1210.0, 4800.0};
  EXPECT_EQ(decided_law(runs_with({row, row}), 1, 3).verdict, not_decided);
  EXPECT_EQ(decided_law(runs_with({row, row, row}), 1, 3).verdict, supported);
  const std::vector<Figure> ends = {300.0, 1210.0, never};
  EXPECT_EQ(decided_law(runs_with({ends, ends, ends}), 1, 3, true).verdict, not_decided);
}

TEST(PowerLaw, WithoutAnyFigureHasNoFit) {
  const std::vector<Figure> row = {never, never, never};
  const TestResult result = decided_law(runs_with({row, row, row}), 1, 3);
  EXPECT_EQ(result.verdict, not_decided);
  EXPECT_EQ(result.figure, "no fit");
}

// --- in the ledger

json ledger_of(const std::string& text) {
  const Study study = spec::parsed(text, {.seeds = 3});
  std::vector<RunRecord> runs;
  for (const SweptArm& arm : study.swept.arms) {
    for (std::uint64_t seed = 0; seed < study.seeds; ++seed) {
      RunRecord run = spec::made_up_record();
      run.arm = arm.name;
      run.seed = seed;
      const double off = 1 + 0.01 * static_cast<double>(seed);
      run.findings["transition_tokens"] = off * arm.at.at(0) * arm.at.at(0);
      runs.push_back(std::move(run));
    }
  }
  return make_ledger(study, runs, {});
}

TEST(PowerLawInTheLedger, HasTheFitItsRunsAndTheVerdict) {
  const json claim = ledger_of(with_law(law))["claims"][0];
  EXPECT_EQ(claim["verdict"], "supported");
  EXPECT_EQ(claim["runs"].size(), 9U);
  const json& test = claim["tests"][0];
  EXPECT_EQ(test["relation"], "exponent");
  EXPECT_EQ(test["decided_by"], "fit");
  EXPECT_EQ(test["unit"], "");
  EXPECT_EQ(test["threshold"], json({1.5, 2.5}));
  EXPECT_NEAR(test["mean"].get<double>(), 2, 1e-6);
  EXPECT_LT(test["interval"][0].get<double>(), 2);
  EXPECT_GT(test["interval"][1].get<double>(), 2);
  EXPECT_EQ(test["seeds"].size(), 3U);
  EXPECT_EQ(test["law"]["key"], "model.context");
  EXPECT_EQ(test["law"]["fitted"], 9);
  EXPECT_EQ(test["law"]["runs"].size(), 9U);
  EXPECT_EQ(
      test["law"]["runs"][3],
      json({{"run", "two-layer,context=36/seed-0"}, {"at", 36.0}, {"seed", 0}, {"value", 1296.0}}));
}

}  // namespace
}  // namespace lookback::study
