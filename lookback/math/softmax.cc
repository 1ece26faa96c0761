// The causal softmax of attention and its gradient, in float. A row stays in the first-level cache
// while its maximum, its exponentials and their sum are computed; nothing right of the diagonal is.
#include <algorithm>
#include <cstddef>

#include "lookback/math/simd.h"
#include "lookback/math/targets_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lookback/math/softmax.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// after foreach_target.h
#include "hwy/highway.h"
#include "lookback/math/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lookback::math {
namespace HWY_NAMESPACE {

/// The first `count` lanes of a vector whose other lanes exist too and may be overwritten.
struct Leading {
  std::size_t count;

  HWY_INLINE FloatVector load(const float* from) const { return hn::LoadU(float_tag, from); }
  HWY_INLINE void store(FloatVector v, float* to) const { hn::StoreU(v, float_tag, to); }
  HWY_INLINE FloatVector keep(FloatVector v) const { return First{count}.keep(v); }
  HWY_INLINE FloatVector keep(FloatVector v, FloatVector otherwise) const {
    return First{count}.keep(v, otherwise);
  }
};

/// for_each_vector over the first `count` of `cols` columns. If the row continues far enough, the
/// last vector is read and written whole, which is faster than a masked store.
template <class Body>
HWY_INLINE void for_each_causal_vector(std::size_t count, std::size_t cols, const Body& body) {
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) body(i, Whole{});
  if (i == count) return;
  if (i + lanes <= cols) {
    body(i, Leading{count - i});
  } else {
    body(i, First{count - i});
  }
}

/// The zeros that blocked products may read right of the diagonal (see zero_margin).
HWY_INLINE void write_zero_margin(const Matrix<float>& matrix, std::size_t t, std::size_t count) {
  const std::size_t begin = std::min(count, matrix.cols);
  const std::size_t end = std::min(begin + zero_margin, matrix.cols);
  std::fill(matrix.row(t) + begin, matrix.row(t) + end, 0.0F);
}

/// row = exp(row - shift); returns the sum.
HWY_INLINE float exponentiate(float* row, std::size_t count, std::size_t cols, float shift) {
  FloatVector sum = hn::Zero(float_tag);
  for_each_causal_vector(count, cols, [&](std::size_t i, auto part) HWY_ATTR {
    const FloatVector value = part.keep(exp(hn::Sub(part.load(row + i), set(shift))));
    part.store(value, row + i);
    sum = hn::Add(sum, value);
  });
  return sum_of_lanes(sum);
}

void softmax_causal(const Matrix<float>& scores, std::size_t first) {
  const std::size_t cols = scores.cols;
  if (cols == 0) return;
  const std::size_t together = rows_together(cols);
  for (std::size_t t = 0; t < scores.rows; t += together) {
    const std::size_t rows = std::min(together, scores.rows - t);
    float shift[max_rows_together];
    float sum[max_rows_together];
    for (std::size_t r = 0; r < rows; ++r) {
      shift[r] = largest_of(scores.row(t + r), std::min(first + t + r + 1, cols));
    }
    for (std::size_t r = 0; r < rows; ++r) {
      sum[r] = exponentiate(scores.row(t + r), std::min(first + t + r + 1, cols), cols, shift[r]);
    }
    for (std::size_t r = 0; r < rows; ++r) {
      float* row = scores.row(t + r);
      const FloatVector inverse = set(1.0F / sum[r]);
      for_each_causal_vector(std::min(first + t + r + 1, cols), cols,
                             [&](std::size_t i, auto part) HWY_ATTR {
                               part.store(hn::Mul(part.load(row + i), inverse), row + i);
                             });
      write_zero_margin(scores, t + r, first + t + r + 1);
    }
  }
}

void softmax_causal_backward(const Matrix<const float>& pattern, const Matrix<float>& gradient) {
  const std::size_t cols = std::min(pattern.cols, gradient.cols);
  const std::size_t together = rows_together(cols);
  for (std::size_t t = 0; t < gradient.rows; t += together) {
    const std::size_t rows = std::min(together, gradient.rows - t);
    float mean[max_rows_together];
    for (std::size_t r = 0; r < rows; ++r) {
      const float* p = pattern.row(t + r);
      const float* g = gradient.row(t + r);
      FloatVector sum = hn::Zero(float_tag);
      for_each_causal_vector(
          std::min(t + r + 1, cols), cols, [&](std::size_t i, auto part) HWY_ATTR {
            sum = hn::Add(sum, part.keep(hn::Mul(part.load(p + i), part.load(g + i))));
          });
      mean[r] = sum_of_lanes(sum);
    }
    for (std::size_t r = 0; r < rows; ++r) {
      const float* p = pattern.row(t + r);
      float* g = gradient.row(t + r);
      for_each_causal_vector(
          std::min(t + r + 1, cols), cols, [&](std::size_t i, auto part) HWY_ATTR {
            part.store(hn::Mul(part.load(p + i), hn::Sub(part.load(g + i), set(mean[r]))), g + i);
          });
      write_zero_margin(gradient, t + r, t + r + 1);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace lookback::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookback::math {

HWY_EXPORT(softmax_causal);
HWY_EXPORT(softmax_causal_backward);

namespace simd {

void softmax_causal(Matrix<float> scores, std::size_t first) {
  HWY_DYNAMIC_DISPATCH(softmax_causal)(scores, first);
}

void softmax_causal_backward(Matrix<const float> pattern, Matrix<float> gradient) {
  HWY_DYNAMIC_DISPATCH(softmax_causal_backward)(pattern, gradient);
}

}  // namespace simd
}  // namespace lookback::math
#endif  // HWY_ONCE
