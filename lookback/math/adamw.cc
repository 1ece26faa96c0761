// The optimizer's update in one pass, and the sum it clips by, in float; the mathematics is in
// reference/adamw.h.
#include <array>
#include <cstddef>
#include <span>

#include "lookback/math/simd.h"
#include "lookback/math/targets_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lookback/math/adamw.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// after foreach_target.h
#include "hwy/highway.h"
#include "lookback/math/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lookback::math {
namespace HWY_NAMESPACE {

void adamw(const AdamW& update, std::span<float> parameters, std::span<const float> gradient,
           std::span<float> first_moment, std::span<float> second_moment) {
  const FloatVector inverse_correction1 = set(1.0F / update.correction1);
  const FloatVector inverse_correction2 = set(1.0F / update.correction2);
  for_each_vector(parameters.size(), [&](std::size_t i, auto part) HWY_ATTR {
    float* p_at = parameters.data() + i;
    float* m_at = first_moment.data() + i;
    float* v_at = second_moment.data() + i;
    const FloatVector g = hn::Mul(set(update.gradient_scale), part.load(gradient.data() + i));
    const FloatVector m =
        hn::MulAdd(set(update.beta1), part.load(m_at), hn::Mul(set(1.0F - update.beta1), g));
    const FloatVector v = hn::MulAdd(set(update.beta2), part.load(v_at),
                                     hn::Mul(set(1.0F - update.beta2), hn::Mul(g, g)));
    part.store(m, m_at);
    part.store(v, v_at);
    const FloatVector root = hn::Sqrt(hn::Mul(v, inverse_correction2));
    const FloatVector step =
        hn::Div(hn::Mul(m, inverse_correction1), hn::Add(root, set(update.epsilon)));
    const FloatVector p = part.load(p_at);
    const FloatVector decayed = hn::MulAdd(set(update.weight_decay), p, step);
    part.store(hn::NegMulAdd(set(update.learning_rate), decayed, p), p_at);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace lookback::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookback::math {

HWY_EXPORT(adamw);

namespace simd {

void adamw(const AdamW& update, std::span<float> parameters, std::span<const float> gradient,
           std::span<float> first_moment, std::span<float> second_moment) {
  HWY_DYNAMIC_DISPATCH(adamw)(update, parameters, gradient, first_moment, second_moment);
}

/// Sixteen sums side by side, so that the compiler may use vectors of any length and the order is
/// still the same: this result has the same bits on every instruction set.
double sum_of_squares(std::span<const float> values) {
  constexpr std::size_t width = 16;
  std::array<double, width> sums{};
  std::size_t i = 0;
  for (; i + width <= values.size(); i += width) {
    for (std::size_t j = 0; j < width; ++j) {
      const double value = values[i + j];
      sums[j] += value * value;
    }
  }
  for (std::size_t j = 0; i + j < values.size(); ++j) {
    const double value = values[i + j];
    sums[j] += value * value;
  }
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace simd
}  // namespace lookback::math
#endif  // HWY_ONCE
