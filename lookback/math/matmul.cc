// The register-blocked product in float: C = alpha A B.
//
// C is computed in tiles of `max_rows` x `panel_width` that stay in registers while k runs. For each
// block of k and each panel of columns, B's part is copied once into a small buffer in the order in
// which it is read (whichever of its strides is 1), and all row blocks of A pass over it from the
// cache. A is read where it lies. Goto and van de Geijn 2008, "Anatomy of high-performance matrix
// multiplication"; Van Zee and van de Geijn 2015 (BLIS).
//
// Every element of C is summed over k in ascending order, one rounding a term (two where the
// machine has no fused multiply-add), in runs of `block_depth` terms: the result depends on nothing
// but the arguments and the instruction set.
#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "lookback/math/simd.h"
#include "lookback/math/targets_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lookback/math/matmul.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// after foreach_target.h
#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "lookback/math/vectors-inl.h"

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
inline constexpr std::size_t block_depth = 256;  ///< a panel is 16 KiB (AVX-512: 32 KiB)
inline constexpr std::size_t block_rows = 256;   ///< 256 KiB of A pass over one packed panel
inline constexpr std::size_t large_rows = 64;    ///< from so many on, packing together pays
inline constexpr std::size_t large_cols = 512;   ///< from so many on, copying A pays

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
/// which a loop that the compiler unrolls late does not ensure.
template <std::size_t count, class Body>
HWY_INLINE void unrolled(const Body& body) {
  [&]<std::size_t... i>(std::index_sequence<i...>) HWY_ATTR {
    (body(std::integral_constant<std::size_t, i>{}), ...);
  }
  (std::make_index_sequence<count>{});
}

/// The inner kernel: `rows` rows of A times the panel. Not inlined: it needs every register there is.
template <std::size_t rows>
HWY_NOINLINE void multiply_tile(const Tile& tile) {
  FloatVector sums[rows][panel_vectors];
  unrolled<rows>([&](auto i) HWY_ATTR {
    unrolled<panel_vectors>([&](auto j) HWY_ATTR { sums[i][j] = hn::Zero(float_tag); });
  });
  // C is not in the cache where it is large, and is wanted when the sums are ready.
  unrolled<rows>([&](auto i) HWY_ATTR { hwy::Prefetch(tile.c + i * tile.c_stride); });
  const float* a = tile.a;
  const float* b = tile.panel;
  const std::size_t row_stride = tile.row_stride;
  const std::size_t k_stride = tile.k_stride;
  for (std::size_t k = tile.depth; k > 0; --k, a += k_stride, b += panel_width) {
    FloatVector columns[panel_vectors];
    unrolled<panel_vectors>([&](auto j)
                                HWY_ATTR { columns[j] = hn::Load(float_tag, b + j * lanes); });
    unrolled<rows>([&](auto i) HWY_ATTR {
      const FloatVector element = set(a[i * row_stride]);
      unrolled<panel_vectors>(
          [&](auto j) HWY_ATTR { sums[i][j] = hn::MulAdd(element, columns[j], sums[i][j]); });
    });
  }
  // Copies, for the compiler must suppose that writing C changes the tile.
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

/// multiply_tile with as many rows as wanted, 1 .. max_rows.
template <std::size_t rows = max_rows>
HWY_INLINE void multiply_rows(std::size_t wanted, const Tile& tile) {
  if (wanted == rows) {
    multiply_tile<rows>(tile);
  } else if constexpr (rows > 1) {
    multiply_rows<rows - 1>(wanted, tile);
  }
}

/// The same where C ends after `cols` columns of the panel: by way of a whole tile.
void multiply_edge(std::size_t rows, std::size_t cols, Tile tile) {
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

// Copying B into a panel [depth, panel_width], once for either unit stride.

void pack_rows(const float* b, std::size_t row_stride, std::size_t depth,
               float* HWY_RESTRICT panel) {
  for (std::size_t k = 0; k < depth; ++k, b += row_stride, panel += panel_width) {
    for (std::size_t j = 0; j < panel_width; j += lanes) {
      hn::Store(hn::LoadU(float_tag, b + j), float_tag, panel + j);
    }
  }
}

#if HWY_TARGET != HWY_SCALAR
/// Transposes blocks of 4 x 4: element (k, j) of B lies at b[j * col_stride + k].
void pack_columns(const float* b, std::size_t col_stride, std::size_t depth,
                  float* HWY_RESTRICT panel) {
  const hn::CappedTag<float, 4> four;
  const hn::RepartitionToWide<decltype(four)> pairs;
  const std::size_t whole = depth / 4 * 4;
  for (std::size_t j = 0; j < panel_width; j += 4, b += 4 * col_stride) {
    for (std::size_t k = 0; k < whole; k += 4) {
      const auto column0 = hn::LoadU(four, b + k);
      const auto column1 = hn::LoadU(four, b + col_stride + k);
      const auto column2 = hn::LoadU(four, b + 2 * col_stride + k);
      const auto column3 = hn::LoadU(four, b + 3 * col_stride + k);
      const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(four, column0, column1));
      const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(four, column2, column3));
      const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(four, column0, column1));
      const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(four, column2, column3));
      float* to = panel + k * panel_width + j;
      const auto row0 = hn::BitCast(four, hn::InterleaveLower(pairs, low01, low23));
      const auto row1 = hn::BitCast(four, hn::InterleaveUpper(pairs, low01, low23));
      const auto row2 = hn::BitCast(four, hn::InterleaveLower(pairs, high01, high23));
      const auto row3 = hn::BitCast(four, hn::InterleaveUpper(pairs, high01, high23));
      hn::Store(row0, four, to);
      hn::Store(row1, four, to + panel_width);
      hn::Store(row2, four, to + 2 * panel_width);
      hn::Store(row3, four, to + 3 * panel_width);
    }
    for (std::size_t k = whole; k < depth; ++k) {
      for (std::size_t c = 0; c < 4; ++c) panel[k * panel_width + j + c] = b[c * col_stride + k];
    }
  }
}
#endif

