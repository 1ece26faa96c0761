// Operations on single elements and on pairs of them, in float; the mathematics is in
// reference/elementwise.h.
#include <cstddef>
#include <span>

#include "lookback/math/reference/elementwise.h"
#include "lookback/math/simd.h"
#include "lookback/math/targets_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lookback/math/elementwise.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// after foreach_target.h
#include "hwy/highway.h"
#include "lookback/math/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lookback::math {
namespace HWY_NAMESPACE {

void add_values(const float* from, float* to, std::size_t count) {
  for_each_vector(count, [&](std::size_t i, auto part) HWY_ATTR {
    part.store(hn::Add(part.load(to + i), part.load(from + i)), to + i);
  });
}

void add(const Matrix<const float>& x, const Matrix<const float>& y, const Matrix<float>& z) {
  for (std::size_t t = 0; t < z.rows; ++t) {
    for_each_vector(z.cols, [&](std::size_t i, auto part) HWY_ATTR {
      part.store(hn::Add(part.load(x.row(t) + i), part.load(y.row(t) + i)), z.row(t) + i);
    });
  }
}

void add_to(const Matrix<const float>& x, const Matrix<float>& y) {
  for (std::size_t t = 0; t < y.rows; ++t) add_values(x.row(t), y.row(t), y.cols);
}

void add_row(std::span<const float> row, const Matrix<float>& y) {
  for (std::size_t t = 0; t < y.rows; ++t) add_values(row.data(), y.row(t), y.cols);
}

/// Four vectors of columns at a time, so that whole cache lines are read and sums stay in registers.
void add_column_sums(const Matrix<const float>& x, std::span<float> sums) {
  std::size_t i = 0;
  for (; i + 4 * lanes <= x.cols; i += 4 * lanes) {
    FloatVector sum0 = hn::Zero(float_tag);
    FloatVector sum1 = sum0;
    FloatVector sum2 = sum0;
    FloatVector sum3 = sum0;
    const float* from = x.data + i;
    for (std::size_t t = 0; t < x.rows; ++t, from += x.stride) {
      sum0 = hn::Add(sum0, hn::LoadU(float_tag, from));
      sum1 = hn::Add(sum1, hn::LoadU(float_tag, from + lanes));
      sum2 = hn::Add(sum2, hn::LoadU(float_tag, from + 2 * lanes));
      sum3 = hn::Add(sum3, hn::LoadU(float_tag, from + 3 * lanes));
    }
    float* to = sums.data() + i;
    hn::StoreU(hn::Add(hn::LoadU(float_tag, to), sum0), float_tag, to);
    hn::StoreU(hn::Add(hn::LoadU(float_tag, to + lanes), sum1), float_tag, to + lanes);
    hn::StoreU(hn::Add(hn::LoadU(float_tag, to + 2 * lanes), sum2), float_tag, to + 2 * lanes);
    hn::StoreU(hn::Add(hn::LoadU(float_tag, to + 3 * lanes), sum3), float_tag, to + 3 * lanes);
  }
  for_each_vector(x.cols - i, [&](std::size_t j, auto part) HWY_ATTR {
    FloatVector sum = hn::Zero(float_tag);
    for (std::size_t t = 0; t < x.rows; ++t) {
      sum = hn::Add(sum, part.load(x.row(t) + i + j));
    }
    float* to = sums.data() + i + j;
    part.store(hn::Add(part.load(to), sum), to);
  });
}

/// exp(-2 u) with u = sqrt(2/pi) (x + 0.044715 x^3): gelu(x) = x / (1 + exp(-2u)), for
/// (1 + tanh u)/2 = 1 / (1 + exp(-2u)).
HWY_INLINE FloatVector gelu_exponential(FloatVector x, FloatVector square) {
  constexpr auto linear = static_cast<float>(-2 * reference::gelu_slope);
  constexpr auto cubic = static_cast<float>(-2 * reference::gelu_slope * reference::gelu_cubic);
  return exp(hn::Mul(x, hn::MulAdd(square, set(cubic), set(linear))));
}

void gelu(const Matrix<const float>& x, const Matrix<float>& y) {
  for (std::size_t t = 0; t < y.rows; ++t) {
    const float* from = x.row(t);
    float* to = y.row(t);
    for_each_vector(y.cols, [&](std::size_t i, auto part) HWY_ATTR {
      const FloatVector value = part.load(from + i);
      const FloatVector exponential = gelu_exponential(value, hn::Mul(value, value));
      part.store(hn::Div(value, hn::Add(set(1.0F), exponential)), to + i);
    });
  }
}

/// With e = exp(-2u) and s = 1 / (1 + e): gelu' = s + x s', s' = 2 u' s (1 - s) = 2 u' s^2 e.
void gelu_backward(const Matrix<const float>& x, const Matrix<const float>& dy,
                   const Matrix<float>& dx) {
  constexpr auto linear = static_cast<float>(2 * reference::gelu_slope);
  constexpr auto square_coefficient =
      static_cast<float>(2 * reference::gelu_slope * 3 * reference::gelu_cubic);
  for (std::size_t t = 0; t < dx.rows; ++t) {
    const float* from = x.row(t);
    const float* d_from = dy.row(t);
    float* to = dx.row(t);
    for_each_vector(dx.cols, [&](std::size_t i, auto part) HWY_ATTR {
      const FloatVector value = part.load(from + i);
      const FloatVector square = hn::Mul(value, value);
      const FloatVector exponential = gelu_exponential(value, square);
      const FloatVector s = hn::Div(set(1.0F), hn::Add(set(1.0F), exponential));
      const FloatVector one_minus_s = hn::Mul(s, exponential);
      const FloatVector du = hn::MulAdd(square, set(square_coefficient), set(linear));
      const FloatVector slope = hn::Mul(hn::Mul(value, du), one_minus_s);
      const FloatVector derivative = hn::MulAdd(slope, s, s);
      part.store(hn::MulAdd(part.load(d_from + i), derivative, part.load(to + i)), to + i);
    });
  }
}

void rotate(const Matrix<const float>& x, const Matrix<const float>& cosine,
            const Matrix<const float>& sine, Rotation rotation, Update update,
            const Matrix<float>& y) {
  const std::size_t half = y.cols / 2;
  const FloatVector sign = set(rotation == Rotation::forward ? 1.0F : -1.0F);
  const bool add = update == Update::add;
  for (std::size_t t = 0; t < y.rows; ++t) {
    const float* from = x.row(t);
    float* to = y.row(t);
    for_each_vector(half, [&](std::size_t i, auto part) HWY_ATTR {
      const FloatVector c = part.load(cosine.row(t) + i);
      const FloatVector s = hn::Mul(sign, part.load(sine.row(t) + i));
      const FloatVector x0 = part.load(from + i);
      const FloatVector x1 = part.load(from + half + i);
      FloatVector y0 = hn::NegMulAdd(x1, s, hn::Mul(x0, c));
      FloatVector y1 = hn::MulAdd(x0, s, hn::Mul(x1, c));
      if (add) {
        y0 = hn::Add(y0, part.load(to + i));
        y1 = hn::Add(y1, part.load(to + half + i));
      }
      part.store(y0, to + i);
      part.store(y1, to + half + i);
    });
  }
}

void smear(float s, const Matrix<const float>& x, const Matrix<float>& y) {
  const FloatVector own = set(s);
  const FloatVector previous = set(1.0F - s);
  const std::size_t earlier = x.rows - y.rows;
  for (std::size_t t = 0; t < y.rows; ++t) {
    const float* from = x.row(earlier + t);
    const float* before = earlier + t == 0 ? nullptr : x.row(earlier + t - 1);
    float* to = y.row(t);
    for_each_vector(y.cols, [&](std::size_t i, auto part) HWY_ATTR {
      FloatVector value = part.load(from + i);
      if (before != nullptr) {
        value = hn::MulAdd(own, value, hn::Mul(previous, part.load(before + i)));
      }
      part.store(value, to + i);
    });
  }
}

float smear_backward(float s, const Matrix<const float>& x, const Matrix<const float>& dy,
                     const Matrix<float>& dx) {
  FloatVector ds = hn::Zero(float_tag);
  for (std::size_t t = 0; t < dx.rows; ++t) {
    const FloatVector own = set(t == 0 ? 1.0F : s);
    const FloatVector next = set(1.0F - s);
    const float* after = t + 1 == dx.rows ? nullptr : dy.row(t + 1);
    float* to = dx.row(t);
    for_each_vector(dx.cols, [&](std::size_t i, auto part) HWY_ATTR {
      const FloatVector d = part.load(dy.row(t) + i);
      FloatVector sum = hn::MulAdd(own, d, part.load(to + i));
      if (after != nullptr) sum = hn::MulAdd(next, part.load(after + i), sum);
      part.store(sum, to + i);
      if (t == 0) return;
      const FloatVector change = hn::Sub(part.load(x.row(t) + i), part.load(x.row(t - 1) + i));
      ds = hn::MulAdd(d, change, ds);
    });
  }
  return sum_of_lanes(ds);
}

}  // namespace HWY_NAMESPACE
}  // namespace lookback::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookback::math {

