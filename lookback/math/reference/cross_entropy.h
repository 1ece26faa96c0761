// The language-model loss, as a formula. Included through reference.h.
#pragma once

#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "lookback/math/reference/softmax.h"
#include "lookback/math/view.h"

namespace lookback::math::reference {

/// loss_t = -log softmax(l_t)[target_t] = m + log sum_v exp(l_tv - m) - l_t,target, in nats.
/// logits [T,V], targets [T], each < V; losses [T].
template <class N>
void cross_entropy(Matrix<const N> logits, std::span<const std::uint32_t> targets,
                   std::type_identity_t<std::span<N>> losses) {
  for (std::size_t t = 0; t < logits.rows; ++t) {
    const N* row = logits.row(t);
    const auto largest = largest_real_part(row, logits.cols);
    N sum = 0;
    for (std::size_t v = 0; v < logits.cols; ++v) sum += std::exp(row[v] - largest);
    losses[t] = std::log(sum) - (row[targets[t]] - largest);
  }
}

/// The same losses; the logits become d(weight sum_t loss_t)/dl_tv = weight (p_tv - 1[v = target]).
template <class N>
void cross_entropy_gradient(std::type_identity_t<N> weight, Matrix<N> logits,
                            std::span<const std::uint32_t> targets,
                            std::type_identity_t<std::span<N>> losses) {
  cross_entropy<N>(logits, targets, losses);
  for (std::size_t t = 0; t < logits.rows; ++t) {
    N* row = logits.row(t);
    const auto largest = largest_real_part(row, logits.cols);
    N sum = 0;
    for (std::size_t v = 0; v < logits.cols; ++v) sum += std::exp(row[v] - largest);
    for (std::size_t v = 0; v < logits.cols; ++v) {
      const N probability = std::exp(row[v] - largest) / sum;
      const N hit = static_cast<N>(v == targets[t] ? 1 : 0);
      row[v] = weight * (probability - hit);
    }
  }
}

}  // namespace lookback::math::reference
