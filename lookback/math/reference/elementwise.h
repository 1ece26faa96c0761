// Operations that look at one element, or at an element and its partner, at a time, as formulas.
// Included through reference.h. Legend: T positions (rows), D width, E width of a head.
#pragma once

#include <cmath>
#include <complex>
#include <cstddef>
#include <span>
#include <type_traits>

#include "lookback/math/shapes.h"
#include "lookback/math/view.h"

namespace lookback::math::reference {

/// z = x + y; all [T,D].
template <class N>
void add(std::type_identity_t<Matrix<const N>> x, std::type_identity_t<Matrix<const N>> y,
         Matrix<N> z) {
  for (std::size_t t = 0; t < z.rows; ++t) {
    for (std::size_t i = 0; i < z.cols; ++i) z(t, i) = x(t, i) + y(t, i);
  }
}

/// y += x; both [T,D].
template <class N>
void add_to(std::type_identity_t<Matrix<const N>> x, Matrix<N> y) {
  for (std::size_t t = 0; t < y.rows; ++t) {
    for (std::size_t i = 0; i < y.cols; ++i) y(t, i) += x(t, i);
  }
}

/// y(t, i) += row(i); y [T,D], row [D].
template <class N>
void add_row(std::type_identity_t<std::span<const N>> row, Matrix<N> y) {
  for (std::size_t t = 0; t < y.rows; ++t) {
    for (std::size_t i = 0; i < y.cols; ++i) y(t, i) += row[i];
  }
}

/// sums(i) += sum_t x(t, i); x [T,D], sums [D].
template <class N>
void add_column_sums(Matrix<const N> x, std::type_identity_t<std::span<N>> sums) {
  for (std::size_t t = 0; t < x.rows; ++t) {
    for (std::size_t i = 0; i < x.cols; ++i) sums[i] += x(t, i);
  }
}

/// sqrt(2 / pi) and the cubic coefficient of GPT-2's gelu (Hendrycks and Gimpel 2016).
inline constexpr double gelu_slope = 0.79788456080286535588;
inline constexpr double gelu_cubic = 0.044715;

/// gelu(x) = x/2 (1 + tanh(u(x))), u(x) = sqrt(2/pi) (x + 0.044715 x^3).
template <class N>
N gelu(N x) {
  const N u = static_cast<N>(gelu_slope) * (x + static_cast<N>(gelu_cubic) * x * x * x);
  return static_cast<N>(0.5) * x * (static_cast<N>(1) + std::tanh(u));
}

/// gelu'(x) = (1 + tanh u)/2 + x/2 (1 - tanh^2 u) u'(x),  u'(x) = sqrt(2/pi) (1 + 3 0.044715 x^2).
template <class N>
N gelu_derivative(N x) {
  const N half = static_cast<N>(0.5);
  const N one = static_cast<N>(1);
  const N u = static_cast<N>(gelu_slope) * (x + static_cast<N>(gelu_cubic) * x * x * x);
  const N du = static_cast<N>(gelu_slope) * (one + static_cast<N>(3 * gelu_cubic) * x * x);
  const N tanh_u = std::tanh(u);
  return half * (one + tanh_u) + half * x * (one - tanh_u * tanh_u) * du;
}

/// y = gelu(x); both [T,D].
template <class N>
void gelu(std::type_identity_t<Matrix<const N>> x, Matrix<N> y) {
  for (std::size_t t = 0; t < y.rows; ++t) {
    for (std::size_t i = 0; i < y.cols; ++i) y(t, i) = gelu(x(t, i));
  }
}

/// dx += dy gelu'(x); all [T,D].
template <class N>
void gelu_backward(std::type_identity_t<Matrix<const N>> x,
                   std::type_identity_t<Matrix<const N>> dy, Matrix<N> dx) {
  for (std::size_t t = 0; t < dx.rows; ++t) {
    for (std::size_t i = 0; i < dx.cols; ++i) dx(t, i) += dy(t, i) * gelu_derivative(x(t, i));
  }
}

/// The pair (x_i, x_{i+E/2}) of row t turned by the angle whose cosine and sine are at (t, i):
///   y_i       = x_i cos - x_{i+E/2} sin
///   y_{i+E/2} = x_i sin + x_{i+E/2} cos
/// inverse: sin changes its sign. x, y [T,E], E even; cosine, sine [T,E/2]. Su et al. 2021.
template <class N>
void rotate(std::type_identity_t<Matrix<const N>> x, std::type_identity_t<Matrix<const N>> cosine,
            std::type_identity_t<Matrix<const N>> sine, Rotation rotation, Update update,
            Matrix<N> y) {
  const std::size_t half = y.cols / 2;
  for (std::size_t t = 0; t < y.rows; ++t) {
    for (std::size_t i = 0; i < half; ++i) {
      const N c = cosine(t, i);
      const N s = rotation == Rotation::forward ? sine(t, i) : -sine(t, i);
      const N first = x(t, i) * c - x(t, i + half) * s;
      const N second = x(t, i) * s + x(t, i + half) * c;
      y(t, i) = update == Update::add ? y(t, i) + first : first;
      y(t, i + half) = update == Update::add ? y(t, i + half) + second : second;
    }
  }
}

/// y_0 = x_0, y_t = s x_t + (1 - s) x_{t-1}; x, y [T,E], not the same memory. x may have the rows before
/// y's first as well.
template <class N>
void smear(std::type_identity_t<N> s, std::type_identity_t<Matrix<const N>> x, Matrix<N> y) {
  const std::size_t earlier = x.rows - y.rows;
  for (std::size_t row = 0; row < y.rows; ++row) {
    const std::size_t t = earlier + row;
    for (std::size_t i = 0; i < y.cols; ++i) {
      y(row, i) = t == 0 ? x(t, i) : s * x(t, i) + (static_cast<N>(1) - s) * x(t - 1, i);
    }
  }
}

/// dx_0 += dy_0, and for t > 0: dx_t += s dy_t, dx_{t-1} += (1 - s) dy_t.
/// Returns ds = sum_{t>0} dy_t . (x_t - x_{t-1}).
template <class N>
N smear_backward(std::type_identity_t<N> s, std::type_identity_t<Matrix<const N>> x,
                 std::type_identity_t<Matrix<const N>> dy, Matrix<N> dx) {
  N ds = 0;
  for (std::size_t t = 0; t < dx.rows; ++t) {
    for (std::size_t i = 0; i < dx.cols; ++i) {
      dx(t, i) += t == 0 ? dy(t, i) : s * dy(t, i);
      if (t == 0) continue;
      dx(t - 1, i) += (static_cast<N>(1) - s) * dy(t, i);
      ds += dy(t, i) * (x(t, i) - x(t - 1, i));
    }
  }
  return ds;
}

}  // namespace lookback::math::reference
