// The causal softmax of attention, as a formula. Included through reference.h.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <type_traits>

#include "lookback/math/shapes.h"
#include "lookback/math/view.h"

namespace lookback::math::reference {

/// The largest real part of values[0 .. count), count > 0. Subtracting it from every exponent
/// changes no softmax, so that its own derivative is of no consequence.
template <class N>
auto largest_real_part(const N* values, std::size_t count) {
  auto largest = std::real(values[0]);
  for (std::size_t i = 1; i < count; ++i) largest = std::max(largest, std::real(values[i]));
  return largest;
}

/// Writes the zeros that blocked products may read right of the diagonal, where row t has `count`
/// columns up to it.
template <class N>
void write_zero_margin(Matrix<N> matrix, std::size_t t, std::size_t count) {
  const std::size_t end = std::min(count + zero_margin, matrix.cols);
  for (std::size_t s = count; s < end; ++s) matrix(t, s) = 0;
}

/// p_ts = exp(x_ts - m) / sum_{r<=t} exp(x_tr - m) for s <= t, in place; zero margin right of it.
/// The first row's t is `first`.
template <class N>
void softmax_causal(Matrix<N> scores, std::size_t first = 0) {
  for (std::size_t t = 0; t < scores.rows; ++t) {
    const std::size_t count = std::min(first + t + 1, scores.cols);
    if (count == 0) continue;
    N* row = scores.row(t);
    const auto largest = largest_real_part(row, count);
    N sum = 0;
    for (std::size_t s = 0; s < count; ++s) {
      row[s] = std::exp(row[s] - largest);
      sum += row[s];
    }
    for (std::size_t s = 0; s < count; ++s) row[s] /= sum;
    write_zero_margin(scores, t, count);
  }
}

/// dp_ts/dx_tr = p_ts (1[r = s] - p_tr), hence dx_ts = p_ts (dp_ts - sum_r p_tr dp_tr), in place.
template <class N>
void softmax_causal_backward(std::type_identity_t<Matrix<const N>> pattern, Matrix<N> gradient) {
  for (std::size_t t = 0; t < gradient.rows; ++t) {
    const std::size_t count = std::min(t + 1, gradient.cols);
    N sum = 0;
    for (std::size_t s = 0; s < count; ++s) sum += pattern(t, s) * gradient(t, s);
    for (std::size_t s = 0; s < count; ++s) {
      gradient(t, s) = pattern(t, s) * (gradient(t, s) - sum);
    }
    write_zero_margin(gradient, t, count);
  }
}

}  // namespace lookback::math::reference
