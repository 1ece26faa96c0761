// What a figure is shown to be against another: a ratio or a difference to the other itself, with the bound
// where the claim puts it; and claims that two figures are alike.
#include <gtest/gtest.h>

#include <cmath>

#include "lookback/study/verdict.h"
#include "tests/study/claim_tests.h"

namespace lookback::study {
namespace {

using spec::against_arm;
using spec::by_every_seed;
using spec::contradicted;
using spec::near_arm;
using spec::never;
using spec::not_decided;
using spec::seeds_of;
using spec::supported;
using spec::t_of_3;
using spec::test_of;

ClaimTest ratio_below(double times) {
  return against_arm(test_of("text_perplexity", Relation::below), times);
}

// --- bounds that are no 1 and no 0

TEST(VerdictAgainstAMultiple, ShowsTheRatioToTheOtherWithTheBoundAtTimes) {
  // Ratios 0.998, 0.999 and 1: two arms that are alike, and a claim of "no more than 1.1 times".
  const std::vector<Figure> figures = {9.98, 19.98, 30.}, others = {10., 20., 30.};
  const TestResult result = decide(ratio_below(1.1), seeds_of(figures, others));
  EXPECT_NEAR(std::exp(result.estimate.mean), 0.999, 1e-6);
  EXPECT_NEAR(std::exp(*result.seeds[1].difference), 0.999, 1e-12);
  EXPECT_EQ(result.figure, "× 0.999 [0.997, 1.00]");
  EXPECT_EQ(bounds_of(result.test).high, 1.1);
  EXPECT_FALSE(bounds_of(result.test).low);
  EXPECT_EQ(result.verdict, supported);
  EXPECT_EQ(result.reason,
            "the 95% interval over 3 seeds lies below the bound; it holds in 3 of 3 seeds");
}

TEST(VerdictAgainstAMultiple, IsDecidedAtTheBoundAndNotAtOne) {
  // Ratios 1/2, 1/4, 1/8: a quarter, within a factor of exp(t log 2 / sqrt 3) to either side.
  const std::vector<Figure> figures = {1., 2., 4.}, others = {2., 8., 32.};
  const double upper = 0.25 * std::exp(t_of_3 * std::log(2.0) / std::sqrt(3.0));  // 1.399
  const auto verdict = [&](Relation relation, double times) {
    const ClaimTest test = against_arm(test_of("text_perplexity", relation), times);
    return decide(test, seeds_of(figures, others)).verdict;
  };
  EXPECT_EQ(verdict(Relation::below, upper + 1e-6), supported);
  EXPECT_EQ(verdict(Relation::below, upper - 1e-6), not_decided);
  EXPECT_EQ(verdict(Relation::above, upper + 1e-6), contradicted);
  EXPECT_EQ(verdict(Relation::above, upper - 1e-6), not_decided);
}

TEST(VerdictAgainstAMultiple, OfFiguresThatMayBeZeroShowsTheRatioOfTheirMeans) {
  // Means 3 and 1; the ratio to the other is shown, not the difference from twice the other.
  const std::vector<Figure> figures = {2.9, 3.1, 3.}, others = {1.01, 0.99, 1.};
  const TestResult result =
      decide(against_arm(test_of("k_rise", Relation::above), 2), seeds_of(figures, others));
  EXPECT_FALSE(result.logarithmic);
  EXPECT_EQ(result.shown.what, Shown::What::ratio);
  EXPECT_EQ(result.shown.bounds.low, 2);
  EXPECT_NEAR(result.shown.mean, 3, 1e-12);
  EXPECT_EQ(effect_of(result, result.seeds[0]), 2.9 / 1.01);
  EXPECT_EQ(result.figure, "× 3.00 [2.68, 3.33]");
  EXPECT_EQ(result.verdict, supported);
}

TEST(VerdictAgainstAMultiple, ItsRatioLiesBeyondTheBoundJustWhereItsDifferenceDoes) {
  const std::vector<Figure> figures = {2.9, 3.1, 3.2}, others = {1.1, 0.95, 1.};
  const auto decided = [&](double times) {
    return decide(against_arm(test_of("k_rise", Relation::above), times),
                  seeds_of(figures, others));
  };
  const Shown shown = decided(2).shown;
  ASSERT_EQ(shown.what, Shown::What::ratio);
  EXPECT_EQ(decided(shown.lower - 1e-6).verdict, supported);
  EXPECT_EQ(decided(shown.lower + 1e-6).verdict, not_decided);
  EXPECT_EQ(decided(shown.upper - 1e-6).verdict, not_decided);
  EXPECT_EQ(decided(shown.upper + 1e-6).verdict, contradicted);
}

TEST(VerdictAgainstAMultiple, OfAnOtherThatMayBeZeroIsADifferenceAndSaysFromWhat) {
  const TestResult result = decide(against_arm(test_of("k_rise", Relation::above), 3),
                                   seeds_of({4., 7., 10.}, {1., 2., 3.}));
  EXPECT_EQ(result.shown.what, Shown::What::difference);
  EXPECT_EQ(result.figure, "difference from 3 × b 1.00 [1.00, 1.00]");
  EXPECT_EQ(bounds_of(result.test).low, 0);
  EXPECT_EQ(result.verdict, supported);
}

TEST(VerdictAgainstAMultiple, ADifferenceIsFromTheOtherWithTheBoundAtBy) {
  const TestResult result =
      decide(against_arm(test_of("induction_score", Relation::above), 1, -0.03),
             seeds_of({0.49, 0.5, 0.51}, {0.5, 0.5, 0.5}));
  EXPECT_EQ(result.figure, "difference 0 [-0.0248, 0.0248]");
  EXPECT_NE(result.reason.find("lies above the bound of -0.03;"), std::string::npos)
      << result.reason;
  EXPECT_EQ(bounds_of(result.test).low, -0.03);
  EXPECT_EQ(result.verdict, supported);
}

// --- within

TEST(VerdictWithin, OfARatioIsAShareOfTheOtherOnBothSides) {
  const Bounds bounds = bounds_of(near_arm("text_perplexity", 0.25));
  EXPECT_EQ(bounds.low, 0.75);
  EXPECT_EQ(bounds.high, 1.25);
  // The ratio, exactly the same in each seed, is its own interval.
  const auto at = [](double ratio) {
    const std::vector<Figure> figures = {8 * ratio, 16 * ratio, 32 * ratio};
    return decide(near_arm("text_perplexity", 0.25), seeds_of(figures, {8., 16., 32.})).verdict;
  };
  EXPECT_EQ(at(1), supported);
  EXPECT_EQ(at(0.751), supported);
  EXPECT_EQ(at(1.249), supported);
  EXPECT_EQ(at(0.749), contradicted);
  EXPECT_EQ(at(1.251), contradicted);
}

TEST(VerdictWithin, OfADifferenceIsInTheFiguresUnitWhateverTheSigns) {
  const Bounds bounds = bounds_of(near_arm("k_rise", 0.1));
  EXPECT_EQ(bounds.low, -0.1);
  EXPECT_EQ(bounds.high, 0.1);
  const auto at = [](double difference, double middle) {
    const std::vector<Figure> figures(3, middle + difference), others(3, middle);
    return decide(near_arm("k_rise", 0.1), seeds_of(figures, others)).verdict;
  };
  for (const double middle : {-5.0, -0.05, 0.0, 0.05, 5.0}) {
    EXPECT_EQ(at(0.09, middle), supported) << middle;
    EXPECT_EQ(at(-0.09, middle), supported) << middle;
    EXPECT_EQ(at(0.11, middle), contradicted) << middle;
    EXPECT_EQ(at(-0.11, middle), contradicted) << middle;
  }
}

TEST(VerdictWithin, NeedsTheWholeIntervalInsideOrOutside) {
  // Differences 0.01, 0.03 and 0.05: 0.03 +- t 0.02 / sqrt 3 = 0.0497, from -0.0197 to 0.0797.
  const std::vector<Figure> figures = {1.01, 2.03, 3.05}, others = {1., 2., 3.};
  const auto decided = [&](double within, double shift) {
    std::vector<Figure> shifted;
    shifted.reserve(figures.size());
    for (const Figure& one : figures) shifted.emplace_back(std::get<double>(one) + shift);
    return decide(near_arm("induction_score", within), seeds_of(shifted, others));
  };
  const TestResult inside = decided(0.08, 0);
  EXPECT_EQ(inside.verdict, supported);
  EXPECT_EQ(inside.reason,
            "the 95% interval over 3 seeds lies inside the band; it holds in 3 of 3 seeds");
  const TestResult across = decided(0.079, 0);
  EXPECT_EQ(across.verdict, not_decided);
  EXPECT_EQ(across.reason,
            "the 95% interval over 3 seeds crosses an edge of the band; it holds in 3 of 3 seeds");
  EXPECT_EQ(decided(0.01, 0).verdict, not_decided);  // the band lies inside the interval
  EXPECT_EQ(decided(0.08, 0.15).verdict, contradicted);
  EXPECT_EQ(decided(0.08, -0.15).verdict, not_decided);  // from -0.17 to -0.07
  const TestResult outside = decided(0.08, -0.25);
  EXPECT_EQ(outside.verdict, contradicted);
  EXPECT_EQ(outside.reason,
            "the 95% interval over 3 seeds lies outside the band; it holds in 0 of 3 seeds");
  EXPECT_EQ(outside.figure, "difference -0.220 [-0.270, -0.170]");
}

TEST(VerdictWithin, ByEverySeedIsWithEachSeedInTheBand) {
  const ClaimTest alike = by_every_seed(near_arm("transition_tokens", 0.1));
  EXPECT_EQ(decide(alike, seeds_of({91., 100., 109.}, {100., 100., 100.})).verdict, supported);
  const TestResult one_off = decide(alike, seeds_of({91., 100., 111.}, {100., 100., 100.}));
  EXPECT_EQ(one_off.verdict, contradicted);
  EXPECT_EQ(one_off.holds_in, 2U);
}

TEST(VerdictWithin, OfWhatNeverCameIsNotNearWhatDid) {
  const ClaimTest alike = near_arm("transition_tokens", 0.1);
  const TestResult mixed =
      decide(alike, seeds_of({never, 1e6, never, 1e6, 1e6}, {1e6, never, never, 1e6, 1.05e6}));
  EXPECT_EQ(mixed.seeds[0].holds, false);
  EXPECT_EQ(mixed.seeds[1].holds, false);
  EXPECT_FALSE(mixed.seeds[2].holds);  // neither came: they cannot be compared
  EXPECT_EQ(mixed.seeds[3].holds, true);
  EXPECT_EQ(mixed.seeds[4].holds, true);
  EXPECT_EQ(mixed.decided_by, DecidedBy::every_seed);
  EXPECT_EQ(mixed.verdict, not_decided);
}

TEST(VerdictWithin, OfFewerThanThreeSeedsIsNone) {
  EXPECT_EQ(decide(near_arm("k_rise", 9), seeds_of({1., 1.}, {1., 1.})).verdict, not_decided);
}

}  // namespace
}  // namespace lookback::study
