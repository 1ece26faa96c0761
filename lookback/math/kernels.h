// The operations a program's steps are made of, one function each, for any number type.
//
// float runs on the vector units (simd.h, chosen at run time); every other type runs the scalar
// definition (reference.h). So the same steps can be differentiated by a complex step, checked in
// double, and trained in float. Nothing here knows about transformers.
//
// Legend: T positions (rows), D width, V classes, E width of a head.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>

#include "lookback/base/require.h"
#include "lookback/math/reference.h"
#include "lookback/math/shapes.h"
#include "lookback/math/simd.h"
#include "lookback/math/view.h"

namespace lookback::math {

template <class N>
inline constexpr bool runs_on_simd = std::is_same_v<N, float>;

/// C [M,N] = alpha A [M,K] B [K,N], or C += ... with Update::add. `part` names the structural zeros
/// (see Part); results outside the named part of C are unspecified.
template <class N>
void matmul(std::type_identity_t<N> alpha, Factor<N> a, Factor<N> b, Matrix<N> c, Update update,
            Part part) {
  if constexpr (runs_on_simd<N>) {
    simd::matmul(alpha, a, b, c, update, part);
  } else {
    reference::matmul(alpha, a, b, c, update, part);
  }
}

/// z = x + y, elementwise; all [T,D].
template <class N>
void add(std::type_identity_t<Matrix<const N>> x, std::type_identity_t<Matrix<const N>> y,
         Matrix<N> z) {
  if constexpr (runs_on_simd<N>) {
    simd::add(x, y, z);
  } else {
    reference::add<N>(x, y, z);
  }
}

/// y += x, elementwise; both [T,D].
template <class N>
void add_to(Matrix<const N> x, Matrix<N> y) {
  if constexpr (runs_on_simd<N>) {
    simd::add_to(x, y);
  } else {
    reference::add_to(x, y);
  }
}

/// y [T,D] += row [D], to every row: a bias.
template <class N>
void add_row(std::span<const std::type_identity_t<N>> row, Matrix<N> y) {
  if constexpr (runs_on_simd<N>) {
    simd::add_row(row, y);
  } else {
    reference::add_row<N>(row, y);
  }
}

/// sums [D] += the column sums of x [T,D]: the gradient of a bias.
template <class N>
void add_column_sums(Matrix<const N> x, std::span<std::type_identity_t<N>> sums) {
  if constexpr (runs_on_simd<N>) {
    simd::add_column_sums(x, sums);
  } else {
    reference::add_column_sums<N>(x, sums);
  }
}

/// mean [T] and scale [T] of each row of x [T,D]: scale = sqrt(mean((x - mean)^2) + epsilon).
/// For Norm::rms the mean is taken to be zero. Ba et al. 2016; Zhang and Sennrich 2019.
template <class N>
void norm_statistics(Norm norm, double epsilon, Matrix<const N> x,
                     std::span<std::type_identity_t<N>> mean,
                     std::span<std::type_identity_t<N>> scale) {
  if constexpr (runs_on_simd<N>) {
    simd::norm_statistics(norm, epsilon, x, mean, scale);
  } else {
    reference::norm_statistics<N>(norm, epsilon, x, mean, scale);
  }
}

/// y = (x - mean) / scale * weight + bias; x, y [T,D]; mean, scale [T]; weight, bias [D], bias may
/// be empty.
template <class N>
void norm_apply(Matrix<const N> x, std::span<const std::type_identity_t<N>> mean,
                std::span<const std::type_identity_t<N>> scale,
                std::span<const std::type_identity_t<N>> weight,
                std::span<const std::type_identity_t<N>> bias, Matrix<N> y) {
  if constexpr (runs_on_simd<N>) {
    simd::norm_apply(x, mean, scale, weight, bias, y);
  } else {
    reference::norm_apply<N>(x, mean, scale, weight, bias, y);
  }
}

/// Gradients of norm_apply by its parameters and by scale: d_weight += sum_t dy x^, d_bias += sum_t
/// dy (if not empty), d_scale [T] = -sum_i dy_i w_i x^_i / scale, where x^ = (x - mean) / scale.
template <class N>
void norm_backward_scale(Matrix<const N> x, std::span<const std::type_identity_t<N>> mean,
                         std::span<const std::type_identity_t<N>> scale,
                         std::span<const std::type_identity_t<N>> weight,
                         std::type_identity_t<Matrix<const N>> dy,
                         std::span<std::type_identity_t<N>> d_weight,
                         std::span<std::type_identity_t<N>> d_bias,
                         std::span<std::type_identity_t<N>> d_scale) {
  if constexpr (runs_on_simd<N>) {
    simd::norm_backward_scale(x, mean, scale, weight, dy, d_weight, d_bias, d_scale);
  } else {
    reference::norm_backward_scale<N>(x, mean, scale, weight, dy, d_weight, d_bias, d_scale);
  }
}

/// dx += the gradient of the whole norm with respect to x. `scale` is what norm_apply divided by;
/// `computed_scale` is what norm_statistics found (the same unless a tap replaced it); d_scale is
/// the gradient by it. With g = dy w / scale + d_scale (x - mean) / (D computed_scale): dx += g -
/// mean(g) for Norm::layer, dx += g for Norm::rms.
template <class N>
void norm_backward_input(Norm norm, Matrix<const N> x,
                         std::span<const std::type_identity_t<N>> mean,
                         std::span<const std::type_identity_t<N>> scale,
                         std::span<const std::type_identity_t<N>> computed_scale,
                         std::span<const std::type_identity_t<N>> weight,
                         std::type_identity_t<Matrix<const N>> dy,
                         std::span<const std::type_identity_t<N>> d_scale, Matrix<N> dx) {
  if constexpr (runs_on_simd<N>) {
    simd::norm_backward_input(norm, x, mean, scale, computed_scale, weight, dy, d_scale, dx);
  } else {
    reference::norm_backward_input<N>(norm, x, mean, scale, computed_scale, weight, dy, d_scale,
                                      dx);
  }
}

/// In place on scores [T,T]: row t becomes softmax over columns 0..t; the next `zero_margin` columns
/// (as far as they exist) become zero, so that blocked products may read them. `first` is the t of
/// the matrix's first row, for some rows of such a square.
template <class N>
void softmax_causal(Matrix<N> scores, std::size_t first = 0) {
  if constexpr (runs_on_simd<N>) {
    simd::softmax_causal(scores, first);
  } else {
    reference::softmax_causal(scores, first);
  }
}

/// In place on gradient [T,T]: d_scores = pattern (d_pattern - sum_s pattern d_pattern), row by row
/// over columns 0..t; zero margin as softmax_causal's.
template <class N>
void softmax_causal_backward(Matrix<const N> pattern, Matrix<N> gradient) {
  if constexpr (runs_on_simd<N>) {
    simd::softmax_causal_backward(pattern, gradient);
  } else {
    reference::softmax_causal_backward(pattern, gradient);
  }
}

/// y = gelu(x), GPT-2's tanh form: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). Hendrycks and
/// Gimpel 2016.
template <class N>
void gelu(Matrix<const N> x, Matrix<N> y) {
  if constexpr (runs_on_simd<N>) {
    simd::gelu(x, y);
  } else {
    reference::gelu(x, y);
  }
}

/// dx += dy gelu'(x).
template <class N>
void gelu_backward(Matrix<const N> x, std::type_identity_t<Matrix<const N>> dy, Matrix<N> dx) {
  if constexpr (runs_on_simd<N>) {
    simd::gelu_backward(x, dy, dx);
  } else {
    reference::gelu_backward(x, dy, dx);
  }
}

/// y (+)= x rotated, row t by angles [t, E/2]: pairs are (i, i + E/2). cos, sin [T,E/2]. Inverse
/// rotation is its transpose, hence its backward. Su et al. 2021.
template <class N>
void rotate(Matrix<const N> x, std::type_identity_t<Matrix<const N>> cosine,
            std::type_identity_t<Matrix<const N>> sine, Rotation rotation, Update update,
            Matrix<N> y) {
  if constexpr (runs_on_simd<N>) {
    simd::rotate(x, cosine, sine, rotation, update, y);
  } else {
    reference::rotate(x, cosine, sine, rotation, update, y);
  }
}

/// y_0 = x_0, y_t = s x_t + (1 - s) x_{t-1}: smeared keys of one head, x and y [T,E]; x may have rows
/// before y's first as well. Olsson et al. 2022, "smeared keys".
template <class N>
void smear(std::type_identity_t<N> s, Matrix<const N> x, Matrix<N> y) {
  if constexpr (runs_on_simd<N>) {
    simd::smear(s, x, y);
  } else {
    reference::smear(s, x, y);
  }
}

/// dx += the gradient of smear by x; returns the gradient by s.
template <class N>
N smear_backward(std::type_identity_t<N> s, Matrix<const N> x,
                 std::type_identity_t<Matrix<const N>> dy, Matrix<N> dx) {
  if constexpr (runs_on_simd<N>) {
    return simd::smear_backward(s, x, dy, dx);
  } else {
    return reference::smear_backward(s, x, dy, dx);
  }
}

/// losses [T] = -log softmax(logits_t)[targets_t], in nats; logits [T,V]. REQUIRES targets < V.
template <class N>
void cross_entropy(Matrix<const N> logits, std::span<const std::uint32_t> targets,
                   std::span<std::type_identity_t<N>> losses) {
  LOOKBACK_REQUIRE(
      std::ranges::all_of(targets, [&](std::uint32_t target) { return target < logits.cols; }));
  if constexpr (runs_on_simd<N>) {
    simd::cross_entropy(logits, targets, losses);
  } else {
    reference::cross_entropy<N>(logits, targets, losses);
  }
}

/// As cross_entropy, and in the same pass the logits become their gradient of weight * sum(losses).
template <class N>
void cross_entropy_gradient(std::type_identity_t<N> weight, Matrix<N> logits,
                            std::span<const std::uint32_t> targets,
                            std::span<std::type_identity_t<N>> losses) {
  if constexpr (runs_on_simd<N>) {
    simd::cross_entropy_gradient(weight, logits, targets, losses);
  } else {
    reference::cross_entropy_gradient<N>(weight, logits, targets, losses);
  }
}

}  // namespace lookback::math
