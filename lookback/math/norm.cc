// Layer norm and RMS norm, in float; the mathematics is in reference/norm.h.
#include <cmath>
#include <cstddef>
#include <span>

#include "lookback/math/simd.h"
#include "lookback/math/targets_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lookback/math/norm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// after foreach_target.h
#include "hwy/highway.h"
#include "lookback/math/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lookback::math {
namespace HWY_NAMESPACE {

HWY_INLINE float row_sum(const float* row, std::size_t count) {
  FloatVector sum = hn::Zero(float_tag);
  for_each_vector(
      count, [&](std::size_t i, auto part) HWY_ATTR { sum = hn::Add(sum, part.load(row + i)); });
  return sum_of_lanes(sum);
}

/// Two passes over the row, which is in the cache: the one-pass formula mean(x^2) - mean(x)^2
/// cancels if the mean is large.
void norm_statistics(Norm norm, double epsilon, const Matrix<const float>& x, std::span<float> mean,
                     std::span<float> scale) {
  const float inverse_width = 1.0F / static_cast<float>(x.cols);
  for (std::size_t t = 0; t < x.rows; ++t) {
    const float* row = x.row(t);
    mean[t] = norm == Norm::layer ? row_sum(row, x.cols) * inverse_width : 0.0F;
    const FloatVector center = set(mean[t]);
    FloatVector squares = hn::Zero(float_tag);
    for_each_vector(x.cols, [&](std::size_t i, auto part) HWY_ATTR {
      const FloatVector offset = part.keep(hn::Sub(part.load(row + i), center));
      squares = hn::MulAdd(offset, offset, squares);
    });
    const float variance = sum_of_lanes(squares) * inverse_width;
    scale[t] = std::sqrt(variance + static_cast<float>(epsilon));
  }
}

void norm_apply(const Matrix<const float>& x, std::span<const float> mean,
                std::span<const float> scale, std::span<const float> weight,
                std::span<const float> bias, const Matrix<float>& y) {
  for (std::size_t t = 0; t < y.rows; ++t) {
    const float* from = x.row(t);
    float* to = y.row(t);
    const FloatVector center = set(mean[t]);
    const FloatVector inverse = set(1.0F / scale[t]);
    const auto normalized = [&](std::size_t i, auto part) HWY_ATTR {
      const FloatVector offset = hn::Sub(part.load(from + i), center);
      return hn::Mul(hn::Mul(offset, inverse), part.load(weight.data() + i));
    };
    if (bias.empty()) {
      for_each_vector(y.cols, [&](std::size_t i, auto part)
                                  HWY_ATTR { part.store(normalized(i, part), to + i); });
    } else {
      for_each_vector(y.cols, [&](std::size_t i, auto part) HWY_ATTR {
        part.store(hn::Add(normalized(i, part), part.load(bias.data() + i)), to + i);
      });
    }
  }
}

void norm_backward_scale(const Matrix<const float>& x, std::span<const float> mean,
                         std::span<const float> scale, std::span<const float> weight,
                         const Matrix<const float>& dy, std::span<float> d_weight,
                         std::span<float> d_bias, std::span<float> d_scale) {
  for (std::size_t t = 0; t < x.rows; ++t) {
    const float* row = x.row(t);
    const float* d_row = dy.row(t);
    const FloatVector center = set(mean[t]);
    const float inverse_scale = 1.0F / scale[t];
    FloatVector sum = hn::Zero(float_tag);
    for_each_vector(x.cols, [&](std::size_t i, auto part) HWY_ATTR {
      const FloatVector offset = hn::Sub(part.load(row + i), center);
      const FloatVector dy_normalized =
          hn::Mul(part.load(d_row + i), hn::Mul(offset, set(inverse_scale)));
      float* dw = d_weight.data() + i;
      part.store(hn::Add(part.load(dw), dy_normalized), dw);
      // Beyond the end dy is zero, so that the sum needs no mask.
      sum = hn::MulAdd(dy_normalized, part.load(weight.data() + i), sum);
    });
    d_scale[t] = -sum_of_lanes(sum) * inverse_scale;
    if (d_bias.empty()) continue;
    for_each_vector(x.cols, [&](std::size_t i, auto part) HWY_ATTR {
      float* db = d_bias.data() + i;
      part.store(hn::Add(part.load(db), part.load(d_row + i)), db);
    });
  }
}

void norm_backward_input(Norm norm, const Matrix<const float>& x, std::span<const float> mean,
                         std::span<const float> scale, std::span<const float> computed_scale,
                         std::span<const float> weight, const Matrix<const float>& dy,
                         std::span<const float> d_scale, const Matrix<float>& dx) {
  const float width = static_cast<float>(dx.cols);
  for (std::size_t t = 0; t < dx.rows; ++t) {
    const float* row = x.row(t);
    const float* d_row = dy.row(t);
    float* to = dx.row(t);
    const FloatVector center = set(mean[t]);
    const FloatVector inverse = set(1.0F / scale[t]);
    const FloatVector through_scale = set(d_scale[t] / (width * computed_scale[t]));
    const auto g = [&](std::size_t i, auto part) HWY_ATTR {
      const FloatVector direct = hn::Mul(part.load(d_row + i), part.load(weight.data() + i));
      const FloatVector offset = hn::Sub(part.load(row + i), center);
      return hn::MulAdd(direct, inverse, hn::Mul(through_scale, offset));
    };
    FloatVector sum = hn::Zero(float_tag);
    if (norm == Norm::layer) {
      for_each_vector(dx.cols, [&](std::size_t i, auto part)
                                   HWY_ATTR { sum = hn::Add(sum, part.keep(g(i, part))); });
    }
    const FloatVector g_mean = set(sum_of_lanes(sum) / width);
    for_each_vector(dx.cols, [&](std::size_t i, auto part) HWY_ATTR {
      part.store(hn::Add(part.load(to + i), hn::Sub(g(i, part), g_mean)), to + i);
    });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace lookback::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookback::math {

HWY_EXPORT(norm_statistics);
HWY_EXPORT(norm_apply);
HWY_EXPORT(norm_backward_scale);
HWY_EXPORT(norm_backward_input);

namespace simd {

void norm_statistics(Norm norm, double epsilon, Matrix<const float> x, std::span<float> mean,
                     std::span<float> scale) {
  HWY_DYNAMIC_DISPATCH(norm_statistics)(norm, epsilon, x, mean, scale);
}

void norm_apply(Matrix<const float> x, std::span<const float> mean, std::span<const float> scale,
                std::span<const float> weight, std::span<const float> bias, Matrix<float> y) {
  HWY_DYNAMIC_DISPATCH(norm_apply)(x, mean, scale, weight, bias, y);
}

void norm_backward_scale(Matrix<const float> x, std::span<const float> mean,
                         std::span<const float> scale, std::span<const float> weight,
                         Matrix<const float> dy, std::span<float> d_weight, std::span<float> d_bias,
                         std::span<float> d_scale) {
  HWY_DYNAMIC_DISPATCH(norm_backward_scale)
  (x, mean, scale, weight, dy, d_weight, d_bias, d_scale);
}

void norm_backward_input(Norm norm, Matrix<const float> x, std::span<const float> mean,
                         std::span<const float> scale, std::span<const float> computed_scale,
                         std::span<const float> weight, Matrix<const float> dy,
                         std::span<const float> d_scale, Matrix<float> dx) {
  HWY_DYNAMIC_DISPATCH(norm_backward_input)
  (norm, x, mean, scale, computed_scale, weight, dy, d_scale, dx);
}

}  // namespace simd
}  // namespace lookback::math
#endif  // HWY_ONCE
