// What the vector kernels share: a vector of the current instruction set, loops with a partial last
// vector, sums and maxima of lanes, and exp. Compiled once for each instruction set
// (foreach_target.h).
#include <cstddef>

#include "lookback/math/targets_config.h"
// after targets_config.h
#include "hwy/highway.h"

#if defined(LOOKBACK_MATH_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LOOKBACK_MATH_VECTORS_INL_H_
#undef LOOKBACK_MATH_VECTORS_INL_H_
#else
#define LOOKBACK_MATH_VECTORS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace lookback::math {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using FloatVector = hn::Vec<FloatTag>;

inline constexpr FloatTag float_tag;
inline constexpr std::size_t lanes = hn::MaxLanes(FloatTag());

/// Whether masked loads and stores touch only the lanes they are asked for. Elsewhere a short copy
/// does it.
inline constexpr bool has_masked_memory = HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3;

HWY_INLINE FloatVector set(float value) { return hn::Set(float_tag, value); }

/// How a loop's body reads and writes a whole vector ...
struct Whole {
  HWY_INLINE FloatVector load(const float* from) const { return hn::LoadU(float_tag, from); }
  HWY_INLINE void store(FloatVector v, float* to) const { hn::StoreU(v, float_tag, to); }
  HWY_INLINE FloatVector keep(FloatVector v) const { return v; }
  HWY_INLINE FloatVector keep(FloatVector v, FloatVector /*otherwise*/) const { return v; }
};

/// ... and the first `count` lanes of one, where memory ends: the rest is read as zero and never
/// touched. `keep` replaces the lanes beyond by zero or by `otherwise`, for sums and maxima.
struct First {
  std::size_t count;  // 0 < count < lanes

  HWY_INLINE FloatVector load(const float* from) const {
    if constexpr (has_masked_memory) {
      return hn::MaskedLoad(hn::FirstN(float_tag, count), float_tag, from);
    } else {
      HWY_ALIGN float copy[lanes] = {};
      for (std::size_t i = 0; i < count; ++i) copy[i] = from[i];
      return hn::Load(float_tag, copy);
    }
  }
  HWY_INLINE void store(FloatVector v, float* to) const {
    if constexpr (has_masked_memory) {
      hn::BlendedStore(v, hn::FirstN(float_tag, count), float_tag, to);
    } else {
      HWY_ALIGN float copy[lanes];
      hn::Store(v, float_tag, copy);
      for (std::size_t i = 0; i < count; ++i) to[i] = copy[i];
    }
  }
  HWY_INLINE FloatVector keep(FloatVector v) const {
    return hn::IfThenElseZero(hn::FirstN(float_tag, count), v);
  }
  HWY_INLINE FloatVector keep(FloatVector v, FloatVector otherwise) const {
    return hn::IfThenElse(hn::FirstN(float_tag, count), v, otherwise);
  }
};

/// body(i, part) for every vector of 0 .. count, where `part` is a Whole or, at the end, a First.
template <class Body>
HWY_INLINE void for_each_vector(std::size_t count, const Body& body) {
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) body(i, Whole{});
  if (i < count) body(i, First{count - i});
}

HWY_INLINE float sum_of_lanes(FloatVector v) { return hn::GetLane(hn::SumOfLanes(float_tag, v)); }
HWY_INLINE float max_of_lanes(FloatVector v) { return hn::GetLane(hn::MaxOfLanes(float_tag, v)); }

