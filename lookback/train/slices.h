// The flat parameter buffer in slices that workers take one at a time. The slices do not depend on
// the number of workers, so sums over them have one order.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "lookback/base/workers.h"
#include "lookback/model/program.h"

namespace lookback::train {

/// A stretch of one parameter.
struct Slice {
  std::size_t parameter = 0;  ///< in program.parameters
  std::size_t offset = 0;     ///< in the flat buffer
  std::size_t size = 0;

  template <class T>
  std::span<T> of(std::span<T> buffer) const {
    return buffer.subspan(offset, size);
  }
};

/// Covers every parameter once, in the order of the buffer; gaps between parameters are left out.
std::vector<Slice> cut_into_slices(const model::Program& program);

/// The Euclidean norm of a gradient [buffer_size]: the squares of each slice are summed in double, and
/// these sums in the order of the slices. The same bits on any number of workers and on every
/// instruction set.
double gradient_norm(std::span<const Slice> slices, std::span<const float> gradient,
                     base::Workers& workers);

/// What a gradient of this norm is multiplied by so that its norm is at most `clip` (Pascanu et al.
/// 2013). A clip of 0 means no clipping.
double clipping_scale(double norm, double clip);

}  // namespace lookback::train
