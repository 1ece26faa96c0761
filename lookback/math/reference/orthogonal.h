// Orthogonalization by Newton-Schulz iterations, as published. Included through reference.h.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "lookback/math/orthogonal.h"
#include "lookback/math/reference/matmul.h"

namespace lookback::math::reference {

/// X = G / (|G|_F + epsilon), transposed if G is taller than wide; five times A = X X^T,
/// B = b A + c A A, X <- a X + B X; transposed back. Jordan et al. 2024, `zeropower_via_newtonschulz5`.
template <class N>
void orthogonalize(Matrix<N> g) {
  const bool tall = g.rows > g.cols;
  const std::size_t rows = tall ? g.cols : g.rows, cols = tall ? g.rows : g.cols;
  std::vector<N> x_data(rows * cols), product(rows * cols), a_data(rows * rows),
      b_data(rows * rows);
  const Matrix<N> x{x_data.data(), rows, cols, cols}, a{a_data.data(), rows, rows, rows},
      b{b_data.data(), rows, rows, rows}, bx{product.data(), rows, cols, cols};
  N squares = 0;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < cols; ++c) {
      x(r, c) = tall ? g(c, r) : g(r, c);
      squares += x(r, c) * x(r, c);
    }
  }
  for (N& value : x_data) value /= std::sqrt(squares) + static_cast<N>(NewtonSchulz::epsilon);
  for (std::size_t i = 0; i < NewtonSchulz::iterations; ++i) {
    reference::matmul<N>(1, x, Factor<N>(x).transposed(), a, Update::set, Part::dense);
    reference::matmul<N>(static_cast<N>(NewtonSchulz::c), a, a, b, Update::set, Part::dense);
    for (std::size_t j = 0; j < a_data.size(); ++j) {
      b_data[j] += static_cast<N>(NewtonSchulz::b) * a_data[j];
    }
    reference::matmul<N>(1, b, x, bx, Update::set, Part::dense);
    for (std::size_t j = 0; j < x_data.size(); ++j) {
      x_data[j] = static_cast<N>(NewtonSchulz::a) * x_data[j] + product[j];
    }
  }
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < cols; ++c) (tall ? g(c, r) : g(r, c)) = x(r, c);
  }
}

}  // namespace lookback::math::reference
