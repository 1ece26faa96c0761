// Orthogonalization by Newton-Schulz iterations: only products, no decomposition.
#pragma once

#include <cstddef>
#include <span>

#include "lookback/math/view.h"

namespace lookback::math {

/// X <- a X + b (X X^T) X + c (X X^T)^2 X, this many times: each singular value s becomes a s + b
/// s^3 + c s^5. These coefficients map values from about 0.002 to 1 to between 0.68 and 1.21, which
/// serves an optimizer as well as 1 does. Jordan et al. 2024, "Muon: An optimizer for hidden layers
/// in neural networks".
struct NewtonSchulz {
  static constexpr std::size_t iterations = 5;
  static constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
  static constexpr double epsilon =
      1e-7;  ///< added to the norm that the matrix is divided by first
};

namespace simd {

/// Floats of scratch memory that orthogonalize needs for a matrix [M,N].
std::size_t orthogonalize_scratch(std::size_t rows, std::size_t cols);

/// X [M,N] = U S V^T becomes about U V^T: X / (|X|_F + epsilon), then the iterations, over the shorter
/// side. Its rows must be contiguous (stride = N). Definition: reference/orthogonal.h.
void orthogonalize(Matrix<float> x, std::span<float> scratch);

}  // namespace simd
}  // namespace lookback::math
