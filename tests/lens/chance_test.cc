// Chance levels, against the closed forms that a sequence of copies without gap allows.
#include "lookback/lens/chance.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lookback::lens {
namespace {

/// One random half twice: P = T/2.
std::unique_ptr<data::BlockSource> random_repeat(std::size_t length) {
  data::BlockTask task;
  task.kind = data::BlockKind::random_repeat;
  task.length = length;
  task.vocabulary = 1U << 30U;  // no token twice by chance, or hardly ever
  auto source = data::make_block_source(task);
  return source ? std::move(*source) : nullptr;
}

TEST(Chance, IsTheScoreOfAttendingToEverythingAlike) {
  constexpr std::size_t length = 64;
  const auto probe = random_repeat(length);
  ASSERT_TRUE(probe);
  const HeadScores chance = chance_scores(*probe, 3);
  // Queries of R: 32 .. 62, each with one source of t + 1.
  double induction = 0;
  for (std::size_t t = 32; t <= 62; ++t) induction += 1.0 / static_cast<double>(t + 1) / 31;
  double previous = 0;
  for (std::size_t t = 1; t <= 32; ++t) previous += 1.0 / static_cast<double>(t + 1) / 32;
  double entropy = 0;
  for (std::size_t t = 1; t < length; ++t) entropy += std::log(static_cast<double>(t + 1)) / 63;
  // A float's rounding of 1 / (t + 1), summed over at most T terms.
  const double tolerance = 64 * std::ldexp(1.0, -24);
  EXPECT_NEAR(chance.induction_score, induction, tolerance);
  EXPECT_NEAR(chance.induction_stripe, induction, tolerance);
  EXPECT_NEAR(chance.induction_chance, induction, tolerance);
  EXPECT_NEAR(chance.duplicate_token_score, induction, tolerance);
  EXPECT_NEAR(chance.previous_token_score, previous, tolerance);
  EXPECT_NEAR(chance.entropy, entropy, 64 * tolerance);
}

TEST(Chance, OfTheInductionScoreIsWhatEvaluationCallsChance) {
  const auto source = data::make_block_source({.seed = 3});
  ASSERT_TRUE(source);
  const HeadScores chance = chance_scores(**source, 8);
  EXPECT_NEAR(chance.induction_score, chance.induction_chance, 256 * std::ldexp(1.0, -24));
}

}  // namespace
}  // namespace lookback::lens
