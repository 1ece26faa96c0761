// Each kind of its own: what it draws and what it refuses.
#include "lookback/data/repeated_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/base/chi_square.h"
#include "tests/data/block_sources.h"

namespace lookback::data {
namespace {

using test::chi_square;
using test::chi_square_limit;

std::map<std::size_t, std::size_t> period_counts(const BlockSource& source, std::uint64_t draws) {
  std::map<std::size_t, std::size_t> counts;
  for (std::uint64_t i = 0; i < draws; ++i) ++counts[source.blocks(i).period];
  return counts;
}

/// Every period of `expected` and no other, each as often as the others.
void expect_uniform(const BlockSource& source, const std::vector<std::size_t>& expected) {
  auto counts = period_counts(source, 200 * expected.size());
  std::vector<std::size_t> observed;
  observed.reserve(expected.size());
  for (const std::size_t period : expected) observed.push_back(counts[period]);
  EXPECT_EQ(counts.size(), expected.size());
  EXPECT_LT(chi_square(observed, 200.0), chi_square_limit(expected.size() - 1));
}

std::vector<std::size_t> range(std::size_t first, std::size_t last) {
  std::vector<std::size_t> result(last - first + 1);
  std::iota(result.begin(), result.end(), first);
  return result;
}

TEST(RepeatedBlocks, PeriodsAreUniform) {
  expect_uniform(*made(BlockKind::repeated_blocks), range(16, 48));
}

TEST(RepeatedBlocks, TheTokenIsThatOfTheBlock) {
  const auto source = made(BlockKind::repeated_blocks);
  for (std::uint64_t i = 0; i < some_sequences; ++i) {
    const auto tokens = source->sequence(i);
    const std::size_t period = source->blocks(i).period;
    for (std::size_t t = 0; t < tokens.size(); ++t) ASSERT_EQ(tokens[t], tokens[t % period]);
  }
}

TEST(RepeatedBlocks, TheAnswerLiesOnePeriodBack) {
  const auto source = made(BlockKind::repeated_blocks);
  for (std::uint64_t i = 0; i < 50; ++i) {
    const BlockStructure structure = source->blocks(i);
    for (std::size_t t = 0; t < structure.length; ++t) {
      const bool repeated = t >= structure.period && t + 1 < structure.length;
      const auto expected = repeated ? std::optional(t - structure.period + 1) : std::nullopt;
      ASSERT_EQ(structure.answer(t), expected) << t;
    }
  }
}

TEST(RepeatedBlocks, APeriodOfOneIsOneToken) {
  BlockTask task;
  task.length = 4;
  task.min_period = task.max_period = 1;
  const auto source = made(task);
  const auto tokens = source->sequence(0);
  EXPECT_EQ(std::set<Token>(tokens.begin(), tokens.end()).size(), 1u);
  EXPECT_EQ(source->blocks(0).answer(1), 1u);  // itself: x_0 = x_1, and x_1 comes next
}

TEST(UnseenPeriod, PeriodsLieOutsideTheTrainedOnes) {
  std::vector<std::size_t> expected = range(8, 15);
  for (const std::size_t period : range(49, 96)) expected.push_back(period);
  expect_uniform(*made(BlockKind::unseen_period), expected);
}

TEST(UnseenPeriod, PeriodsThatDoNotFitTwiceAreLeftOut) {
  BlockTask task;
  task.kind = BlockKind::unseen_period;
  task.length = 101;
  std::vector<std::size_t> expected = range(8, 15);
  expected.push_back(49);
  expected.push_back(50);
  const auto source = made(task);
  expect_uniform(*source, expected);
  EXPECT_EQ(source->profile().description,
            "unseen-period: T = 101, V = 256, periods 8..15 and 49..50");
  task.length = 64;
  expect_uniform(*made(task), range(8, 15));
}

TEST(BrokenPeriod, PeriodsAreUniform) {
  expect_uniform(*made(BlockKind::broken_period), range(16, 48));
}

TEST(BrokenPeriod, GapsAreUniformFromOneToThePeriod) {
  BlockTask task;
  task.kind = BlockKind::broken_period;
  task.min_period = task.max_period = 20;
  const auto source = made(task);
  std::vector<std::size_t> counts(20);
  std::size_t total = 0;
  // Of the first gap of each sequence: which later ones still fit depends on their lengths.
  for (std::uint64_t i = 0; i < 4000; ++i, ++total) {
    const BlockStructure structure = source->blocks(i);
    const std::size_t gap = structure.starts.at(1) - structure.period;
    ASSERT_GE(gap, 1u);
    ASSERT_LE(gap, 20u);
    ++counts[gap - 1];
    for (std::size_t copy = 1; copy < structure.starts.size(); ++copy) {
      const std::size_t distance = structure.starts[copy] - structure.starts[copy - 1];
      ASSERT_GE(distance, 21u);
      ASSERT_LE(distance, 40u);
    }
  }
  EXPECT_LT(chi_square(counts, static_cast<double>(total) / 20.0), chi_square_limit(19));
}

TEST(BrokenPeriod, GapsAreFilledUniformly) {
  BlockTask task;
  task.kind = BlockKind::broken_period;
  task.vocabulary = 16;
  const auto source = made(task);
  std::vector<std::size_t> counts(16);
  std::size_t total = 0;
  for (std::uint64_t i = 0; i < some_sequences; ++i) {
    const auto tokens = source->sequence(i);
    const BlockStructure structure = source->blocks(i);
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      if (structure.occurrence(t)) continue;
      ++counts[tokens[t]];
      ++total;
    }
  }
  EXPECT_GT(total, 10000u);
  EXPECT_LT(chi_square(counts, static_cast<double>(total) / 16.0), chi_square_limit(15));
}

// What the probe is for: a head that looks back a fixed distance is right as often as chance says.
TEST(BrokenPeriod, NoFixedOffsetIsRightOften) {
  const auto source = made(BlockKind::broken_period);
  std::map<std::size_t, std::size_t> offsets;
  std::size_t total = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const BlockStructure structure = source->blocks(i);
    for (std::size_t t = 0; t < structure.length; ++t) {
      if (const auto s = structure.answer(t)) {
        ++offsets[t - *s];
        ++total;
      }
    }
  }
  // The distance of two copies is uniform on P+1..2P, so each is right with at most 1/P <= 1/16.
  for (const auto& [offset, count] : offsets) {
    EXPECT_LT(static_cast<double>(count) / static_cast<double>(total), 1.0 / 16.0) << offset;
  }
}