/// The largest of row[0 .. count), count > 0, in four chains, because each step waits for the one
/// before.
HWY_INLINE float largest_of(const float* row, std::size_t count) {
  FloatVector largest = set(row[0]);
  std::size_t i = 0;
  if (count >= 4 * lanes) {
    FloatVector other1 = largest;
    FloatVector other2 = largest;
    FloatVector other3 = largest;
    for (; i + 4 * lanes <= count; i += 4 * lanes) {
      largest = hn::Max(largest, hn::LoadU(float_tag, row + i));
      other1 = hn::Max(other1, hn::LoadU(float_tag, row + i + lanes));
      other2 = hn::Max(other2, hn::LoadU(float_tag, row + i + 2 * lanes));
      other3 = hn::Max(other3, hn::LoadU(float_tag, row + i + 3 * lanes));
    }
    largest = hn::Max(hn::Max(largest, other1), hn::Max(other2, other3));
  }
  for_each_vector(count - i, [&](std::size_t j, auto part) HWY_ATTR {
    largest = hn::Max(largest, part.keep(part.load(row + i + j), largest));
  });
  return max_of_lanes(largest);
}

/// How many rows to take through one step after another together: the steps of a row wait for its
/// maximum and its sum, those of its neighbors do not. As many as surely fit into the first-level
/// cache.
inline constexpr std::size_t max_rows_together = 4;
HWY_INLINE std::size_t rows_together(std::size_t cols) {
  return cols <= 1024 ? max_rows_together : 1;
}

/// x clamped to low .. high; NaN stays NaN. For Max and Min, x86 returns the second operand if
/// either is NaN, and NEON returns NaN; the scalar ones return the other operand, hence the
/// comparisons there.
HWY_INLINE FloatVector limited(FloatVector x, float low, float high) {
#if HWY_TARGET == HWY_SCALAR
  x = hn::IfThenElse(hn::Lt(x, set(low)), set(low), x);
  return hn::IfThenElse(hn::Gt(x, set(high)), set(high), x);
#else
  return hn::Min(set(high), hn::Max(set(low), x));
#endif
}

/// exp(x) to 2 units in the last place for -87.3 <= x <= 88.3; beyond, the exp of the nearer end:
/// 1.2e-38 stands for all that is smaller. NaN gives NaN.
///
/// x = k ln 2 + r with |r| <= ln(2)/2, ln 2 in two parts (Cody and Waite 1980); exp(x) = 2^k exp(r);
/// exp(r) = 1 + r + r^2 q(r). The polynomial q of degree 4 has the least relative error of exp(r) on
/// that interval (Remez's exchange in 50 digits): 3.8e-9, a sixteenth of the unit roundoff.
HWY_INLINE FloatVector exp(FloatVector x) {
  const hn::RebindToSigned<FloatTag> int_tag;
  x = limited(x, -87.3F, 88.3F);
  // Adding 1.5 * 2^23 rounds to an integer, which is then found in the low bits of the sum.
  const FloatVector shifter = set(12582912.0F);
  const FloatVector shifted = hn::MulAdd(x, set(1.44269504F), shifter);
  const FloatVector k = hn::Sub(shifted, shifter);
  FloatVector r = hn::NegMulAdd(k, set(0.693145752F), x);
  r = hn::NegMulAdd(k, set(1.42860677e-6F), r);
  // q in Estrin's order and 1 + r aside: shorter chains of operations than Horner's.
  const FloatVector square = hn::Mul(r, r);
  const FloatVector q01 = hn::MulAdd(set(1.66665211e-1F), r, set(0.49999994F));
  const FloatVector q23 = hn::MulAdd(set(8.36871658e-3F), r, set(4.1668389e-2F));
  const FloatVector q = hn::MulAdd(hn::MulAdd(set(1.38145988e-3F), square, q23), square, q01);
  const FloatVector p = hn::MulAdd(q, square, hn::Add(set(1.0F), r));
  const auto exponent = hn::Add(hn::BitCast(int_tag, shifted), hn::Set(int_tag, 127));
  return hn::Mul(p, hn::BitCast(float_tag, hn::ShiftLeft<23>(exponent)));
}

}  // namespace HWY_NAMESPACE
}  // namespace lookback::math
HWY_AFTER_NAMESPACE();

#endif  // LOOKBACK_MATH_VECTORS_INL_H_
