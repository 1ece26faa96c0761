// Pearson's test of counts against expected ones, for tests of random draws.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

namespace lookback::test {

/// Standard normal quantile for a false-alarm rate of 1e-6. The streams are fixed by their seeds,
/// so a test passes always or never; the rate says how likely a correct generator was to be refused
/// when the test was written.
inline constexpr double one_in_a_million = 4.753;

/// Sum over the cells of (observed - expected)^2 / expected.
inline double chi_square(std::span<const std::size_t> observed, double expected) {
  double sum = 0.0;
  for (const std::size_t count : observed) {
    const double difference = static_cast<double>(count) - expected;
    sum += difference * difference / expected;
  }
  return sum;
}

/// The value that chi-square with `freedom` degrees of freedom exceeds with probability 1e-6, by
/// Wilson and Hilferty (PNAS 17, 1931): the cube root of chi^2 / k is nearly normal.
inline double chi_square_limit(std::size_t freedom) {
  const auto k = static_cast<double>(freedom);
  const double root = 1.0 - 2.0 / (9.0 * k) + one_in_a_million * std::sqrt(2.0 / (9.0 * k));
  return k * root * root * root;
}

}  // namespace lookback::test