TEST(BrokenPeriod, WhatFollowsACopyCannotBeKnown) {
  const auto source = made(BlockKind::broken_period);
  for (std::uint64_t i = 0; i < 50; ++i) {
    const BlockStructure structure = source->blocks(i);
    for (const std::size_t start : structure.starts) {
      const std::size_t last = start + structure.period - 1;
      EXPECT_FALSE(structure.answer(last)) << "the gap's first token is random";
      if (start > 0) {
        EXPECT_FALSE(structure.answer(start - 1)) << "where a gap ends is random";
      }
    }
  }
}

TEST(RandomRepeat, IsOneHalfTwice) {
  const auto source = made(BlockKind::random_repeat);
  for (std::uint64_t i = 0; i < some_sequences; ++i) {
    const auto tokens = source->sequence(i);
    ASSERT_TRUE(std::equal(tokens.begin(), tokens.begin() + 128, tokens.begin() + 128));
    const BlockStructure structure = source->blocks(i);
    EXPECT_EQ(structure.period, 128u);
    EXPECT_EQ(structure.starts, (std::vector<std::size_t>{0, 128}));
    EXPECT_EQ(structure.answer(128), 1u);
    EXPECT_EQ(structure.answer(127), std::nullopt);
    EXPECT_EQ(structure.answer(255), std::nullopt);
  }
}

