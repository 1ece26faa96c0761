// Rules of verdicts that hold whatever the figures are.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "lookback/study/verdict.h"
#include "tests/study/claim_tests.h"

namespace lookback::study {
namespace {

using spec::against_arm;
using spec::by_every_seed;
using spec::test_of;

/// Random tests of random seeds, whose figures lie on a grid so that ties come up.
class VerdictProperty : public testing::Test {
 protected:
  Figure figure(bool may_be_absent) {
    if (may_be_absent && draw(5) == 0) return {};
    return Figure(0.25 * (1 + draw(16)));
  }

  std::vector<SeedFigures> seeds() {
    std::vector<SeedFigures> result;
    const int count = draw(9), spread = draw(3);
    for (int i = 0; i < count; ++i) {
      SeedFigures one{static_cast<std::uint64_t>(i), figure(true), figure(true)};
      if (spread == 0) one = {one.seed, figure(false), figure(false)};
      // Of half the cases seeds that hardly differ, for else few are decided.
      if (spread == 2) one = {one.seed, Figure(4 + 0.25 * draw(3)), Figure(2 + 0.25 * draw(3))};
      one.has_diverged = draw(20) == 0;
      result.push_back(one);
    }
    return result;
  }

  ClaimTest test(Relation relation, bool against_other) {
    const char* const findings[] = {"induction_score", "transition_tokens",
                                    "loss_ratio_after_peak"};
    const int which = draw(3);
    ClaimTest made = test_of(findings[which], relation, 0.25 * draw(20));
    made.high = made.low + 0.25 * draw(8);
    if (against_other) made = against_arm(made, 1, which == 0 ? 0.25 * (draw(9) - 4) : 0);
    return draw(2) == 0 ? by_every_seed(made) : made;
  }

  int draw(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

  static constexpr int cases = 4000;
  std::mt19937_64 random_{1};
};

TEST_F(VerdictProperty, DoesNotDependOnTheOrderOfSeeds) {
  for (int i = 0; i < cases; ++i) {
    const Relation relation =
        std::array{Relation::above, Relation::between, Relation::present}[draw(3)];
    const ClaimTest made = test(relation, relation == Relation::above && draw(2) == 0);
    std::vector<SeedFigures> figures = seeds();
    const TestResult one = decide(made, figures);
    std::ranges::shuffle(figures, random_);
    const TestResult other = decide(made, figures);
    ASSERT_EQ(one.verdict, other.verdict);
    ASSERT_EQ(one.reason, other.reason);
    ASSERT_EQ(one.figure, other.figure);
    ASSERT_EQ(one.holds_in, other.holds_in);
  }
}

TEST_F(VerdictProperty, IsTheSameWithTheArmsExchangedAndAboveMadeBelow) {
  int decided = 0;
  for (int i = 0; i < cases; ++i) {
    const ClaimTest above = test(Relation::above, true);
    ClaimTest below = above;
    below.relation = Relation::below;
    below.by = -above.by;
    std::vector<SeedFigures> figures = seeds();
    const TestResult one = decide(above, figures);
    for (SeedFigures& seed : figures) std::swap(seed.figure, seed.other);
    const TestResult other = decide(below, figures);
    ASSERT_EQ(one.verdict, other.verdict) << one.reason << "; " << other.reason;
    ASSERT_EQ(one.holds_in, other.holds_in);
    decided += one.verdict == Verdict::not_decided ? 0 : 1;
  }
  EXPECT_GT(decided, cases / 10);
}

TEST_F(VerdictProperty, WhatIsSupportedContradictsItsOpposite) {
  int decided = 0;
  for (int i = 0; i < cases; ++i) {
    const ClaimTest above = test(Relation::above, draw(2) == 0);
    ClaimTest below = above;
    below.relation = Relation::below;
    const std::vector<SeedFigures> figures = seeds();
    const Verdict up = decide(above, figures).verdict, down = decide(below, figures).verdict;
    if (up == Verdict::supported) {
      ASSERT_EQ(down, Verdict::contradicted);
    }
    if (down == Verdict::supported) {
      ASSERT_EQ(up, Verdict::contradicted);
    }
    decided += up == Verdict::supported || down == Verdict::supported ? 1 : 0;
  }
  EXPECT_GT(decided, cases / 10);
}

TEST_F(VerdictProperty, IsNoneOfFewerThanThreeSeedsThatCanBeCompared) {
  for (int i = 0; i < cases; ++i) {
    const TestResult result = decide(test(Relation::above, draw(2) == 0), seeds());
    if (result.decided_in < least_seeds) {
      ASSERT_EQ(result.verdict, Verdict::not_decided);
    }
    ASSERT_LE(result.holds_in, result.decided_in);
    ASSERT_LE(result.decided_in, result.seeds.size());
    if (result.decided_in >= least_seeds && result.test.decided_by == DecidedBy::every_seed) {
      ASSERT_EQ(result.verdict,
                result.holds_in == result.decided_in ? Verdict::supported : Verdict::contradicted);
    }
  }
}

TEST_F(VerdictProperty, OfALowerBoundIsNoWeaker) {
  for (int i = 0; i < cases; ++i) {
    ClaimTest made = test(Relation::above, false);
    const std::vector<SeedFigures> figures = seeds();
    const Verdict high = decide(made, figures).verdict;
    made.low -= 0.25 * (1 + draw(4));
    const Verdict low = decide(made, figures).verdict;
    if (high == Verdict::supported) {
      ASSERT_EQ(low, Verdict::supported);
    }
    if (low == Verdict::contradicted) {
      ASSERT_EQ(high, Verdict::contradicted);
    }
  }
}

}  // namespace
}  // namespace lookback::study
