// Copying the right factor of a product into panels, in the order in which the inner kernel reads
// them. Compiled once for each instruction set (foreach_target.h).
#include <cstddef>

#include "lookback/math/targets_config.h"
#include "lookback/math/view.h"
// after targets_config.h
#include "hwy/highway.h"
#include "lookback/math/tile-inl.h"

#if defined(LOOKBACK_MATH_PACKING_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LOOKBACK_MATH_PACKING_INL_H_
#undef LOOKBACK_MATH_PACKING_INL_H_
#else
#define LOOKBACK_MATH_PACKING_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace lookback::math {
namespace HWY_NAMESPACE {

// B into a panel [depth, panel_width], once for either unit stride.

HWY_INLINE void pack_rows(const float* b, std::size_t row_stride, std::size_t depth,
                          float* HWY_RESTRICT panel) {
  for (std::size_t k = 0; k < depth; ++k, b += row_stride, panel += panel_width) {
    for (std::size_t j = 0; j < panel_width; j += lanes) {
      hn::Store(hn::LoadU(float_tag, b + j), float_tag, panel + j);
    }
  }
}

#if HWY_TARGET != HWY_SCALAR
/// A vector whose block of four lanes number i holds four elements from b + i * stride on.
template <class Tag>
HWY_INLINE hn::Vec<Tag> load_blocks(Tag tag, const float* b, std::size_t stride) {
  constexpr std::size_t count = hn::MaxLanes(Tag());
  if constexpr (count == 4) {
    return hn::LoadU(tag, b);
  } else {
    const hn::Half<Tag> half;
    return hn::Combine(tag, load_blocks(half, b + count / 8 * stride, stride),
                       load_blocks(half, b, stride));
  }
}

/// Transposes every 4 x 4 block of four vectors, and stores vector i of the result at to + i * stride.
template <class Tag, class Vector = hn::Vec<Tag>>
HWY_INLINE void store_transposed(Tag tag, Vector v0, Vector v1, Vector v2, Vector v3,
                                 float* HWY_RESTRICT to, std::size_t stride) {
  const hn::RepartitionToWide<Tag> pairs;
  const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(tag, v0, v1));
  const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(tag, v2, v3));
  const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(tag, v0, v1));
  const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(tag, v2, v3));
  hn::StoreU(hn::BitCast(tag, hn::InterleaveLower(pairs, low01, low23)), tag, to);
  hn::StoreU(hn::BitCast(tag, hn::InterleaveUpper(pairs, low01, low23)), tag, to + stride);
  hn::StoreU(hn::BitCast(tag, hn::InterleaveLower(pairs, high01, high23)), tag, to + 2 * stride);
  hn::StoreU(hn::BitCast(tag, hn::InterleaveUpper(pairs, high01, high23)), tag, to + 3 * stride);
}

/// Element (k, j) of B lies at b[j * col_stride + k]: four rows of a vector's width are transposed
/// at a time, in blocks of 4 x 4, all blocks of the vectors at once.
HWY_INLINE void pack_columns(const float* b, std::size_t col_stride, std::size_t depth,
                             float* HWY_RESTRICT panel) {
  const std::size_t whole = depth / 4 * 4;
  for (std::size_t j = 0; j < panel_width; j += lanes, b += lanes * col_stride) {
    for (std::size_t k = 0; k < whole; k += 4) {
      // Block i of vector c is column 4 i + c.
      const auto column0 = load_blocks(float_tag, b + k, 4 * col_stride);
      const auto column1 = load_blocks(float_tag, b + col_stride + k, 4 * col_stride);
      const auto column2 = load_blocks(float_tag, b + 2 * col_stride + k, 4 * col_stride);
      const auto column3 = load_blocks(float_tag, b + 3 * col_stride + k, 4 * col_stride);
      store_transposed(float_tag, column0, column1, column2, column3, panel + k * panel_width + j,
                       panel_width);
    }
    for (std::size_t k = whole; k < depth; ++k) {
      for (std::size_t c = 0; c < lanes; ++c) {
        panel[k * panel_width + j + c] = b[c * col_stride + k];
      }
    }
  }
}
#endif

/// `count` rows of A over `depth` terms in the order in which a tile reads them: copy [depth, count].
/// Rows that lie along k are transposed four by four, which is several times faster.
HWY_INLINE void copy_row_block(const float* a, std::size_t row_stride, std::size_t k_stride,
                               std::size_t depth, std::size_t count, float* HWY_RESTRICT copy) {
  std::size_t k = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::Full128<float> four;
  const std::size_t whole = k_stride == 1 && count % 4 == 0 ? depth / 4 * 4 : 0;
  for (; k < whole; k += 4) {
    for (std::size_t r = 0; r < count; r += 4) {
      const float* from = a + r * row_stride + k;
      const auto row0 = hn::LoadU(four, from);
      const auto row1 = hn::LoadU(four, from + row_stride);
      const auto row2 = hn::LoadU(four, from + 2 * row_stride);
      const auto row3 = hn::LoadU(four, from + 3 * row_stride);
      store_transposed(four, row0, row1, row2, row3, copy + k * count + r, count);
    }
  }
#endif
  for (; k < depth; ++k) {
    for (std::size_t r = 0; r < count; ++r) copy[k * count + r] = a[r * row_stride + k * k_stride];
  }
}

/// panel = `cols` columns of B from element (k, n) on; the columns beyond are zero.
HWY_INLINE void pack_panel(const Factor<float>& b, std::size_t k, std::size_t depth, std::size_t n,
                           std::size_t cols, float* HWY_RESTRICT panel) {
  const float* from = b.data + k * b.row_stride + n * b.col_stride;
  if (cols == panel_width && b.col_stride == 1) {
    pack_rows(from, b.row_stride, depth, panel);
    return;
  }
#if HWY_TARGET != HWY_SCALAR
  if (cols == panel_width && b.row_stride == 1) {
    pack_columns(from, b.col_stride, depth, panel);
    return;
  }
#endif
  for (std::size_t r = 0; r < depth; ++r) {
    for (std::size_t j = 0; j < panel_width; ++j) {
      panel[r * panel_width + j] = j < cols ? from[r * b.row_stride + j * b.col_stride] : 0.0F;
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace lookback::math
HWY_AFTER_NAMESPACE();

#endif  // LOOKBACK_MATH_PACKING_INL_H_
