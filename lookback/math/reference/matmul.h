// The matrix product, as a formula. Included through reference.h.
#pragma once

#include <cstddef>
#include <type_traits>

#include "lookback/math/shapes.h"
#include "lookback/math/view.h"

namespace lookback::math::reference {

/// C(i, j) = alpha sum_k A(i, k) B(k, j), added to what was there with Update::add.
/// `part` limits j (lower_result) or k (lower_left, upper_left) to where the terms are not zero.
template <class N>
void matmul(std::type_identity_t<N> alpha, Factor<N> a, Factor<N> b, Matrix<N> c, Update update,
            Part part) {
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < b.cols; ++j) {
      if (part == Part::lower_result && j > i) break;
      N sum = 0;
      for (std::size_t k = 0; k < a.cols; ++k) {
        if (part == Part::lower_left && k > i) continue;
        if (part == Part::upper_left && k < i) continue;
        sum += a(i, k) * b(k, j);
      }
      c(i, j) = update == Update::add ? c(i, j) + alpha * sum : alpha * sum;
    }
  }
}

}  // namespace lookback::math::reference
