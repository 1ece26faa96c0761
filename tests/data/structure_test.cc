#include "lookback/data/structure.h"

#include <gtest/gtest.h>

#include <vector>

namespace lookback::data {
namespace {

std::vector<Position> answers(const Structure& structure, std::size_t t) {
  const auto found = structure.answers(t);
  return {found.begin(), found.end()};
}

TEST(Structure, OfNothingAnswersNothing) {
  const Structure structure(4);
  EXPECT_EQ(structure.length(), 4U);
  EXPECT_EQ(structure.opening, 4U);
  for (std::size_t t = 0; t < 4; ++t) {
    EXPECT_FALSE(structure.is_answered(t));
    EXPECT_FALSE(structure.occurrence[t]);
  }
}

TEST(Structure, KeepsTheAnswersOfEachPrediction) {
  Structure structure(8);
  structure.add_answer(2, 1);
  structure.add_answer(5, 0);
  structure.add_answer(5, 3);
  structure.add_answer(6, 6);
  const std::vector<std::vector<Position>> expected = {{}, {}, {1}, {}, {}, {0, 3}, {6}, {}};
  for (std::size_t t = 0; t < 8; ++t) {
    EXPECT_EQ(answers(structure, t), expected[t]) << t;
    EXPECT_EQ(structure.is_answered(t), !expected[t].empty()) << t;
  }
}

}  // namespace
}  // namespace lookback::data
