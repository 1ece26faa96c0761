// The language-model loss and its gradient, in float. A row of logits stays in the first-level
// cache while its maximum and the sum of its exponentials are computed and it is turned into its
// gradient.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "lookback/math/simd.h"
#include "lookback/math/targets_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lookback/math/cross_entropy.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// after foreach_target.h
#include "hwy/highway.h"
#include "lookback/math/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lookback::math {
namespace HWY_NAMESPACE {

void cross_entropy(const Matrix<const float>& logits, std::span<const std::uint32_t> targets,
                   std::span<float> losses) {
  for (std::size_t t = 0; t < logits.rows && logits.cols > 0; ++t) {
    const float* row = logits.row(t);
    const float largest = largest_of(row, logits.cols);
    FloatVector sum = hn::Zero(float_tag);
    for_each_vector(logits.cols, [&](std::size_t i, auto part) HWY_ATTR {
      sum = hn::Add(sum, part.keep(exp(hn::Sub(part.load(row + i), set(largest)))));
    });
    losses[t] = std::log(sum_of_lanes(sum)) - (row[targets[t]] - largest);
  }
}

/// row = exp(row - shift); returns the sum.
HWY_INLINE float exponentiate(float* row, std::size_t count, float shift) {
  FloatVector sum = hn::Zero(float_tag);
  for_each_vector(count, [&](std::size_t i, auto part) HWY_ATTR {
    const FloatVector value = exp(hn::Sub(part.load(row + i), set(shift)));
    part.store(value, row + i);
    sum = hn::Add(sum, part.keep(value));
  });
  return sum_of_lanes(sum);
}

void cross_entropy_gradient(float weight, const Matrix<float>& logits,
                            std::span<const std::uint32_t> targets, std::span<float> losses) {
  const std::size_t cols = logits.cols;
  if (cols == 0) return;
  const std::size_t together = rows_together(cols);
  for (std::size_t t = 0; t < logits.rows; t += together) {
    const std::size_t rows = std::min(together, logits.rows - t);
    float shift[max_rows_together];
    float sum[max_rows_together];
    for (std::size_t r = 0; r < rows; ++r) {
      const float* row = logits.row(t + r);
      shift[r] = largest_of(row, cols);
      losses[t + r] = shift[r] - row[targets[t + r]];
    }
    for (std::size_t r = 0; r < rows; ++r) {
      sum[r] = exponentiate(logits.row(t + r), cols, shift[r]);
    }
    for (std::size_t r = 0; r < rows; ++r) {
      float* row = logits.row(t + r);
      const FloatVector scale = set(weight / sum[r]);
      for_each_vector(cols, [&](std::size_t i, auto part) HWY_ATTR {
        part.store(hn::Mul(part.load(row + i), scale), row + i);
      });
      row[targets[t + r]] -= weight;
      losses[t + r] += std::log(sum[r]);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace lookback::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookback::math {

HWY_EXPORT(cross_entropy);
HWY_EXPORT(cross_entropy_gradient);

namespace simd {

void cross_entropy(Matrix<const float> logits, std::span<const std::uint32_t> targets,
                   std::span<float> losses) {
  HWY_DYNAMIC_DISPATCH(cross_entropy)(logits, targets, losses);
}

void cross_entropy_gradient(float weight, Matrix<float> logits,
                            std::span<const std::uint32_t> targets, std::span<float> losses) {
  HWY_DYNAMIC_DISPATCH(cross_entropy_gradient)(weight, logits, targets, losses);
}

}  // namespace simd
}  // namespace lookback::math
#endif  // HWY_ONCE
