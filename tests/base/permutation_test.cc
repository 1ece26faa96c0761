#include "lookback/base/permutation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace lookback::base {
namespace {

std::vector<std::uint64_t> order_of(const Permutation& permutation) {
  std::vector<std::uint64_t> order;
  for (std::uint64_t place = 0; place < permutation.size(); ++place) {
    order.push_back(permutation(place));
  }
  return order;
}

TEST(Permutation, OfAnySizeHoldsEverythingOnce) {
  for (const std::uint64_t size : {1, 2, 3, 4, 5, 16, 17, 64, 65, 1000, 4097}) {
    std::vector<std::uint64_t> order = order_of(Permutation(size, 7, 3));
    std::ranges::sort(order);
    for (std::uint64_t i = 0; i < size; ++i) ASSERT_EQ(order[i], i) << "size " << size;
  }
}

TEST(Permutation, IsAFunctionOfSeedAndIndex) {
  const auto order = order_of(Permutation(1000, 1, 0));
  EXPECT_EQ(order, order_of(Permutation(1000, 1, 0)));
  EXPECT_NE(order, order_of(Permutation(1000, 2, 0)));
  EXPECT_NE(order, order_of(Permutation(1000, 1, 1)));
}

// Of the places that one thing takes over many indices, each is as likely: a chi-square of 15 degrees
// lies below 37.7 in 999 of 1000 cases.
TEST(Permutation, SendsAThingToEveryPlaceAlike) {
  constexpr std::uint64_t size = 16, draws = 16'000;
  for (const std::uint64_t place : {0, 7, 15}) {
    std::vector<double> counts(size);
    for (std::uint64_t index = 0; index < draws; ++index) {
      counts[Permutation(size, 11, index)(place)] += 1;
    }
    double chi_square = 0;
    for (const double count : counts) {
      const double expected = static_cast<double>(draws) / size;
      chi_square += (count - expected) * (count - expected) / expected;
    }
    EXPECT_LT(chi_square, 37.7) << "place " << place;
  }
}

// As many neighbours stay neighbours as in a random order: about two, Poisson.
TEST(Permutation, PartsNeighbours) {
  const auto order = order_of(Permutation(10'000, 5, 9));
  std::size_t kept = 0;
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    kept += order[i] + 1 == order[i + 1] || order[i + 1] + 1 == order[i] ? 1 : 0;
  }
  EXPECT_LT(kept, 12U);
}

TEST(Permutation, OfManyMoreThanMemoryHolds) {
  const Permutation permutation(std::uint64_t{1} << 60, 1, 1);
  EXPECT_LT(permutation(12345), std::uint64_t{1} << 60);
  EXPECT_NE(permutation(12345), permutation(12346));
}

TEST(PermutationDeathTest, HasNoPlaceBeyondItsEnd) {
  EXPECT_DEATH(Permutation(7, 1, 1)(7), "requires place < size_");
  EXPECT_DEATH(Permutation(0, 1, 1), "requires size >= 1");
}

}  // namespace
}  // namespace lookback::base
