#include "lookback/lens/scores.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/lens/patterns.h"

namespace lookback::lens {
namespace {

/// Weights of patterns are floats: each is off by at most half of this times itself, and a row's
/// weights sum to 1, so a mean of masses is off by at most half of this too.
constexpr double rounding_of_weights = std::numeric_limits<float>::epsilon();

constexpr data::Offsets small_band{3, 5};

HeadScores scores_of_three_copies(const OwnPattern& pattern) {
  const SequenceQueries queries(tokens_mod(12, 4), three_copies_of_four(), small_band);
  return score_pattern(pattern.view(), queries);
}

TEST(HeadScores, PerfectInductionScoresOne) {
  const HeadScores scores =
      scores_of_three_copies(looking_at(12, [](std::size_t t) { return t < 4 ? t : t - 3; }));
  EXPECT_EQ(scores.induction_score, 1);
  EXPECT_EQ(scores.induction_stripe, 1);
  EXPECT_EQ(scores.duplicate_token_score, 0);
  EXPECT_EQ(scores.previous_token_score, 0);
  EXPECT_EQ(scores.entropy, 0);
  EXPECT_EQ(scores.band_share, 1);  // the offset is 3
}

TEST(HeadScores, LookingTwoCopiesBackIsInductionButNotOnTheStripe) {
  const HeadScores scores = scores_of_three_copies(looking_at(12, [](std::size_t t) {
    return t < 4 ? t : t < 8 ? t - 3 : t - 7;
  }));
  EXPECT_EQ(scores.induction_score, 1);
  // Queries 4..7 answer one copy back, 8..10 two.
  EXPECT_EQ(scores.induction_stripe, 4.0 / 7.0);
  EXPECT_EQ(scores.band_share, 4.0 / 7.0);
}

TEST(HeadScores, PreviousTokenPatternScoresOneWhereTheFirstCopyLies) {
  HeadScores scores =
      scores_of_three_copies(looking_at(12, [](std::size_t t) { return t == 0 ? 0 : t - 1; }));
  EXPECT_EQ(scores.previous_token_score, 1);
  EXPECT_EQ(scores.induction_score, 0);
  // What it does after position P = 4 does not count.
  scores = scores_of_three_copies(
      looking_at(12, [](std::size_t t) { return t == 0 || t > 4 ? 0 : t - 1; }));
  EXPECT_EQ(scores.previous_token_score, 1);
  scores = scores_of_three_copies(
      looking_at(12, [](std::size_t t) { return t == 0 || t == 4 ? 0 : t - 1; }));
  EXPECT_EQ(scores.previous_token_score, 3.0 / 4.0);
}

TEST(HeadScores, DuplicateTokenPatternScoresOne) {
  const HeadScores scores =
      scores_of_three_copies(looking_at(12, [](std::size_t t) { return t < 4 ? 0 : t - 4; }));
  EXPECT_EQ(scores.duplicate_token_score, 1);
  EXPECT_EQ(scores.induction_score, 0);
  EXPECT_EQ(scores.band_share, 1);  // the offset is 4
}

TEST(HeadScores, UniformAttentionScoresChance) {
  const HeadScores scores = scores_of_three_copies(uniform_pattern(12));
  // Queries 4..7 have one source of t + 1, queries 8..10 two. (11 predicts nothing.)
  const double chance = (1.0 / 5 + 1.0 / 6 + 1.0 / 7 + 1.0 / 8 + 2.0 / 9 + 2.0 / 10 + 2.0 / 11) / 7;
  EXPECT_NEAR(scores.induction_chance, chance, 8 * std::numeric_limits<double>::epsilon());
  EXPECT_NEAR(scores.induction_score, chance, rounding_of_weights);
  double entropy = 0;
  for (std::size_t t = 1; t < 12; ++t) entropy += std::log(static_cast<double>(t + 1)) / 11;
  // d(-p ln p) = -(1 + ln p) dp, |1 + ln p| < 2 here; and the logarithm's own rounding, below 2.5.
  EXPECT_NEAR(scores.entropy, entropy, 4.5 * rounding_of_weights);
}

TEST(HeadScores, TheFirstCopyAndTheLastPositionAreNoQueriesOfTheRepeatedPart) {
  const OwnPattern induction =
      looking_at(12, [](std::size_t t) { return t < 4 || t == 11 ? 0 : t - 3; });
  EXPECT_EQ(scores_of_three_copies(induction).induction_score, 1);
}

TEST(HeadScores, ATokenTwiceInARowMakesTheQueryItselfASource) {
  // x = 7 7 7 7: from t, the sources with x_{s-1} = 7 are 1..t.
  const SequenceQueries queries({{7, 7, 7, 7}}, blocks(4, 1, {0, 1, 2, 3}), small_band);
  ASSERT_EQ(queries.repeated().size(), 2U);
  const HeadScores scores =
      score_pattern(looking_at(4, [](std::size_t t) { return t; }).view(), queries);
  EXPECT_EQ(scores.induction_score, 1);
  EXPECT_EQ(scores.duplicate_token_score, 0);
}

TEST(HeadScores, WithoutQueriesInTheRepeatedPartItsScoresAreNotANumber) {
  const SequenceQueries queries(tokens_mod(4, 4), blocks(4, 4, {0}), small_band);
  const HeadScores scores = score_pattern(uniform_pattern(4).view(), queries);
  for (const HeadMeasure& measure : head_measures()) {
    EXPECT_EQ(std::isnan(scores.*measure.value), measure.over_repeated_part) << measure.name;
  }
}

TEST(HeadScores, WithSeveralAnswersTheStripeIsTheMassOnAllOfThem) {
  data::Structure structure(6);
  structure.add_answer(3, 1);
  structure.add_answer(3, 2);
  structure.add_answer(4, 4);
  const SequenceQueries queries({{9, 8, 9, 9, 8, 8}}, structure, std::nullopt);
  ASSERT_EQ(queries.repeated().size(), 2U);
  const HeadScores scores = score_pattern(uniform_pattern(6).view(), queries);
  EXPECT_NEAR(scores.induction_stripe, (2.0 / 4 + 1.0 / 5) / 2, rounding_of_weights);
  EXPECT_TRUE(std::isnan(scores.band_share));  // nothing to make a habit of
}

TEST(HeadScores, WithRandomGapsNoFixedOffsetIsInduction) {
  const auto probe = small_probe(data::BlockKind::broken_period);
  ASSERT_NE(probe, nullptr);
  double fixed = 0;
  for (std::size_t index = 0; index < 8; ++index) {
    const data::BlockStructure structure = probe->blocks(index);
    const SequenceQueries queries(probe->sequence(index), structure.plain(), small_band);
    const auto at_answer = [&](std::size_t t) { return structure.answer(t).value_or(t); };
    EXPECT_EQ(score_pattern(looking_at(48, at_answer).view(), queries).induction_stripe, 1);
    const auto one_period_back = [&](std::size_t t) {
      return t + 1 < structure.period ? t : t + 1 - structure.period;
    };
    fixed += score_pattern(looking_at(48, one_period_back).view(), queries).induction_stripe;
  }
  EXPECT_EQ(fixed, 0);  // gaps are never empty
}

/// Every score by the words of its definition: all pairs, one formula.
HeadScores by_definition(const OwnPattern& own, const std::vector<data::Token>& x,
                         const data::BlockStructure& structure, data::Offsets band) {
  const math::Matrix<const float> a = own.view();
  HeadScores sum;
  double queries = 0;
  for (std::size_t t = 0; t < x.size(); ++t) {
    if (!structure.answer(t)) continue;
    ++queries;
    for (std::size_t s = 0; s <= t; ++s) {
      const double mass = a(t, s);
      const bool induction = s >= 1 && x[s - 1] == x[t];
      if (induction) sum.induction_score += mass;
      if (induction) sum.induction_chance += 1.0 / static_cast<double>(t + 1);
      if (s == *structure.answer(t)) sum.induction_stripe += mass;
      if (s < t && x[s] == x[t]) sum.duplicate_token_score += mass;
      if (t - s >= band.first && t - s <= band.last) sum.band_share += mass;
    }
  }
  for (const HeadMeasure& measure : head_measures()) sum.*measure.value /= queries;
  const std::size_t n = std::min(structure.period, x.size() - 1);
  for (std::size_t t = 1; t <= n; ++t) {
    sum.previous_token_score += static_cast<double>(a(t, t - 1)) / static_cast<double>(n);
  }
  for (std::size_t t = 1; t < x.size(); ++t) {
    for (std::size_t s = 0; s <= t; ++s) {
      const double p = a(t, s);
      sum.entropy -= p * std::log(p) / static_cast<double>(x.size() - 1);
    }
  }
  return sum;
}

class ScoresOfProbe : public testing::TestWithParam<data::BlockKind> {};

TEST_P(ScoresOfProbe, AgreeWithTheirDefinitions) {
  const auto probe = small_probe(GetParam());
  ASSERT_NE(probe, nullptr);
  for (std::size_t index = 0; index < 8; ++index) {
    const auto tokens = probe->sequence(index);
    const data::BlockStructure structure = probe->blocks(index);
    const data::Offsets band{4, 8};
    const OwnPattern pattern = random_pattern(48, index);
    const HeadScores found = score_pattern(pattern.view(), {tokens, structure.plain(), band});
    const HeadScores expected = by_definition(pattern, tokens, structure, band);
    // Two orders of a sum of at most 48 * 48 terms whose magnitudes sum to at most 48.
    const double order = 48 * 48 * std::numeric_limits<double>::epsilon();
    for (const HeadMeasure& measure : head_measures()) {
      // The entropy's logarithms, at most ln 4800 < 9, are floats.
      const bool entropy = measure.name == "entropy";
      EXPECT_NEAR(found.*measure.value, expected.*measure.value,
                  entropy ? 9 * rounding_of_weights : order)
          << measure.name << " of sequence " << index;
    }
    EXPECT_LE(found.induction_stripe, found.induction_score + order);
  }
}

INSTANTIATE_TEST_SUITE_P(AllKinds, ScoresOfProbe,
                         testing::Values(data::BlockKind::repeated_blocks,
                                         data::BlockKind::unseen_period,
                                         data::BlockKind::broken_period,
                                         data::BlockKind::random_repeat));

}  // namespace
}  // namespace lookback::lens
