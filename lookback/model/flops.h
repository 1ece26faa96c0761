// How many floating-point operations a program needs at least: the basis for measuring its speed.
#pragma once

#include <cstddef>

#include "lookback/model/program.h"

namespace lookback::model {

/// Useful operations of one sequence of T tokens; a multiplication and an addition count as two.
/// Only products are counted: Linear 2 T K N; scores and mixing 2 E for each query and source on or
/// below the diagonal, T (T + 1) / 2 of them per head. Softmax, norms and the optimizer do not
/// count.
struct Flops {
  double forward = 0;
  double backward = 0;  ///< twice the forward: by the input and by the weight (or other factor)

  double total() const { return forward + backward; }
};
Flops useful_flops(const Program& program, std::size_t length);

}  // namespace lookback::model