// A structure made by hand: two copies touch, a gap follows, then two touch again.
TEST(BlockStructure, TheLastTokenOfACopyHasAnAnswerOnlyWhenCopiesTouchedBefore) {
  const BlockStructure structure{20, 3, {0, 3, 6, 11, 14}};
  EXPECT_EQ(structure.answer(2), std::nullopt);   // first copy
  EXPECT_EQ(structure.answer(5), 3u);             // touches, and the first touched the second
  EXPECT_EQ(structure.answer(8), std::nullopt);   // a gap follows
  EXPECT_EQ(structure.answer(9), std::nullopt);   // in the gap
  EXPECT_EQ(structure.answer(10), std::nullopt);  // in the gap, before a copy
  EXPECT_EQ(structure.answer(11), 7u);
  EXPECT_EQ(structure.answer(13), std::nullopt);  // touches, but one copy earlier a gap followed
  EXPECT_EQ(structure.answer(14), 12u);
  EXPECT_EQ(structure.occurrence(10), std::nullopt);
  EXPECT_EQ(structure.occurrence(16), 4u);
  EXPECT_EQ(structure.occurrence(17), std::nullopt);
}

BlockTask task_of(BlockKind kind, std::size_t length, std::size_t min, std::size_t max) {
  BlockTask task;
  task.kind = kind;
  task.length = length;
  task.min_period = min;
  task.max_period = max;
  return task;
}

TEST(MakeBlockSource, RefusesWhatDoesNotFit) {
  const auto refused = [](const BlockTask& task, const std::string& reason) {
    const auto source = make_block_source(task);
    ASSERT_FALSE(source) << reason;
    EXPECT_EQ(source.error().message.find(name_of(task.kind) + ": found "), 0u);
    EXPECT_NE(source.error().message.find(reason), std::string::npos) << source.error().message;
  };
  const std::size_t largest = ~std::size_t{0};
  for (const BlockKind kind : all_kinds) {
    BlockTask task;
    task.kind = kind;
    for (const std::size_t vocabulary : {std::size_t{0}, std::size_t{1}, largest}) {
      task.vocabulary = vocabulary;
      refused(task, "a vocabulary of " + std::to_string(vocabulary));
    }
    for (const std::size_t length : {std::size_t{0}, std::size_t{1}, largest}) {
      refused(task_of(kind, length, 1, 1), "a length of " + std::to_string(length));
    }
    if (kind == BlockKind::random_repeat) continue;
    refused(task_of(kind, 256, 0, 48), "periods from 0 to 48");
    refused(task_of(kind, 256, 48, 16), "periods from 48 to 16");
    refused(task_of(kind, 256, 16, largest), "periods from 16");
  }
  refused(task_of(BlockKind::repeated_blocks, 95, 16, 48), "allowed at least 96");
  refused(task_of(BlockKind::broken_period, 143, 16, 48), "allowed at least 144");
  refused(task_of(BlockKind::unseen_period, 15, 16, 48), "no period outside 16..48");
  refused(task_of(BlockKind::unseen_period, 3, 1, 1), "no period outside 1");
  refused(task_of(BlockKind::random_repeat, 255, 16, 48), "an even one");
}

TEST(MakeBlockSource, AcceptsWhatJustFits) {
  EXPECT_TRUE(make_block_source(task_of(BlockKind::repeated_blocks, 96, 16, 48)));
  EXPECT_TRUE(make_block_source(task_of(BlockKind::broken_period, 144, 16, 48)));
  EXPECT_TRUE(make_block_source(task_of(BlockKind::unseen_period, 16, 16, 48)));
  EXPECT_TRUE(make_block_source(task_of(BlockKind::unseen_period, 4, 1, 1)));
  EXPECT_TRUE(make_block_source(task_of(BlockKind::random_repeat, 2, 0, 0)));
  BlockTask whole;
  whole.vocabulary = std::size_t{1} << 32;
  EXPECT_TRUE(make_block_source(whole));
}

TEST(MakeBlockSource, DescribesWhatIsDrawn) {
  EXPECT_EQ(made(BlockKind::repeated_blocks)->profile().description,
            "repeated-blocks: T = 256, V = 256, periods 16..48");
  EXPECT_EQ(made(BlockKind::unseen_period)->profile().description,
            "unseen-period: T = 256, V = 256, periods 8..15 and 49..96");
  EXPECT_EQ(made(BlockKind::broken_period)->profile().description,
            "broken-period: T = 256, V = 256, periods 16..48, gaps of 1 to a period");
  EXPECT_EQ(made(BlockKind::random_repeat)->profile().description,
            "random-repeat: T = 256, V = 256, periods 128");
}

}  // namespace
}  // namespace lookback::data
