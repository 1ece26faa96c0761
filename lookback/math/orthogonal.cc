#include "lookback/math/orthogonal.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "lookback/math/simd.h"

namespace lookback::math::simd {
namespace {

/// P = a I + b A + c A^2 of a symmetric A [M,M].
void polynomial_of(Matrix<float> a, Matrix<float> p) {
  matmul(static_cast<float>(NewtonSchulz::c), a, a, p, Update::set, Part::dense);
  constexpr auto b = static_cast<float>(NewtonSchulz::b);
  for (std::size_t i = 0; i < a.rows * a.cols; ++i) p.data[i] += b * a.data[i];
  for (std::size_t i = 0; i < a.rows; ++i) p(i, i) += static_cast<float>(NewtonSchulz::a);
}

}  // namespace

std::size_t orthogonalize_scratch(std::size_t rows, std::size_t cols) {
  const std::size_t side = std::min(rows, cols);
  return rows * cols + 2 * side * side;
}

void orthogonalize(Matrix<float> x, std::span<float> scratch) {
  const std::size_t size = x.rows * x.cols, side = std::min(x.rows, x.cols);
  const Matrix<float> square{scratch.data() + size, side, side, side};
  const Matrix<float> polynomial{square.data + side * side, side, side, side};
  const double norm = std::sqrt(sum_of_squares({x.data, size}));
  const auto inverse = static_cast<float>(1 / (norm + NewtonSchulz::epsilon));
  for (std::size_t i = 0; i < size; ++i) x.data[i] *= inverse;
  Matrix<float> from = x, to{scratch.data(), x.rows, x.cols, x.cols};
  for (std::size_t i = 0; i < NewtonSchulz::iterations; ++i) {
    const Factor<float> factor(from);
    if (x.rows <= x.cols) {
      matmul(1, factor, factor.transposed(), square, Update::set, Part::dense);
      polynomial_of(square, polynomial);
      matmul(1, polynomial, factor, to, Update::set, Part::dense);
    } else {
      matmul(1, factor.transposed(), factor, square, Update::set, Part::dense);
      polynomial_of(square, polynomial);
      matmul(1, factor, polynomial, to, Update::set, Part::dense);
    }
    std::swap(from, to);
  }
  if (from.data != x.data) std::copy_n(from.data, size, x.data);
}

}  // namespace lookback::math::simd
