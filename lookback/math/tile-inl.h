// The inner kernel of the product: a tile of C that stays in registers while k runs. Compiled once
// for each instruction set (foreach_target.h).
#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "lookback/math/shapes.h"
#include "lookback/math/targets_config.h"
// after targets_config.h
#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "lookback/math/vectors-inl.h"

#if defined(LOOKBACK_MATH_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LOOKBACK_MATH_TILE_INL_H_
#undef LOOKBACK_MATH_TILE_INL_H_
#else
#define LOOKBACK_MATH_TILE_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace lookback::math {
namespace HWY_NAMESPACE {

// The tile: as many independent sums as registers allow, beside the panel's vectors and one
// broadcast element of A. AVX-512 and NEON have 32 registers, AVX2 and SSE4 16.
#if HWY_TARGET == HWY_AVX3
inline constexpr std::size_t max_rows = 12;
inline constexpr std::size_t panel_vectors = 2;
#elif HWY_TARGET == HWY_NEON
inline constexpr std::size_t max_rows = 6;
inline constexpr std::size_t panel_vectors = 4;
#elif HWY_TARGET == HWY_SCALAR
inline constexpr std::size_t max_rows = 3;
inline constexpr std::size_t panel_vectors = 4;
#else
inline constexpr std::size_t max_rows = 6;
inline constexpr std::size_t panel_vectors = 2;
#endif
static_assert(max_rows <= zero_margin);

inline constexpr std::size_t panel_width = panel_vectors * lanes;

/// A row block of A, the packed panel of B, and where their product goes, all panel_width columns.
struct Tile {
  const float* a;  ///< the first row's first element
  std::size_t row_stride;
  std::size_t k_stride;
  const float* panel;  ///< [depth, panel_width]
  std::size_t depth;
  float* c;
  std::size_t c_stride;
  float alpha;
  bool add;
};

/// body(0), body(1), ... body(count - 1) with constants: arrays indexed by them stay in registers,
/// which a loop that the compiler unrolls late does not guarantee.
template <std::size_t count, class Body>
HWY_INLINE void unrolled(const Body& body) {
  [&]<std::size_t... i>(std::index_sequence<i...>) HWY_ATTR {
    (body(std::integral_constant<std::size_t, i>{}), ...);
  }
  (std::make_index_sequence<count>{});
}

/// The rows of A at one k. Three rows share a pointer: addresses are a base plus 0, 1 or 2 strides,
/// which one instruction can name, so that twelve rows need five registers and not thirteen.
template <std::size_t rows>
class RowPointers {
 public:
  HWY_INLINE RowPointers(const float* a, std::size_t row_stride) : row_stride_(row_stride) {
    unrolled<groups>([&](auto g) HWY_ATTR { at_[g] = a + 3 * g * row_stride; });
  }
  HWY_INLINE float element(std::size_t row) const { return at_[row / 3][row % 3 * row_stride_]; }
  HWY_INLINE void advance(std::size_t k_stride) {
    unrolled<groups>([&](auto g) HWY_ATTR { at_[g] += k_stride; });
  }

 private:
  static constexpr std::size_t groups = (rows + 2) / 3;
  const float* at_[groups];
  std::size_t row_stride_;
};

/// A large C is not in the cache, but is needed when the sums are ready.
template <std::size_t rows>
HWY_INLINE void prefetch_result(const Tile& tile) {
  constexpr std::size_t line = 64 / sizeof(float);
  unrolled<rows>([&](auto i) HWY_ATTR {
    const float* row = tile.c + i * tile.c_stride;
    unrolled<(panel_width + line - 1) / line>([&](auto l)
                                                  HWY_ATTR { hwy::Prefetch(row + l * line); });
  });
}

/// The inner kernel: `rows` rows of A times the panel. Not inlined: it needs every register there is.
template <std::size_t rows>
HWY_NOINLINE void multiply_tile(const Tile& tile) {
  FloatVector sums[rows][panel_vectors];
  unrolled<rows>([&](auto i) HWY_ATTR {
    unrolled<panel_vectors>([&](auto j) HWY_ATTR { sums[i][j] = hn::Zero(float_tag); });
  });
  prefetch_result<rows>(tile);
  RowPointers<rows> a(tile.a, tile.row_stride);
  const float* b = tile.panel;
  const std::size_t k_stride = tile.k_stride;
  for (std::size_t k = tile.depth; k > 0; --k, a.advance(k_stride), b += panel_width) {
    FloatVector columns[panel_vectors];
    unrolled<panel_vectors>([&](auto j)
                                HWY_ATTR { columns[j] = hn::Load(float_tag, b + j * lanes); });
    unrolled<rows>([&](auto i) HWY_ATTR {
      const FloatVector element = set(a.element(i));
      unrolled<panel_vectors>(
          [&](auto j) HWY_ATTR { sums[i][j] = hn::MulAdd(element, columns[j], sums[i][j]); });
    });
  }
  // Copies, because the compiler must assume that writing C changes the tile.
  const FloatVector alpha = set(tile.alpha);
  float* const c = tile.c;
  const std::size_t c_stride = tile.c_stride;
  if (tile.add) {
    unrolled<rows>([&](auto i) HWY_ATTR {
      unrolled<panel_vectors>([&](auto j) HWY_ATTR {
        float* to = c + i * c_stride + j * lanes;
        hn::StoreU(hn::MulAdd(alpha, sums[i][j], hn::LoadU(float_tag, to)), float_tag, to);
      });
    });
  } else {
    unrolled<rows>([&](auto i) HWY_ATTR {
      unrolled<panel_vectors>([&](auto j) HWY_ATTR {
        hn::StoreU(hn::Mul(alpha, sums[i][j]), float_tag, c + i * c_stride + j * lanes);
      });
    });
  }
}

/// multiply_tile with the required number of rows, 1 .. max_rows.
template <std::size_t rows = max_rows>
HWY_INLINE void multiply_rows(std::size_t wanted, const Tile& tile) {
  if (wanted == rows) {
    multiply_tile<rows>(tile);
  } else if constexpr (rows > 1) {
    multiply_rows<rows - 1>(wanted, tile);
  }
}

/// The same where C ends after `cols` columns of the panel: by way of a whole tile.
HWY_INLINE void multiply_edge(std::size_t rows, std::size_t cols, Tile tile) {
  HWY_ALIGN float whole[max_rows * panel_width];
  const Tile target = tile;
  tile.c = whole;
  tile.c_stride = panel_width;
  for (std::size_t i = 0; i < rows && tile.add; ++i) {
    const float* from = target.c + i * target.c_stride;
    float* to = whole + i * panel_width;
    std::fill(std::copy(from, from + cols, to), to + panel_width, 0.0F);
  }
  multiply_rows(rows, tile);
  for (std::size_t i = 0; i < rows; ++i) {
    const float* from = whole + i * panel_width;
    std::copy(from, from + cols, target.c + i * target.c_stride);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace lookback::math
HWY_AFTER_NAMESPACE();

#endif  // LOOKBACK_MATH_TILE_INL_H_
