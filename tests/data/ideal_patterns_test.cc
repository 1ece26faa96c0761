#include "lookback/data/ideal_patterns.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <vector>

#include "tests/data/block_sources.h"

namespace lookback::data {
namespace {

using Rows = std::vector<std::vector<float>>;

/// In memory that held something else before, and with a stride beyond its width.
Rows pattern_of(IdealPattern kind, const std::vector<Token>& tokens) {
  const std::size_t length = tokens.size();
  std::vector<float> numbers(length * (length + 3), 7.0F);
  ideal_pattern(kind, tokens, {numbers.data(), length, length, length + 3});
  Rows rows;
  for (std::size_t t = 0; t < length; ++t) {
    const float* row = numbers.data() + t * (length + 3);
    rows.emplace_back(row, row + length);
    EXPECT_EQ(row[length], 7.0F) << "written beyond the row";
  }
  return rows;
}

TEST(IdealPattern, OfAPreviousTokenHeadIsOneStepBack) {
  EXPECT_EQ(pattern_of(IdealPattern::previous_token, {5, 5, 5, 5}),
            (Rows{{1, 0, 0, 0}, {1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}));
}

TEST(IdealPattern, OfAnInductionHeadIsWhatFollowedTheQuerysToken) {
  EXPECT_EQ(pattern_of(IdealPattern::matching, {1, 2, 1, 3, 1}), (Rows{{1, 0, 0, 0, 0},
                                                                       {0, 1, 0, 0, 0},
                                                                       {0, 1, 0, 0, 0},
                                                                       {0, 0, 0, 1, 0},
                                                                       {0, 0.5F, 0, 0.5F, 0}}));
}

TEST(IdealPattern, OfAnInductionHeadIncludesTheQueryItselfWhereItsTokenCameJustBefore) {
  EXPECT_EQ(pattern_of(IdealPattern::matching, {4, 4, 4}),
            (Rows{{1, 0, 0}, {0, 1, 0}, {0, 0.5F, 0.5F}}));
}

TEST(IdealPattern, OfADuplicateTokenHeadIsWhereTheTokenWas) {
  EXPECT_EQ(pattern_of(IdealPattern::duplicate_token, {1, 2, 1, 3, 1}),
            (Rows{{1, 0, 0, 0, 0},
                  {0, 1, 0, 0, 0},
                  {1, 0, 0, 0, 0},
                  {0, 0, 0, 1, 0},
                  {0.5F, 0, 0.5F, 0, 0}}));
}

TEST(IdealPattern, OfOneTokenIsItself) {
  for (const IdealPattern kind :
       {IdealPattern::previous_token, IdealPattern::matching, IdealPattern::duplicate_token}) {
    EXPECT_EQ(pattern_of(kind, {9}), (Rows{{1}}));
  }
}

TEST(IdealPattern, HasCausalRowsThatSumToOne) {
  const auto source = made(BlockKind::repeated_blocks);
  ASSERT_NE(source, nullptr);
  for (const IdealPattern kind :
       {IdealPattern::previous_token, IdealPattern::matching, IdealPattern::duplicate_token}) {
    const Rows rows = pattern_of(kind, source->sequence(0));
    for (std::size_t t = 0; t < rows.size(); ++t) {
      double sum = 0;
      for (std::size_t s = 0; s < rows.size(); ++s) {
        EXPECT_TRUE(s <= t || rows[t][s] == 0.0F);
        sum += static_cast<double>(rows[t][s]);
      }
      // At most 256 quotients 1 / n, each rounded once: relative error epsilon / 2 of the sum.
      EXPECT_NEAR(sum, 1, std::numeric_limits<float>::epsilon() / 2);
    }
  }
}

TEST(IdealPattern, OfAnInductionHeadHoldsTheAnswerOfEveryRepeatedQuery) {
  const auto source = made(BlockKind::broken_period);
  ASSERT_NE(source, nullptr);
  const Rows rows = pattern_of(IdealPattern::matching, source->sequence(3));
  const BlockStructure structure = source->blocks(3);
  for (std::size_t t = 0; t < rows.size(); ++t) {
    const auto answer = structure.answer(t);
    if (!answer) continue;
    EXPECT_GT(rows[t][*answer], 0.0F) << t;
  }
}

}  // namespace
}  // namespace lookback::data