HWY_EXPORT(add);
HWY_EXPORT(add_values);
HWY_EXPORT(add_to);
HWY_EXPORT(add_row);
HWY_EXPORT(add_column_sums);
HWY_EXPORT(gelu);
HWY_EXPORT(gelu_backward);
HWY_EXPORT(rotate);
HWY_EXPORT(smear);
HWY_EXPORT(smear_backward);

namespace simd {

void add(Matrix<const float> x, Matrix<const float> y, Matrix<float> z) {
  HWY_DYNAMIC_DISPATCH(add)(x, y, z);
}

void add_to(Matrix<const float> x, Matrix<float> y) { HWY_DYNAMIC_DISPATCH(add_to)(x, y); }

void add_to(std::span<const float> addend, std::span<float> total) {
  HWY_DYNAMIC_DISPATCH(add_values)(addend.data(), total.data(), total.size());
}

void add_row(std::span<const float> row, Matrix<float> y) { HWY_DYNAMIC_DISPATCH(add_row)(row, y); }

void add_column_sums(Matrix<const float> x, std::span<float> sums) {
  if (x.rows == 0) return;  // its data may be null, which has no columns to point at
  HWY_DYNAMIC_DISPATCH(add_column_sums)(x, sums);
}

void gelu(Matrix<const float> x, Matrix<float> y) { HWY_DYNAMIC_DISPATCH(gelu)(x, y); }

void gelu_backward(Matrix<const float> x, Matrix<const float> dy, Matrix<float> dx) {
  HWY_DYNAMIC_DISPATCH(gelu_backward)(x, dy, dx);
}

void rotate(Matrix<const float> x, Matrix<const float> cosine, Matrix<const float> sine,
            Rotation rotation, Update update, Matrix<float> y) {
  HWY_DYNAMIC_DISPATCH(rotate)(x, cosine, sine, rotation, update, y);
}

void smear(float s, Matrix<const float> x, Matrix<float> y) {
  HWY_DYNAMIC_DISPATCH(smear)(s, x, y);
}

float smear_backward(float s, Matrix<const float> x, Matrix<const float> dy, Matrix<float> dx) {
  return HWY_DYNAMIC_DISPATCH(smear_backward)(s, x, dy, dx);
}

}  // namespace simd
}  // namespace lookback::math
#endif  // HWY_ONCE
