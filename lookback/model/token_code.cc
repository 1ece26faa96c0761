#include "lookback/model/token_code.h"

#include <cmath>
#include <numbers>

#include "lookback/base/require.h"

namespace lookback::model {
namespace {

bool is_prime(std::size_t n) {
  for (std::size_t divisor = 2; divisor * divisor <= n; ++divisor) {
    if (n % divisor == 0) return false;
  }
  return n >= 2;
}

std::size_t find_prime(std::size_t vocabulary, std::size_t least) {
  LOOKBACK_REQUIRE(least >= 3);
  std::size_t p = least;
  while (2 * p * p < vocabulary || !is_prime(p)) ++p;
  return p;
}

}  // namespace

TokenCode::TokenCode(std::size_t vocabulary, std::size_t least_prime)
    : prime_(find_prime(vocabulary, least_prime)) {}

double TokenCode::coherence() const { return 1 / std::sqrt(static_cast<double>(prime_)); }

void TokenCode::write(std::size_t token, std::span<float> code) const {
  const std::size_t p = prime_;
  const std::size_t a = token / p % p;
  const std::size_t b = token % p;
  const double turn = token < p * p ? 0 : 0.25;  // the second p^2 tokens are the first, times i
  for (std::size_t k = 0; k < p; ++k) {
    const std::size_t step = (a * k % p * k + b * k) % p;
    const double angle =
        2 * std::numbers::pi * (static_cast<double>(step) / static_cast<double>(p) + turn);
    code[2 * k] = static_cast<float>(std::cos(angle) * coherence());
    code[2 * k + 1] = static_cast<float>(std::sin(angle) * coherence());
  }
}

}  // namespace lookback::model