/// panel = `cols` columns of B from element (k, n) on; the columns beyond are zero.
void pack_panel(const Factor<float>& b, std::size_t k, std::size_t depth, std::size_t n,
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

struct Range {
  std::size_t begin;
  std::size_t end;
};

/// The k for which a block of rows of A may be other than zero.
HWY_INLINE Range nonzero_depth(Part part, std::size_t first_row, std::size_t rows,
                               std::size_t depth) {
  if (part == Part::lower_left) return {0, std::min(depth, first_row + rows)};
  if (part == Part::upper_left) return {std::min(depth, first_row), depth};
  return {0, depth};
}

struct Product {
  float alpha;
  Factor<float> a;
  Factor<float> b;
  Matrix<float> c;
  Update update;
  Part part;
};

/// Rows [begin, end) of A over one block of k: where they lie, or a copy of them.
struct RowsOfA {
  Range rows;
  Range k;
  const float* data;  ///< element (rows.begin, k.begin)
  std::size_t row_stride;
  std::size_t k_stride;
  bool copied;  ///< each row block lies by itself, [depth, its rows]
};

/// How many rows the next row block takes of those left. The last two blocks share what is left
/// evenly, for a block of one or two rows is slow.
HWY_INLINE std::size_t next_rows(std::size_t left) {
  return left >= 2 * max_rows ? max_rows : left > max_rows ? (left + 1) / 2 : left;
}

/// The same rows in memory of their own, in the order in which they are read. Read in place again
/// and again they would cost a page for each row or, where it is k that strides, a cache line and
/// often a page for a few elements.
RowsOfA copy_rows(const RowsOfA& from, float* HWY_RESTRICT copy) {
  RowsOfA result = from;
  result.data = copy;
  result.copied = true;
  const std::size_t rows = from.rows.end - from.rows.begin;
  for (std::size_t i = 0; i < rows;) {
    const std::size_t count = next_rows(rows - i);
    const float* first = from.data + i * from.row_stride;
    for (std::size_t k = from.k.begin; k < from.k.end; ++k, copy += count) {
      for (std::size_t r = 0; r < count; ++r) copy[r] = first[r * from.row_stride];
      first += from.k_stride;
    }
    i += count;
  }
  return result;
}

/// These rows of A times columns n .. n + panel_width of B, which `panel` is the copy of.
HWY_INLINE void multiply_panel(const Product& product, const RowsOfA& a, std::size_t n,
                               const float* panel) {
  const auto& [alpha, whole_a, b, c, update, part] = product;
  std::size_t i = a.rows.begin;
  if (part == Part::lower_result) i = std::max(i, n);
  const std::size_t cols = std::min(panel_width, c.cols - n);
  while (i < a.rows.end) {
    const std::size_t count = next_rows(a.rows.end - i);
    const Range wanted = nonzero_depth(part, i, count, whole_a.cols);
    const Range k = {std::max(wanted.begin, a.k.begin), std::min(wanted.end, a.k.end)};
    // The first block of k of these rows sets C, the others add. Rows of zeros set it to zero.
    const bool no_terms = wanted.begin >= wanted.end && a.k.begin == 0;
    if (k.begin < k.end || no_terms) {
      const bool first = no_terms || k.begin == wanted.begin;
      const std::size_t skipped = no_terms ? 0 : k.begin - a.k.begin;
      const std::size_t row = i - a.rows.begin;
      Tile tile = {.a = a.data + row * a.row_stride + skipped * a.k_stride,
                   .row_stride = a.row_stride,
                   .k_stride = a.k_stride,
                   .panel = panel + skipped * panel_width,
                   .depth = no_terms ? 0 : k.end - k.begin,
                   .c = c.row(i) + n,
                   .c_stride = c.stride,
                   .alpha = alpha,
                   .add = update == Update::add || !first};
      if (a.copied) {
        tile.a = a.data + row * (a.k.end - a.k.begin);
        tile.row_stride = 1;
        tile.k_stride = count;
      }
      if (cols == panel_width) {
        multiply_rows(count, tile);
      } else {
        multiply_edge(count, cols, tile);
      }
    }
    i += count;
  }
}

/// A block of rows and depth times all of B's columns, everything where it lies.
void multiply_block(const Product& product, const RowsOfA& a) {
  HWY_ALIGN float panel[block_depth * panel_width];
  // Of a lower triangular result only the columns up to the last row are wanted.
  const std::size_t cols =
      product.part == Part::lower_result ? std::min(product.c.cols, a.rows.end) : product.c.cols;
  for (std::size_t n = 0; n < cols; n += panel_width) {
    pack_panel(product.b, a.k.begin, a.k.end - a.k.begin, n,
               std::min(panel_width, product.c.cols - n), panel);
    multiply_panel(product, a, n, panel);
  }
}

/// The same for matrices that no cache holds: A is copied, and several panels are packed together,
/// for their rows share pages. Its 320 KiB of stack (AVX-512: 384 KiB) exist only while it runs.
HWY_NOINLINE void multiply_large_block(const Product& product, const RowsOfA& a) {
  constexpr std::size_t together = 4;
  const std::size_t packed_rows = product.b.col_stride == 1 ? 16 : block_depth;
  HWY_ALIGN float copy[block_rows * block_depth];
  HWY_ALIGN float panels[together][block_depth * panel_width];
  const RowsOfA copied = copy_rows(a, copy);
  const std::size_t cols = product.c.cols;
  for (std::size_t n = 0; n < cols; n += together * panel_width) {
    const std::size_t end = std::min(cols, n + together * panel_width);
    for (std::size_t k = a.k.begin; k < a.k.end; k += packed_rows) {
      const std::size_t depth = std::min(packed_rows, a.k.end - k);
      for (std::size_t p = 0; n + p * panel_width < end; ++p) {
        const std::size_t first = n + p * panel_width;
        pack_panel(product.b, k, depth, first, std::min(panel_width, cols - first),
                   panels[p] + (k - a.k.begin) * panel_width);
      }
    }
    for (std::size_t p = 0; n + p * panel_width < end; ++p) {
      multiply_panel(product, copied, n + p * panel_width, panels[p]);
    }
  }
}

void matmul(float alpha, const Factor<float>& a, const Factor<float>& b, const Matrix<float>& c,
            Update update, Part part) {
  const Product product = {alpha, a, b, c, update, part};
  const bool large = part == Part::dense && c.cols >= large_cols && c.rows >= large_rows;
  for (std::size_t m = 0; m < c.rows; m += block_rows) {
    std::size_t k = 0;
    do {  // at least once: a product over no k at all is zero
      const RowsOfA block = {.rows = {m, std::min(c.rows, m + block_rows)},
                             .k = {k, std::min(a.cols, k + block_depth)},
                             .data = a.data + m * a.row_stride + k * a.col_stride,
                             .row_stride = a.row_stride,
                             .k_stride = a.col_stride,
                             .copied = false};
      if (large) {
        multiply_large_block(product, block);
      } else {
        multiply_block(product, block);
      }
      k += block_depth;
    } while (k < a.cols);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace lookback::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookback::math {

HWY_EXPORT(matmul);

namespace simd {

void matmul(float alpha, Factor<float> a, Factor<float> b, Matrix<float> c, Update update,
            Part part) {
  HWY_DYNAMIC_DISPATCH(matmul)(alpha, a, b, c, update, part);
}

}  // namespace simd
}  // namespace lookback::math
#endif  // HWY_ONCE
