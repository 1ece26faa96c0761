// The verdicts of tests, with numbers by hand. The quantiles of Student's t for 3 and 5 seeds are those
// of the tables.
#include "lookback/study/verdict.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/study/claim_tests.h"

namespace lookback::study {
namespace {

using spec::against_arm;
using spec::by_every_seed;
using spec::contradicted;
using spec::never;
using spec::not_decided;
using spec::seeds_of;
using spec::supported;
using spec::t_of_3;
using spec::test_of;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double t_of_5 = 2.776445105;
const Figure absent;

/// Of a figure that is compared by its difference, and of one compared by its ratio that may never
/// come.
ClaimTest score(Relation relation, double low = 0, double high = 0) {
  return test_of("induction_score", relation, low, high);
}
ClaimTest transition(Relation relation, double low = 0, double high = 0) {
  return test_of("transition_tokens", relation, low, high);
}

Verdict verdict(const ClaimTest& test, const std::vector<Figure>& figures,
                const std::vector<Figure>& others = {}) {
  return decide(test, seeds_of(figures, others)).verdict;
}

// --- by the mean, against numbers

TEST(VerdictByMean, OfThreeSeedsIsByStudentsIntervalOfTwoDegrees) {
  // Mean 0.12, deviation 0.02.
  const std::vector<Figure> figures = {0.10, 0.14, 0.12};
  const double half = t_of_3 * 0.02 / std::sqrt(3.0);  // 0.0497
  const TestResult result = decide(score(Relation::above, 0.07), seeds_of(figures));
  EXPECT_NEAR(result.estimate.mean, 0.12, 1e-15);
  EXPECT_NEAR(result.standard_deviation, 0.02, 1e-15);
  EXPECT_NEAR(result.estimate.lower(), 0.12 - half, 1e-9);
  EXPECT_NEAR(result.estimate.upper(), 0.12 + half, 1e-9);
  EXPECT_FALSE(result.logarithmic);
  EXPECT_EQ(result.verdict, supported);
  EXPECT_EQ(verdict(score(Relation::above, 0.071), figures), not_decided);
  EXPECT_EQ(verdict(score(Relation::above, 0.169), figures), not_decided);
  EXPECT_EQ(verdict(score(Relation::above, 0.17), figures), contradicted);
  EXPECT_EQ(verdict(score(Relation::below, 0.17), figures), supported);
  EXPECT_EQ(verdict(score(Relation::below, 0.169), figures), not_decided);
  EXPECT_EQ(verdict(score(Relation::below, 0.07), figures), contradicted);
}

TEST(VerdictByMean, OfFiveSeedsIsByStudentsIntervalOfFourDegrees) {
  // Mean 3, squares about it 10, standard error sqrt(10 / 20).
  const std::vector<Figure> figures = {1., 2., 3., 4., 5.};
  const double half = t_of_5 * std::sqrt(0.5);  // 1.9632
  EXPECT_EQ(verdict(score(Relation::above, 3 - half - 1e-6), figures), supported);
  EXPECT_EQ(verdict(score(Relation::above, 3 - half + 1e-6), figures), not_decided);
  EXPECT_EQ(verdict(score(Relation::above, 3 + half - 1e-6), figures), not_decided);
  EXPECT_EQ(verdict(score(Relation::above, 3 + half + 1e-6), figures), contradicted);
}

TEST(VerdictByMean, BetweenIsWithTheWholeIntervalWithinOrOutside) {
  const std::vector<Figure> figures = {1., 2., 3., 4., 5.};  // 3 +- 1.963
  EXPECT_EQ(verdict(score(Relation::between, 1, 5), figures), supported);
  EXPECT_EQ(verdict(score(Relation::between, 2, 4), figures), not_decided);
  EXPECT_EQ(verdict(score(Relation::between, 4, 9), figures), not_decided);
  EXPECT_EQ(verdict(score(Relation::between, 5, 6), figures), contradicted);
  EXPECT_EQ(verdict(score(Relation::between, 0, 1), figures), contradicted);
}

TEST(VerdictByMean, FiguresAtTheBoundItselfAreWithinItAndNeitherAboveNorBelow) {
  const std::vector<Figure> figures = {2., 2., 2.};
  EXPECT_EQ(verdict(score(Relation::above, 2), figures), not_decided);
  EXPECT_EQ(verdict(score(Relation::below, 2), figures), not_decided);
  EXPECT_EQ(verdict(score(Relation::between, 2, 2), figures), supported);
  EXPECT_EQ(decide(score(Relation::above, 2), seeds_of(figures)).holds_in, 0U);
  EXPECT_EQ(verdict(against_arm(score(Relation::below)), figures, figures), not_decided);
}

TEST(VerdictByMean, SaysItsFigureWithItsInterval) {
  const TestResult result = decide(score(Relation::above, 0.11), seeds_of({0.10, 0.14, 0.12}));
  EXPECT_EQ(result.figure, "0.120 [0.0703, 0.170]");
  EXPECT_EQ(result.reason,
            "the 95% interval over 3 seeds includes the bound; it holds in 2 of 3 seeds");
  EXPECT_EQ(result.holds_in, 2U);
  EXPECT_EQ(result.decided_in, 3U);
}

// --- by the mean, against another figure

TEST(VerdictByMean, OfTwoFiguresIsOfTheirDifferencesPairedBySeed) {
  // The seeds differ by far more than the measures: only pairing them decides.
  const std::vector<Figure> figures = {10.5, 100.25, 1000.75}, others = {10., 100., 1000.};
  const TestResult result = decide(against_arm(score(Relation::above)), seeds_of(figures, others));
  const double half = t_of_3 * 0.25 / std::sqrt(3.0);
  EXPECT_NEAR(result.estimate.mean, 0.5, 1e-12);
  EXPECT_NEAR(result.estimate.half_width(), half, 1e-9);  // 0.621
  EXPECT_EQ(result.verdict, not_decided);
  EXPECT_EQ(result.seeds[0].difference, 0.5);
  EXPECT_EQ(result.figure, "difference 0.500 [-0.121, 1.12]");
  EXPECT_EQ(verdict(against_arm(score(Relation::above), 1, -0.13), figures, others), supported);
  EXPECT_EQ(verdict(against_arm(score(Relation::above), 1, -0.12), figures, others), not_decided);
  EXPECT_EQ(verdict(against_arm(score(Relation::below), 1, -0.13), figures, others), contradicted);
  EXPECT_EQ(verdict(against_arm(score(Relation::above), 1, 1.2), figures, others), contradicted);
}

TEST(VerdictByMean, TimesAndByAreOfTheOtherFigure) {
  // 3 x the other + 1 is met exactly: nothing is above it.
  const std::vector<Figure> figures = {4., 7., 10.}, others = {1., 2., 3.};
  EXPECT_EQ(verdict(against_arm(score(Relation::above), 3, 1), figures, others), not_decided);
  EXPECT_EQ(verdict(against_arm(score(Relation::above), 3, 0.75), figures, others), supported);
  EXPECT_EQ(verdict(against_arm(score(Relation::below), 3, 1.25), figures, others), supported);
  const TestResult result =
      decide(against_arm(score(Relation::above), 3, 1), seeds_of(figures, others));
  EXPECT_EQ(result.seeds[1].difference, 1);
  EXPECT_EQ(result.holds_in, 0U);
}

// --- by ratio

TEST(VerdictByMean, OfTokensIsOfTheirLogarithms) {
  // 1M, 2M and 4M: the mean of the logarithms is that of 2M, their deviation log 2.
  const std::vector<Figure> figures = {1e6, 2e6, 4e6};
  const double factor = std::exp(t_of_3 * std::log(2.0) / std::sqrt(3.0));  // 5.595
  const TestResult result =
      decide(transition(Relation::between, 2e6 / factor - 1, 2e6 * factor + 1), seeds_of(figures));
  EXPECT_TRUE(result.logarithmic);
  EXPECT_NEAR(std::exp(result.estimate.mean), 2e6, 1e-3);
  EXPECT_EQ(result.verdict, supported);
  EXPECT_EQ(result.figure, "2.00M [0.357M, 11.2M]");
  EXPECT_EQ(verdict(transition(Relation::between, 2e6 / factor + 1, 1e12), figures), not_decided);
  EXPECT_EQ(verdict(transition(Relation::above, 0.357e6), figures), supported);
  EXPECT_EQ(verdict(transition(Relation::above, 0.358e6), figures), not_decided);
  EXPECT_EQ(verdict(transition(Relation::above, 11.2e6), figures), contradicted);
}

TEST(VerdictByMean, OfTwoTransitionsIsOfTheirRatio) {
  // Ratios 1/2, 1/4 and 1/8: a quarter, within a factor of 5.595.
  const std::vector<Figure> figures = {1e6, 2e6, 4e6}, others = {2e6, 8e6, 32e6};
  const TestResult result =
      decide(against_arm(transition(Relation::below)), seeds_of(figures, others));
  EXPECT_NEAR(std::exp(result.estimate.mean), 0.25, 1e-12);
  EXPECT_NEAR(*result.seeds[2].difference, std::log(0.125), 1e-12);
  EXPECT_EQ(result.verdict, not_decided);
  EXPECT_EQ(result.figure, "× 0.250 [0.0447, 1.40]");
  EXPECT_EQ(verdict(against_arm(transition(Relation::below), 1.39), figures, others), not_decided);
  EXPECT_EQ(verdict(against_arm(transition(Relation::below), 1.4), figures, others), supported);
  EXPECT_EQ(verdict(against_arm(transition(Relation::above), 1.4), figures, others), contradicted);
}

TEST(VerdictByMean, OfARatioAndADifferenceIsOfTheDifference) {
  ClaimTest test = against_arm(transition(Relation::above));
  test.other_finding = "parameters";
  const TestResult result = decide(test, seeds_of({10., 20., 30.}, {9., 19., 29.}));
  EXPECT_FALSE(result.logarithmic);
  EXPECT_EQ(result.seeds[0].difference, 1);
}

TEST(VerdictByMean, WhatHasNoLogarithmCannotBeCompared) {
  const TestResult result = decide(transition(Relation::above, 1), seeds_of({0., 10., 20., 40.}));
  EXPECT_EQ(result.estimate.count, 3U);
  EXPECT_NE(result.reason.find("; 1 of 4 seeds cannot be compared"), std::string::npos)
      << result.reason;
}

// --- by every seed

TEST(VerdictByEverySeed, OneCounterexampleContradicts) {
  const ClaimTest test = by_every_seed(score(Relation::below, 0.1));
  EXPECT_EQ(verdict(test, {0.05, 0.06, 0.09}), supported);
  const TestResult result = decide(test, seeds_of({0.05, 0.06, 0.11}));
  EXPECT_EQ(result.verdict, contradicted);
  EXPECT_EQ(result.reason, "it holds in 2 of 3 seeds");
  EXPECT_EQ(result.figure, "0.0500 to 0.110");
  EXPECT_EQ(verdict(test, {0.05, 0.06, 0.1}), contradicted);  // the bound is not below itself
}

TEST(VerdictByEverySeed, ComparesTheFiguresOfEachSeed) {
  const ClaimTest test = by_every_seed(against_arm(score(Relation::above), 2, 0.5));
  EXPECT_EQ(verdict(test, {2.6, 4.6, 6.6}, {1., 2., 3.}), supported);
  EXPECT_EQ(verdict(test, {2.6, 4.5, 6.6}, {1., 2., 3.}), contradicted);
}

TEST(VerdictByEverySeed, ShowsWhatTheFiguresOfEachSeedComeTo) {
  const auto shown = [](const ClaimTest& test, const std::vector<Figure>& figures,
                        const std::vector<Figure>& others) {
    return decide(by_every_seed(test), seeds_of(figures, others)).figure;
  };
  EXPECT_EQ(shown(against_arm(score(Relation::above)), {0.5, 0.75, 0.625}, {0.25, 0.25, 0.25}),
            "difference 0.250 to 0.500");
  EXPECT_EQ(shown(against_arm(transition(Relation::below)), {1e6, 1e6, 1e6}, {2e6, 4e6, 2e6}),
            "× 0.250 to 0.500");
  EXPECT_EQ(shown(against_arm(score(Relation::above), 2), {0.9, 1.5, 2.1}, {0.3, 0.5, 0.6}),
            "× 3.00 to 3.50");
}

TEST(VerdictByEverySeed, BetweenIncludesItsBounds) {
  EXPECT_EQ(verdict(by_every_seed(score(Relation::between, 1, 3)), {1., 2., 3.}), supported);
  EXPECT_EQ(verdict(by_every_seed(score(Relation::between, 1, 3)), {1., 2., 3.1}), contradicted);
}

TEST(VerdictByEverySeed, OfAWordIsWhetherEachSeedHasIt) {
  ClaimTest test = by_every_seed(test_of("mechanism", Relation::is));
  test.word = "k-composition";
  const Figure right("k-composition"), wrong("none");
  EXPECT_EQ(verdict(test, {right, right, right}), supported);
  const TestResult result = decide(test, seeds_of({right, wrong, right}));
  EXPECT_EQ(result.verdict, contradicted);
  EXPECT_EQ(result.figure, "k-composition in 2 of 3 seeds");
  EXPECT_EQ(verdict(test, {right, right, absent}), not_decided);
  EXPECT_EQ(verdict(test, {right, right, right, absent}), supported);
  EXPECT_EQ(verdict(test, {right, right, right, 3.}), supported);  // a number is not a word
}

TEST(VerdictByEverySeed, OfPresenceIsWhetherEachSeedCameToIt) {
  const ClaimTest present = by_every_seed(transition(Relation::present));
  const ClaimTest none = by_every_seed(transition(Relation::absent));
  EXPECT_EQ(verdict(present, {1e6, 2e6, 3e6}), supported);
  EXPECT_EQ(verdict(present, {1e6, 2e6, never}), contradicted);
  EXPECT_EQ(verdict(none, {never, never, never}), supported);
  EXPECT_EQ(verdict(none, {never, 2e6, never}), contradicted);
  EXPECT_EQ(decide(none, seeds_of({never, never, never})).figure, "never");
  EXPECT_EQ(decide(present, seeds_of({5e6, never, 6e6})).figure, "5.00M to never");
  EXPECT_EQ(decide(present, seeds_of({5e6, 5e6, 5e6})).figure, "5.00M");
}

TEST(VerdictByEverySeed, WhatWasNotMeasuredIsNoAbsence) {
  EXPECT_EQ(verdict(by_every_seed(transition(Relation::absent)), {absent, absent, absent}),
            not_decided);
}

// --- what never came

TEST(VerdictOfWhatNeverCame, LeavesNoMeanSoThatFiveSeedsMustAgree) {
  const ClaimTest below = transition(Relation::below, 1e7),
                  above = transition(Relation::above, 1e7);
  EXPECT_EQ(verdict(above, {never, never, never, never, never}), supported);
  EXPECT_EQ(verdict(above, {2e7, 3e7, never, never, never}), supported);
  EXPECT_EQ(verdict(below, {2e7, 3e7, never, never, never}), contradicted);
  EXPECT_EQ(verdict(below, {1e6, 2e6, 2e6, 2e6, never}), not_decided);
  const TestResult few = decide(above, seeds_of({2e7, never, never, never}));
  EXPECT_EQ(few.verdict, not_decided);
  EXPECT_EQ(few.decided_by, DecidedBy::every_seed);
  EXPECT_EQ(
      few.reason,
      "some runs never came to it, so there is no mean; it holds in 4 of 4 seeds, 5 that agree "
      "are needed");
  EXPECT_EQ(verdict(transition(Relation::between, 1, 1e15), {1e6, 2e6, never}), not_decided);
}

TEST(VerdictOfWhatNeverCame, AgainstAnotherArm) {
  const ClaimTest earlier = against_arm(transition(Relation::below));
  const std::vector<Figure> early = {1e6, 1e6, 1e6, 1e6, 1e6}, late = {2e6, never, 3e6, never, 2e6};
  EXPECT_EQ(verdict(earlier, early, late), supported);
  EXPECT_EQ(verdict(earlier, late, early), contradicted);
  EXPECT_EQ(verdict(earlier, {1e6, 1e6, 1e6}, {2e6, 2e6, never}), not_decided);
  const TestResult result = decide(earlier, seeds_of({1e6, 2e6, 3e6}, {4e6, never, 4e6}));
  EXPECT_EQ(result.figure, "1.00M to 3.00M");
  EXPECT_FALSE(result.seeds[1].difference);
}

TEST(VerdictOfWhatNeverCame, TwoOfThemAreNotOrdered) {
  const ClaimTest earlier = against_arm(transition(Relation::below));
  const TestResult result =
      decide(earlier, seeds_of({never, 1e6, 1e6, never}, {never, 2e6, 2e6, never}));
  EXPECT_EQ(result.verdict, not_decided);
  EXPECT_EQ(result.reason, "2 seeds decide nothing, 3 are needed; 2 of 4 seeds cannot be compared");
  EXPECT_FALSE(result.seeds[0].holds);
}

TEST(VerdictOfWhatNeverCame, OtherFiguresThatAreMissingAreNotNever) {
  EXPECT_EQ(verdict(score(Relation::above, 0), {absent, 1., 1., 1.}), supported);
  EXPECT_EQ(verdict(by_every_seed(score(Relation::above, 0)), {absent, 1., 1.}), not_decided);
}

// --- what cannot be compared

TEST(Verdict, OfFewerThanThreeSeedsThereIsNone) {
  const TestResult result = decide(score(Relation::above, 0), seeds_of({1., 1.}));
  EXPECT_EQ(result.verdict, not_decided);
  EXPECT_EQ(result.reason, "2 seeds decide nothing, 3 are needed");
  EXPECT_EQ(decide(by_every_seed(score(Relation::above, 0)), seeds_of({1.})).reason,
            "1 seed decides nothing, 3 are needed");
  const TestResult none = decide(score(Relation::above, 0), {});
  EXPECT_EQ(none.verdict, not_decided);
  EXPECT_EQ(none.reason, "0 seeds decide nothing, 3 are needed");
  EXPECT_EQ(none.figure, "no figure");
  EXPECT_EQ(verdict(by_every_seed(transition(Relation::present)), {never, never}), not_decided);
}

TEST(Verdict, LeavesOutSeedsWithoutAFigureAndSaysSo) {
  const TestResult result =
      decide(score(Relation::above, 0), seeds_of({1., absent, 1.1, not_a_number, 0.9}));
  EXPECT_EQ(result.verdict, supported);
  EXPECT_EQ(result.estimate.count, 3U);
  EXPECT_EQ(result.decided_in, 3U);
  EXPECT_EQ(result.reason,
            "the 95% interval over 3 seeds lies above the bound; it holds in 3 of 3 seeds; 2 of 5 "
            "seeds cannot be compared");
}

TEST(Verdict, ANumberThatIsNoneDecidesNothing) {
  for (const Relation relation :
       {Relation::above, Relation::below, Relation::between, Relation::present, Relation::absent}) {
    for (const char* finding : {"induction_score", "transition_tokens"}) {
      const ClaimTest test = test_of(finding, relation, 0, 1);
      const std::vector<Figure> figures(3, not_a_number);
      EXPECT_EQ(verdict(test, figures), not_decided) << name_of(relation);
      EXPECT_EQ(verdict(by_every_seed(test), figures), not_decided) << name_of(relation);
      if (relation != Relation::above && relation != Relation::below) continue;
      EXPECT_EQ(verdict(against_arm(test), {1., 1., 1.}, figures), not_decided);
      EXPECT_EQ(verdict(against_arm(test), figures, {1., 1., 1.}), not_decided);
    }
  }
}

TEST(Verdict, ARunThatDivergedIsNoneThatNeverCame) {
  std::vector<SeedFigures> seeds = seeds_of({1e6, 2e6, 3e6, absent}, {4e6, 5e6, 6e6, 7e6});
  seeds[3].has_diverged = true;
  for (const ClaimTest& test :
       {by_every_seed(transition(Relation::present)), transition(Relation::below, 1e9),
        by_every_seed(transition(Relation::below, 1e9)),
        against_arm(transition(Relation::below), 9)}) {
    const TestResult result = decide(test, seeds);
    EXPECT_EQ(result.verdict, supported) << result.reason;
    EXPECT_EQ(result.decided_in, 3U);
    EXPECT_FALSE(result.seeds[3].holds);
    EXPECT_NE(result.reason.find("; 1 of 4 seeds cannot be compared"), std::string::npos);
    EXPECT_EQ(result.figure.find("never"), std::string::npos) << result.figure;
  }
  for (SeedFigures& seed : seeds) seed.has_diverged = true;
  EXPECT_EQ(decide(by_every_seed(transition(Relation::absent)), seeds).verdict, not_decided);
}

TEST(Verdict, OfNumbersBeyondAllMeansIsNoneAndNoCrash) {
  const double huge = std::numeric_limits<double>::max();
  EXPECT_EQ(verdict(score(Relation::above, 0), {huge, huge, -huge}), not_decided);
}

// --- of a claim

TEST(VerdictOfAClaim, IsThatOfItsWeakestTest) {
  const auto of = [](const std::vector<Verdict>& verdicts) {
    std::vector<TestResult> tests(verdicts.size());
    for (std::size_t i = 0; i < tests.size(); ++i) tests[i].verdict = verdicts[i];
    return verdict_of(tests);
  };
  constexpr Verdict not_tested = Verdict::not_tested;
  EXPECT_EQ(of({supported, supported}), supported);
  EXPECT_EQ(of({supported, not_decided}), not_decided);
  EXPECT_EQ(of({not_decided, contradicted, supported}), contradicted);
  EXPECT_EQ(of({not_tested, contradicted}), contradicted);
  EXPECT_EQ(of({not_decided, not_tested}), not_tested);
}

TEST(VerdictOfAClaim, HasItsNames) {
  EXPECT_STREQ(name_of(Verdict::supported), "supported");
  EXPECT_STREQ(name_of(Verdict::contradicted), "contradicted");
  EXPECT_STREQ(name_of(Verdict::not_decided), "not decided");
  EXPECT_STREQ(name_of(Verdict::not_tested), "not tested at this size");
}

}  // namespace
}  // namespace lookback::study
