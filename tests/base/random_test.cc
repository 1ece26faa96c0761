#include "lookback/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "tests/base/chi_square.h"

namespace lookback::base {
namespace {

using test::chi_square;
using test::chi_square_limit;
using test::one_in_a_million;

RandomStream stream(std::uint64_t index = 0, std::uint64_t seed = 7) {
  return {seed, StreamPurpose::test, index};
}

// The known answers that the Random123 distribution publishes for philox4x32-10.
TEST(Philox, GivesThePublishedAnswers) {
  using Words = std::array<std::uint32_t, 4>;
  EXPECT_EQ(philox_block({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox_block({ones, ones, ones, ones}, {ones, ones}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(
      philox_block({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStream, IsAPureFunctionOfSeedPurposeAndIndex) {
  RandomStream first = stream(3);
  RandomStream second = stream(3);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(first.next(), second.next());
}

TEST(RandomStream, ACopyContinuesFromTheSamePlace) {
  RandomStream original = stream();
  original.next();
  original.normal();
  RandomStream copy = original;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(original.normal(), copy.normal());
}

TEST(RandomStream, FirstDrawIsTheFirstHalfOfTheFirstBlock) {
  const auto words = philox_block({0, 8, 0x55667788, 0x11223344}, {0x9abcdef0, 0x12345678});
  RandomStream s(0x123456789abcdef0, StreamPurpose::test, 0x1122334455667788);
  EXPECT_EQ(s.next(), words[0] | (std::uint64_t{words[1]} << 32));
  EXPECT_EQ(s.next(), words[2] | (std::uint64_t{words[3]} << 32));
}

// 3000 draws of 64 bits: two equal ones by chance have probability 3000^2 / 2^65 < 1e-12.
TEST(RandomStream, StreamsShareNoDraw) {
  std::set<std::uint64_t> seen;
  std::size_t draws = 0;
  const auto take = [&](RandomStream s) {
    for (int i = 0; i < 100; ++i, ++draws) seen.insert(s.next());
  };
  const std::uint64_t high_bit = std::uint64_t{1} << 63;
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, high_bit}) {
    for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1}, high_bit}) {
      take({seed, StreamPurpose::training_data, index});
      take({seed, StreamPurpose::held_out_data, index});
      take({seed, StreamPurpose::initialization, index});
    }
  }
  EXPECT_EQ(seen.size(), draws);
}

TEST(RandomStream, BelowIsUniform) {
  for (const std::size_t n : {2u, 7u, 33u, 256u}) {
    RandomStream s = stream(n);
    std::vector<std::size_t> counts(n);
    const std::size_t draws = 1000 * n;
    for (std::size_t i = 0; i < draws; ++i) ++counts.at(s.below(n));
    EXPECT_LT(chi_square(counts, 1000.0), chi_square_limit(n - 1)) << "n = " << n;
  }
}

// With n = 3 * 2^62 the plain high word of x * n would take every third value twice as often as the
// others: the thirds of the range tell rejection from its absence.
TEST(RandomStream, BelowIsUnbiasedForLargeRanges) {
  const std::uint64_t n = std::uint64_t{3} << 62;
  RandomStream s = stream();
  std::vector<std::size_t> counts(3);
  for (int i = 0; i < 30000; ++i) {
    const std::uint64_t draw = s.below(n);
    ASSERT_LT(draw, n);
    ++counts[draw % 3];
  }
  EXPECT_LT(chi_square(counts, 10000.0), chi_square_limit(2));
}

TEST(RandomStream, BelowOneIsZero) {
  RandomStream s = stream();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(s.below(1), 0u);
}

TEST(RandomStream, UniformFillsTheUnitInterval) {
  RandomStream s = stream();
  std::vector<std::size_t> counts(100);
  for (int i = 0; i < 100000; ++i) {
    const double u = s.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    ++counts[static_cast<std::size_t>(u * 100.0)];
  }
  EXPECT_LT(chi_square(counts, 1000.0), chi_square_limit(99));
}

// Neighboring draws are independent: the pairs fill the square evenly.
TEST(RandomStream, ConsecutiveDrawsAreIndependent) {
  RandomStream s = stream();
  std::vector<std::size_t> counts(256);
  for (int i = 0; i < 256000; ++i) {
    const std::uint64_t first = s.below(16);
    ++counts[first * 16 + s.below(16)];
  }
  EXPECT_LT(chi_square(counts, 1000.0), chi_square_limit(255));
}

// The same across streams: what matters when each sequence has a stream of its own.
TEST(RandomStream, FirstDrawsOfNeighboringStreamsAreIndependent) {
  std::vector<std::size_t> counts(256);
  for (std::uint64_t index = 0; index < 64000; ++index) {
    ++counts[stream(index).below(16) * 16 + stream(index + 1).below(16)];
  }
  EXPECT_LT(chi_square(counts, 250.0), chi_square_limit(255));
}

// Of n draws the mean has variance 1/n, the mean square 2/n, the mean cube 15/n, the mean fourth
// power 96/n, by the moments 1, 3, 15, 105 of the normal distribution.
TEST(RandomStream, NormalHasTheMomentsOfTheNormalDistribution) {
  RandomStream s = stream();
  const double n = 200000.0;
  double m1 = 0.0, m2 = 0.0, m3 = 0.0, m4 = 0.0;
  for (int i = 0; i < 200000; ++i) {
    const double x = s.normal();
    ASSERT_TRUE(std::isfinite(x));
    m1 += x / n;
    m2 += x * x / n;
    m3 += x * x * x / n;
    m4 += x * x * x * x / n;
  }
  EXPECT_NEAR(m1, 0.0, one_in_a_million * std::sqrt(1.0 / n));
  EXPECT_NEAR(m2, 1.0, one_in_a_million * std::sqrt(2.0 / n));
  EXPECT_NEAR(m3, 0.0, one_in_a_million * std::sqrt(15.0 / n));
  EXPECT_NEAR(m4, 3.0, one_in_a_million * std::sqrt(96.0 / n));
}

// The two numbers of a pair, and the second of one with the first of the next: x y has mean 0 and
// variance 1, (x^2 - 1)(y^2 - 1) has mean 0 and variance 4.
TEST(RandomStream, NeighboringNormalsAreIndependent) {
  RandomStream s = stream(2);
  const double n = 100000.0;
  for (const bool within_pair : {true, false}) {
    double products = 0.0, squares = 0.0;
    if (!within_pair) s.normal();
    for (int i = 0; i < 100000; ++i) {
      const double x = s.normal();
      const double y = s.normal();
      products += x * y / n;
      squares += (x * x - 1.0) * (y * y - 1.0) / n;
    }
    EXPECT_NEAR(products, 0.0, one_in_a_million * std::sqrt(1.0 / n));
    EXPECT_NEAR(squares, 0.0, one_in_a_million * std::sqrt(4.0 / n));
  }
}

// P(normal < x) = erfc(-x / sqrt 2) / 2 is uniform; both halves of each pair are covered.
TEST(RandomStream, NormalHasTheShapeOfTheNormalDistribution) {
  RandomStream s = stream(1);
  std::vector<std::size_t> counts(50);
  for (int i = 0; i < 50000; ++i) {
    const double probability = 0.5 * std::erfc(-s.normal() / std::sqrt(2.0));
    ++counts[std::min<std::size_t>(static_cast<std::size_t>(probability * 50.0), 49)];
  }
  EXPECT_LT(chi_square(counts, 1000.0), chi_square_limit(49));
}

}  // namespace
}  // namespace lookback::base
