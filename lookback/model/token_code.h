// Codes for tokens: V unit vectors in few dimensions, any two nearly at right angles.
//
// A constructed head compares tokens by inner products and holds several tokens in one vector, so
// it needs codes whose products with each other are small for every pair, not only for most. Chirps
// have that (Alltop 1980; Calderbank, Cameron, Kantor and Seidel 1997): for a prime p > 2 and
// 0 <= a, b < p,
//   u_{a,b} = exp(2 pi i (a k^2 + b k) / p) / sqrt(p), k = 0 .. p - 1.
// The product of two is a Gauss sum: 0 where only b differs, of modulus 1 / sqrt(p) where a does.
// Read as 2p real numbers, their product is its real part; and i u is at right angles to u. So
// there are 2 p^2 codes of 2 p numbers with products of at most 1 / sqrt(p), close to the smallest
// possible for so many vectors in so few dimensions.
//
// Legend: V tokens.
#pragma once

#include <cstddef>
#include <span>

#include "lookback/math/view.h"

namespace lookback::model {

class TokenCode {
 public:
  /// The code of the smallest prime p >= least_prime with 2 p^2 >= vocabulary. REQUIRES least_prime
  /// >= 3.
  TokenCode(std::size_t vocabulary, std::size_t least_prime);

  std::size_t prime() const { return prime_; }      ///< p
  std::size_t width() const { return 2 * prime_; }  ///< numbers of one code
  double coherence() const;                         ///< 1 / sqrt(p): no two codes' product is above

  /// Writes code [2p] of a token below V.
  void write(std::size_t token, std::span<float> code) const;

 private:
  std::size_t prime_;
};

}  // namespace lookback::model
