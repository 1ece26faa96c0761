// Counter-based random numbers: any draw of any stream can be computed on its own, and no state is
// shared.
//
// The generator is Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
// easy as 1, 2, 3" (SC 2011, doi:10.1145/2063384.2063405): a keyed bijection of a 128-bit counter.
// The key is the seed; the counter holds (draw, purpose, index). Two different streams of one seed
// never use the same counter, and the map is a bijection, so they are distinct by construction, not
// by luck.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

#include "lookback/base/require.h"

namespace lookback::base {

/// What a stream of random numbers is for. The values are part of the reproducible result of a
/// study: append new ones, never renumber.
enum class StreamPurpose : std::uint32_t {
  initialization = 1,  ///< initial parameters of a model
  training_data = 2,
  held_out_data = 3,
  baseline = 4,    ///< random matrices that scores are compared with
  resampling = 5,  ///< which other sequence replaces an activation; bootstrap draws
  probe = 6,       ///< evaluation batches apart from the held-out set
  dropout = 7,
  test = 8,
  shuffling = 9,            ///< the order of documents and of training windows
  random_copy = 10,         ///< repeated random tokens that a language model is asked to copy
  associative_recall = 11,  ///< key-value sequences of the lookup task
  generation = 12,          ///< which token comes next in a text that a model writes
  text_repeats = 13,        ///< which training windows of text say a part of it again
};

/// One Philox4x32-10 block: four 32-bit words from a 128-bit counter and a 64-bit key.
constexpr std::array<std::uint32_t, 4> philox_block(std::array<std::uint32_t, 4> counter,
                                                    std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {
        static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
        static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

/// The stream (seed, purpose, index): for data, `index` is the number of the sequence; for
/// parameters, that of the tensor. It has a period of 2^33 draws of 64 bits. A value type; copies
/// continue independently from the same place. Not to be shared between threads.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, StreamPurpose purpose, std::uint64_t index)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        purpose_(static_cast<std::uint32_t>(purpose)),
        index_(index) {}

  /// 64 uniform random bits.
  std::uint64_t next() {
    if (buffered_ == 0) refill();
    return buffer_[--buffered_];
  }

  /// Uniform on {0, ..., n - 1}, without bias. REQUIRES n > 0.
  /// Lemire, "Fast random integer generation in an interval" (TOMACS 2019, arXiv 1805.10941).
  std::uint64_t below(std::uint64_t n) {
    LOOKBACK_REQUIRE(n > 0);
    Product product = multiply(next(), n);
    if (product.low < n) {
      const std::uint64_t rejected = (0 - n) % n;  // 2^64 mod n draws are thrown away
      while (product.low < rejected) product = multiply(next(), n);
    }
    return product.high;
  }

  /// Uniform on the multiples of 2^-53 in [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  /// Standard normal, by Box and Muller's transform (Ann. Math. Statist. 29, 1958). Draws come in
  /// pairs; the second of a pair is kept for the next call.
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));  // 1 - u lies in (0, 1]
    const double angle = 2.0 * std::numbers::pi * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }

 private:
  struct Product {
    std::uint64_t high;
    std::uint64_t low;
  };

  /// The 128-bit product of two 64-bit numbers, from four 32-bit ones (no 128-bit type in ISO C++).
  static constexpr Product multiply(std::uint64_t a, std::uint64_t b) {
    const std::uint64_t mask = 0xFFFFFFFFu;
    const std::uint64_t low = (a & mask) * (b & mask);
    const std::uint64_t cross = (a >> 32) * (b & mask) + (low >> 32);
    const std::uint64_t middle = (a & mask) * (b >> 32) + (cross & mask);
    return {(a >> 32) * (b >> 32) + (cross >> 32) + (middle >> 32), (middle << 32) | (low & mask)};
  }

  void refill() {
    const auto words = philox_block({block_++, purpose_, static_cast<std::uint32_t>(index_),
                                     static_cast<std::uint32_t>(index_ >> 32)},
                                    key_);
    // Taken from the back: buffer_[1] is handed out first.
    buffer_[1] = words[0] | (std::uint64_t{words[1]} << 32);
    buffer_[0] = words[2] | (std::uint64_t{words[3]} << 32);
    buffered_ = 2;
  }

  std::array<std::uint32_t, 2> key_;
  std::uint32_t purpose_;
  std::uint64_t index_;
  std::uint32_t block_ = 0;
  std::array<std::uint64_t, 2> buffer_{};
  std::size_t buffered_ = 0;
  double spare_ = 0.0;
  bool has_spare_ = false;
};

}  // namespace lookback::base
