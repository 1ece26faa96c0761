#include "lookback/lens/losses.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "lookback/data/repeated_blocks.h"
#include "tests/lens/patterns.h"

namespace lookback::lens {
namespace {

TEST(Losses, HalvesAreOfTheSequenceNotOfThePredictions) {
  // T = 8: predictions are made at 0..6, the second half's at 4, 5, 6.
  const std::vector<float> losses{8, 6, 4, 2, 3, 2, 1};
  const LossScores scores = score_losses(losses, blocks(8, 4, {0, 4}), {}, in_context_positions(8));
  EXPECT_DOUBLE_EQ(scores.loss, 26.0 / 7);
  EXPECT_EQ(scores.first_half_loss, 5);
  EXPECT_EQ(scores.second_half_loss, 2);
  // early = round(50/512 8) = round(0.78) = 1, late = round(7.8) = 8, at most T - 2 = 6.
  EXPECT_EQ(scores.in_context_learning_score, 1 - 6);
}

TEST(Losses, ATwoTokenSequenceHasNoSecondHalf) {
  const LossScores scores =
      score_losses(std::vector<float>{3}, blocks(2, 1, {0, 1}), {}, in_context_positions(2));
  EXPECT_EQ(scores.loss, 3);
  EXPECT_EQ(scores.first_half_loss, 3);
  EXPECT_TRUE(std::isnan(scores.second_half_loss));
  EXPECT_TRUE(std::isnan(scores.answered_loss));
  EXPECT_EQ(scores.in_context_learning_score, 0);
}

TEST(Losses, AnsweredAreThoseOfTheSecondHalfThatLookingBackCanTell) {
  // Copies of three at 0, 4 and 8, gaps at 3, 7 and 11, T = 12: the answered predictions are made at
  // 4, 5 and 8, 9; the last tokens of copies and the gaps are not; the second half begins at 6.
  const std::vector<float> losses{50, 50, 50, 50, 1, 1, 50, 50, 2, 3, 50};
  EXPECT_EQ(score_losses(losses, blocks(12, 3, {0, 4, 8})).answered_loss, 2.5);
  // Without a gap each is: made at 6 .. 10.
  EXPECT_EQ(score_losses(losses, blocks(12, 3, {0, 3, 6, 9})).answered_loss, 31);
}

TEST(Losses, AreNotAnsweredInASecondHalfWithoutACopy) {
  const std::vector<float> losses{1, 1, 1, 1, 1};
  EXPECT_TRUE(std::isnan(score_losses(losses, blocks(6, 6, {0})).answered_loss));
}

TEST(Losses, InContextPositionsKeepTheLiteraturesProportions) {
  EXPECT_EQ(in_context_positions(512).early, 50U);
  EXPECT_EQ(in_context_positions(512).late, 500U);
  EXPECT_EQ(in_context_positions(256).early, 25U);
  EXPECT_EQ(in_context_positions(256).late, 250U);
  EXPECT_EQ(in_context_positions(384).early, 38U);  // 37.5
  EXPECT_EQ(in_context_positions(2).late, 0U);
}

TEST(Losses, AreWeighted) {
  const std::vector<float> losses{8, 6, 4, 2, 3, 2, 1};
  const std::vector<float> weights{0, 0, 0, 0, 3, 0, 1};
  const LossScores scores = score_losses(losses, blocks(8, 4, {0, 4}), weights);
  EXPECT_EQ(scores.loss, 2.5);
  EXPECT_TRUE(std::isnan(scores.first_half_loss));
  EXPECT_EQ(scores.second_half_loss, 2.5);
  EXPECT_EQ(scores.answered_loss, 2.5);
  std::vector<Tally> tallies;
  tally_by_occurrence(losses, weights, blocks(8, 4, {0, 4}).occurrence, tallies);
  ASSERT_EQ(tallies.size(), 2U);
  EXPECT_TRUE(std::isnan(tallies[0].mean()));
  EXPECT_EQ(tallies[1].mean(), 2.5);
}

TEST(Losses, WithoutPositionsToCompareThereIsNoInContextScore) {
  const std::vector<float> losses{8, 6, 4, 2, 3, 2, 1};
  EXPECT_TRUE(std::isnan(score_losses(losses, blocks(8, 4, {0, 4})).in_context_learning_score));
}

/// Whether a probe of `length` tokens with periods first .. last has an in-context learning score.
bool compares(data::BlockKind kind, std::size_t length, std::size_t first, std::size_t last) {
  data::BlockTask task;
  task.kind = kind;
  task.length = length;
  task.min_period = first;
  task.max_period = last;
  const auto probe = data::make_block_source(task);
  if (!probe) {
    ADD_FAILURE() << probe.error().message;
    return false;
  }
  return in_context_positions(**probe).has_value();
}

TEST(Losses, AreComparedOnlyWhereContextCanTellAtBothPositions) {
  using enum data::BlockKind;
  // T = 64 compares 6 and 62; periods from 4 on are in their second copy by 6.
  EXPECT_TRUE(compares(repeated_blocks, 64, 4, 20));
  EXPECT_TRUE(compares(unseen_period, 64, 4, 20));    // 2 and 3, and 21 to 32
  EXPECT_FALSE(compares(random_repeat, 64, 4, 20));   // 6 is always in the first copy
  EXPECT_FALSE(compares(broken_period, 64, 4, 20));   // 62 may be in a gap
  EXPECT_TRUE(compares(repeated_blocks, 64, 6, 20));  // 6 is the first position of the second copy
  EXPECT_FALSE(compares(repeated_blocks, 64, 7, 20));
  EXPECT_TRUE(compares(repeated_blocks, 256, 16, 48));  // 25 and 250
  EXPECT_FALSE(compares(random_repeat, 256, 16, 48));
  EXPECT_FALSE(compares(repeated_blocks, 4, 2, 2));  // 0 and 2
}

TEST(Losses, ByOccurrenceCountsTheCopyOfTheTarget) {
  // Copies of two at 0, 3 and 6, gaps at 2 and 5; targets are positions 1..6.
  const data::Structure structure = blocks(7, 2, {0, 3, 6});
  std::vector<Tally> tallies;
  tally_by_occurrence(std::vector<float>{1, 20, 2, 3, 30, 4}, {}, structure.occurrence, tallies);
  ASSERT_EQ(tallies.size(), 3U);
  EXPECT_EQ(tallies[0].mean(), 1);
  EXPECT_EQ(tallies[1].mean(), 2.5);
  EXPECT_EQ(tallies[2].mean(), 4);
  // A second sequence, of one copy and a half.
  tally_by_occurrence(std::vector<float>{3, 5, 7, 8.5}, {}, blocks(5, 3, {0, 3}).occurrence,
                      tallies);
  EXPECT_EQ(tallies[0].mean(), 3);         // 1, 3, 5
  EXPECT_EQ(tallies[1].mean(), 20.5 / 4);  // 2, 3, 7, 8.5
  EXPECT_EQ(tallies[2].mean(), 4);
}

}  // namespace
}  // namespace lookback::lens
