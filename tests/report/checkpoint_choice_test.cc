#include "lookback/report/checkpoint_choice.h"

#include <gtest/gtest.h>

#include <numeric>

namespace lookback::report {
namespace {

using Chosen = std::vector<std::vector<std::size_t>>;

/// Two arms with three seeds of so many checkpoints.
std::vector<CheckpointList> two_arms(std::size_t count) {
  std::vector<CheckpointList> runs;
  for (const std::size_t arm : {std::size_t{0}, std::size_t{1}}) {
    for (std::uint64_t seed = 0; seed < 3; ++seed) runs.push_back({arm, seed, count});
  }
  return runs;
}

const std::vector<CheckpointBytes> ten_each = {{10, 10}, {10, 10}};

std::vector<std::size_t> sizes(const Chosen& chosen) {
  std::vector<std::size_t> all;
  for (const auto& run : chosen) all.push_back(run.size());
  return all;
}

TEST(ChooseCheckpoints, TakesAllWhereTheyFit) {
  const Chosen chosen = choose_checkpoints(two_arms(50), ten_each, {3000, 3000});
  EXPECT_EQ(sizes(chosen), (std::vector<std::size_t>(6, 50)));
}

TEST(ChooseCheckpoints, ThinsEvenlyAndKeepsTheFirstAndTheLast) {
  const Chosen chosen = choose_checkpoints(two_arms(50), ten_each, {1800, 3000});
  ASSERT_EQ(sizes(chosen), (std::vector<std::size_t>(6, 26)));
  EXPECT_EQ(chosen[0][0], 0U);
  EXPECT_EQ(chosen[0][1], 2U);
  EXPECT_EQ(chosen[0][24], 48U);
  EXPECT_EQ(chosen[0][25], 49U);
}

TEST(ChooseCheckpoints, GivesUpTheLargestSeedsBeforeTheSliderHasFewStops) {
  const Chosen chosen = choose_checkpoints(two_arms(50), ten_each, {1100, 3000});
  EXPECT_EQ(sizes(chosen), (std::vector<std::size_t>{26, 26, 0, 26, 26, 0}));
}

TEST(ChooseCheckpoints, GivesTheRoomOfTheSeedsToTheStops) {
  const Chosen chosen = choose_checkpoints(two_arms(50), ten_each, {1000, 3000});
  EXPECT_EQ(sizes(chosen), (std::vector<std::size_t>{50, 0, 0, 50, 0, 0}));
}

TEST(ChooseCheckpoints, ThinsOneSeedFurtherWhereItMust) {
  const Chosen chosen = choose_checkpoints(two_arms(50), ten_each, {3000, 100});
  EXPECT_EQ(sizes(chosen), (std::vector<std::size_t>{5, 0, 0, 5, 0, 0}));
}

TEST(ChooseCheckpoints, ShowsTheLastOfTheArmsThatFit) {
  const std::vector<CheckpointBytes> unlike = {{80, 1}, {10, 1}};
  const std::vector<CheckpointList> runs = {{0, 0, 5}, {0, 1, 5}, {1, 0, 5}};
  EXPECT_EQ(choose_checkpoints(runs, unlike, {85, 100}), (Chosen{{4}, {}, {}}));
  EXPECT_EQ(choose_checkpoints(runs, unlike, {60, 100}), (Chosen{{}, {}, {0, 1, 2, 3, 4}}));
}

TEST(ChooseCheckpoints, NeverTakesMoreThanFits) {
  for (std::size_t limit = 0; limit < 1500; limit += 7) {
    const Chosen chosen = choose_checkpoints(two_arms(33), ten_each, {limit, 700});
    const std::vector<std::size_t> counts = sizes(chosen);
    const std::size_t all = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
    EXPECT_LE(10 * all, std::min<std::size_t>(limit, 700)) << limit;
  }
}

TEST(ChooseCheckpoints, ChoosesNoneOfAnArmThatHasNothingToShow) {
  const Chosen chosen =
      choose_checkpoints(two_arms(3), std::vector<CheckpointBytes>{{0, 0}, {1, 0}}, {100, 100});
  EXPECT_EQ(sizes(chosen), (std::vector<std::size_t>{0, 0, 0, 3, 3, 3}));
  EXPECT_EQ(sizes(choose_checkpoints({}, {}, {})), std::vector<std::size_t>());
}

TEST(ChooseCheckpoints, ThinsEachRunByItself) {
  const std::vector<CheckpointList> runs = {{0, 0, 50}, {1, 0, 4}, {1, 1, 0}};
  const Chosen chosen = choose_checkpoints(runs, ten_each, {310, 1000});
  EXPECT_EQ(sizes(chosen), (std::vector<std::size_t>{26, 3, 0}));
  EXPECT_EQ(chosen[1], (std::vector<std::size_t>{0, 2, 3}));
}

}  // namespace
}  // namespace lookback::report
