// Python's random.Random, so that the documents and the numbers of the harness's own tests come out:
// CPython's Modules/_randommodule.c and Lib/random.py over the Mersenne Twister MT19937.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace lookback::language {

class PythonRandom {
 public:
  /// random.Random(seed), for a seed of 32 bits.
  explicit PythonRandom(std::uint32_t seed) {
    fill(19650218);
    std::uint32_t i = 1;
    for (std::size_t k = 0; k < size; ++k) {  // init_by_array with one key
      state_[i] = (state_[i] ^ (previous_bits(i) * 1664525U)) + seed;
      advance(i);
    }
    for (std::size_t k = 0; k < size - 1; ++k) {
      state_[i] = (state_[i] ^ (previous_bits(i) * 1566083941U)) - i;
      advance(i);
    }
    state_[0] = 0x80000000U;
  }

  /// random(): 53 bits in [0, 1).
  double random() {
    const std::uint32_t a = next() >> 5U;
    const std::uint32_t b = next() >> 6U;
    return (a * 67108864.0 + b) * (1.0 / 9007199254740992.0);
  }

  /// shuffle(items)
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size() - 1; i > 0; --i) std::swap(items[i], items[below(i + 1)]);
  }

 private:
  static constexpr std::uint32_t size = 624;
  static constexpr std::uint32_t middle = 397;

  void fill(std::uint32_t seed) {
    state_[0] = seed;
    for (std::uint32_t i = 1; i < size; ++i) {
      state_[i] = 1812433253U * (state_[i - 1] ^ (state_[i - 1] >> 30U)) + i;
    }
    at_ = size;
  }
  std::uint32_t previous_bits(std::uint32_t i) const {
    return state_[i - 1] ^ (state_[i - 1] >> 30U);
  }
  void advance(std::uint32_t& i) {
    if (++i < size) return;
    state_[0] = state_[size - 1];
    i = 1;
  }

  /// _randbelow_with_getrandbits(n): draws of as many bits as n has until one is below it.
  std::size_t below(std::size_t n) {
    unsigned bits = 0;
    while ((n >> bits) != 0) ++bits;
    std::size_t drawn = n;
    while (drawn >= n) drawn = next() >> (32U - bits);
    return drawn;
  }

  std::uint32_t next() {
    if (at_ == size) renew();
    std::uint32_t y = state_[at_++];
    y ^= y >> 11U;
    y ^= (y << 7U) & 0x9D2C5680U;
    y ^= (y << 15U) & 0xEFC60000U;
    return y ^ (y >> 18U);
  }
  void renew() {
    for (std::uint32_t i = 0; i < size; ++i) {
      const std::uint32_t y = (state_[i] & 0x80000000U) | (state_[(i + 1) % size] & 0x7FFFFFFFU);
      state_[i] = state_[(i + middle) % size] ^ (y >> 1U) ^ ((y & 1U) != 0 ? 0x9908B0DFU : 0U);
    }
    at_ = 0;
  }

  std::array<std::uint32_t, size> state_{};
  std::uint32_t at_ = size;
};

}  // namespace lookback::language
