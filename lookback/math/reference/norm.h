// Layer norm and RMS norm, as formulas. Included through reference.h. Legend: T positions, D width.
#pragma once

#include <cmath>
#include <complex>
#include <cstddef>
#include <span>
#include <type_traits>

#include "lookback/math/shapes.h"
#include "lookback/math/view.h"

namespace lookback::math::reference {

/// mean_t = sum_i x_ti / D (Norm::rms: 0),
/// scale_t = sqrt(sum_i (x_ti - mean_t)^2 / D + epsilon).
template <class N>
void norm_statistics(Norm norm, double epsilon, Matrix<const N> x,
                     std::type_identity_t<std::span<N>> mean,
                     std::type_identity_t<std::span<N>> scale) {
  const N width = static_cast<N>(static_cast<double>(x.cols));
  for (std::size_t t = 0; t < x.rows; ++t) {
    N sum = 0;
    if (norm == Norm::layer) {
      for (std::size_t i = 0; i < x.cols; ++i) sum += x(t, i);
    }
    mean[t] = sum / width;
    N squares = 0;
    for (std::size_t i = 0; i < x.cols; ++i) {
      squares += (x(t, i) - mean[t]) * (x(t, i) - mean[t]);
    }
    scale[t] = std::sqrt(squares / width + static_cast<N>(epsilon));
  }
}

/// y_ti = x^_ti weight_i + bias_i,  x^_ti = (x_ti - mean_t) / scale_t.
template <class N>
void norm_apply(std::type_identity_t<Matrix<const N>> x,
                std::type_identity_t<std::span<const N>> mean,
                std::type_identity_t<std::span<const N>> scale,
                std::type_identity_t<std::span<const N>> weight,
                std::type_identity_t<std::span<const N>> bias, Matrix<N> y) {
  for (std::size_t t = 0; t < y.rows; ++t) {
    for (std::size_t i = 0; i < y.cols; ++i) {
      const N normalized = (x(t, i) - mean[t]) / scale[t];
      y(t, i) = normalized * weight[i] + (bias.empty() ? static_cast<N>(0) : bias[i]);
    }
  }
}

/// From y_i = x^_i weight_i + bias_i and x^_i = (x_i - mean) / scale:
///   d_weight_i += sum_t dy_ti x^_ti,   d_bias_i += sum_t dy_ti,
///   d_scale_t = sum_i dy_ti weight_i dx^_ti/dscale = -sum_i dy_ti weight_i x^_ti / scale_t.
template <class N>
void norm_backward_scale(Matrix<const N> x, std::type_identity_t<std::span<const N>> mean,
                         std::type_identity_t<std::span<const N>> scale,
                         std::type_identity_t<std::span<const N>> weight,
                         std::type_identity_t<Matrix<const N>> dy,
                         std::type_identity_t<std::span<N>> d_weight,
                         std::type_identity_t<std::span<N>> d_bias,
                         std::type_identity_t<std::span<N>> d_scale) {
  for (std::size_t t = 0; t < x.rows; ++t) {
    N sum = 0;
    for (std::size_t i = 0; i < x.cols; ++i) {
      const N normalized = (x(t, i) - mean[t]) / scale[t];
      d_weight[i] += dy(t, i) * normalized;
      if (!d_bias.empty()) d_bias[i] += dy(t, i);
      sum += dy(t, i) * weight[i] * normalized;
    }
    d_scale[t] = -sum / scale[t];
  }
}

/// x_i reaches the output directly, through the scale, and (Norm::layer) through the mean:
///   dx^_i/dx_i     = 1 / scale,
///   dscale/dx_i    = (x_i - mean) / (D computed_scale)   (its part through the mean sums to zero),
///   dmean/dx_i     = 1 / D, and the mean is subtracted from every element.
/// With g_i = dy_i weight_i / scale + d_scale (x_i - mean) / (D computed_scale):
///   dx_i += g_i - mean(g) for Norm::layer, dx_i += g_i for Norm::rms.
template <class N>
void norm_backward_input(Norm norm, std::type_identity_t<Matrix<const N>> x,
                         std::type_identity_t<std::span<const N>> mean,
                         std::type_identity_t<std::span<const N>> scale,
                         std::type_identity_t<std::span<const N>> computed_scale,
                         std::type_identity_t<std::span<const N>> weight,
                         std::type_identity_t<Matrix<const N>> dy,
                         std::type_identity_t<std::span<const N>> d_scale, Matrix<N> dx) {
  const N width = static_cast<N>(static_cast<double>(x.cols));
  for (std::size_t t = 0; t < dx.rows; ++t) {
    const auto g = [&](std::size_t i) {
      return dy(t, i) * weight[i] / scale[t] +
             d_scale[t] * (x(t, i) - mean[t]) / (width * computed_scale[t]);
    };
    N g_mean = 0;
    if (norm == Norm::layer) {
      for (std::size_t i = 0; i < dx.cols; ++i) g_mean += g(i);
      g_mean /= width;
    }
    for (std::size_t i = 0; i < dx.cols; ++i) dx(t, i) += g(i) - g_mean;
  }
}

}  // namespace lookback::math::reference
