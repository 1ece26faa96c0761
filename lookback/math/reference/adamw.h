// The optimizer's update and the norm it clips by, as formulas. Included through reference.h.
#pragma once

#include <cmath>
#include <complex>
#include <cstddef>
#include <span>
#include <type_traits>

#include "lookback/math/shapes.h"

namespace lookback::math::reference {

/// With g = gradient_scale * gradient:
///   m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2,
///   p -= learning_rate ((m / correction1) / (sqrt(v / correction2) + epsilon) + weight_decay p).
/// Loshchilov and Hutter 2019, algorithm 2. All spans have the same length.
template <class N>
void adamw(const AdamW& update, std::span<N> parameters,
           std::type_identity_t<std::span<const N>> gradient,
           std::type_identity_t<std::span<N>> first_moment,
           std::type_identity_t<std::span<N>> second_moment) {
  const N one = static_cast<N>(1);
  const N beta1 = static_cast<N>(update.beta1);
  const N beta2 = static_cast<N>(update.beta2);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const N g = static_cast<N>(update.gradient_scale) * gradient[i];
    N& m = first_moment[i];
    N& v = second_moment[i];
    m = beta1 * m + (one - beta1) * g;
    v = beta2 * v + (one - beta2) * g * g;
    const N corrected_m = m / static_cast<N>(update.correction1);
    const N corrected_v = v / static_cast<N>(update.correction2);
    const N step = corrected_m / (std::sqrt(corrected_v) + static_cast<N>(update.epsilon));
    parameters[i] -= static_cast<N>(update.learning_rate) *
                     (step + static_cast<N>(update.weight_decay) * parameters[i]);
  }
}

/// sum_i values_i^2.
template <class N>
N sum_of_squares(std::span<const N> values) {
  N sum = 0;
  for (const N& value : values) sum += value * value;
  return sum;
}

}  // namespace lookback::math::reference
