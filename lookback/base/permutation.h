// A random order of n things in which any place can be computed on its own: nothing is stored.
//
// A Feistel network over the smallest even number of bits that holds n, its rounds keyed by Philox
// (random.h); a result of n or more is sent through again until it is below n (cycle walking: Black
// and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002). So it is a bijection by
// construction.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "lookback/base/random.h"
#include "lookback/base/require.h"

namespace lookback::base {

/// The permutation (seed, index) of {0, ..., size - 1}: for data, `index` is the number of the epoch.
class Permutation {
 public:
  /// REQUIRES 1 <= size <= 2^62.
  Permutation(std::uint64_t size, std::uint64_t seed, std::uint64_t index)
      : size_(size),
        half_bits_((static_cast<unsigned>(std::bit_width(size - 1)) + 1) / 2),
        key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        index_(index) {
    LOOKBACK_REQUIRE(size >= 1 && size <= std::uint64_t{1} << 62U);
  }

  std::uint64_t size() const { return size_; }

  /// What comes at `place`. REQUIRES place < size().
  std::uint64_t operator()(std::uint64_t place) const {
    LOOKBACK_REQUIRE(place < size_);
    do place = once(place);
    while (place >= size_);
    return place;
  }

 private:
  static constexpr std::uint32_t rounds = 6;

  /// On {0, ..., 2^(2 half_bits) - 1}, less than four times as many as size.
  std::uint64_t once(std::uint64_t x) const {
    const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
    std::uint64_t left = x >> half_bits_, right = x & mask;
    for (std::uint32_t round = 0; round < rounds; ++round) {
      const std::uint64_t mixed = left ^ (keyed(right, round) & mask);
      left = right;
      right = mixed;
    }
    return (left << half_bits_) | right;
  }

  /// A half has at most 31 bits. The counter differs from those of streams, whose first word counts
  /// blocks from 0: here the highest bit of the second word is set.
  std::uint32_t keyed(std::uint64_t half, std::uint32_t round) const {
    const std::uint32_t purpose = static_cast<std::uint32_t>(StreamPurpose::shuffling);
    return philox_block(
        {static_cast<std::uint32_t>(half), 0x80000000U | (round << 16U) | purpose,
         static_cast<std::uint32_t>(index_), static_cast<std::uint32_t>(index_ >> 32)},
        key_)[0];
  }

  std::uint64_t size_;
  unsigned half_bits_;
  std::array<std::uint32_t, 2> key_;
  std::uint64_t index_;
};

}  // namespace lookback::base
