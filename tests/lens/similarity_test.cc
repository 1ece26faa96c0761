#include "lookback/lens/similarity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/lens/patterns.h"

namespace lookback::lens {
namespace {

/// Products and norms of at most T = 16 terms in double.
constexpr double similarity_rounding = 4 * 16 * std::numeric_limits<double>::epsilon();

TEST(HeadSimilarity, IsOneForEqualAndZeroForDisjointPatterns) {
  HeadSimilarity similarity(3, 16);
  similarity.add(looking_at(16, [](std::size_t t) { return t; }).view());
  similarity.add(looking_at(16, [](std::size_t t) { return t; }).view());
  similarity.add(looking_at(16, [](std::size_t t) { return t == 0 ? 0 : t - 1; }).view());
  ASSERT_EQ(similarity.pairs().size(), 3U);
  EXPECT_EQ(similarity.pairs()[0], 1);  // (0, 1)
  EXPECT_EQ(similarity.pairs()[1], 0);  // (0, 2)
  EXPECT_EQ(similarity.pairs()[2], 0);  // (1, 2)
}

TEST(HeadSimilarity, IsTheMeanOfTheRowsCosines) {
  const OwnPattern a = random_pattern(16, 0);
  const OwnPattern b = random_pattern(16, 1);
  HeadSimilarity similarity(2, 16);
  similarity.add(uniform_pattern(16).view());
  similarity.start();  // forgets it
  similarity.add(a.view());
  similarity.add(b.view());
  double expected = 0;
  for (std::size_t t = 1; t < 16; ++t) {
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (std::size_t s = 0; s <= t; ++s) {
      const double x = a.view()(t, s);
      const double y = b.view()(t, s);
      ab += x * y;
      aa += x * x;
      bb += y * y;
    }
    expected += ab / std::sqrt(aa * bb) / 15;
  }
  ASSERT_EQ(similarity.pairs().size(), 1U);
  EXPECT_NEAR(similarity.pairs()[0], expected, similarity_rounding);
}

TEST(HeadSimilarity, AnAblatedPatternIsLikeNothing) {
  HeadSimilarity similarity(2, 16);
  similarity.add(OwnPattern(16).view());
  similarity.add(uniform_pattern(16).view());
  EXPECT_EQ(similarity.pairs()[0], 0);
}

}  // namespace
}  // namespace lookback::lens
