// The register-blocked product in float: C = alpha A B.
//
// C is computed in tiles of `max_rows` x `panel_width` that stay in registers while k runs. For
// each block of k and each panel of columns, B's part is copied once into a small buffer in the
// order in which it is read (whichever of its strides is 1), and all row blocks of A use it from
// the cache. A is read in place. Goto and van de Geijn 2008, "Anatomy of high-performance matrix
// multiplication"; Van Zee and van de Geijn 2015 (BLIS).
//
// Every element of C is summed over k in ascending order, one rounding a term (two where the
// machine has no fused multiply-add), in runs of `block_depth` terms: the result depends only on
// the arguments and the instruction set.
#include <algorithm>
#include <cstddef>

#include "lookback/math/simd.h"
#include "lookback/math/targets_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lookback/math/matmul.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// after foreach_target.h
#include "hwy/highway.h"
#include "lookback/math/packing-inl.h"
#include "lookback/math/tile-inl.h"
#include "lookback/math/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lookback::math {
namespace HWY_NAMESPACE {

inline constexpr std::size_t block_depth = 256;  ///< a panel is 16 KiB (AVX-512: 32 KiB)
inline constexpr std::size_t block_rows = 256;   ///< 256 KiB of A pass over one packed panel
/// The same for matrices larger than any cache: 516 KiB of a copy of A, half the second-level
/// cache. Twice the rows halve the number of times B is packed.
inline constexpr std::size_t large_block_rows = 516;
inline constexpr std::size_t large_rows = 64;   ///< from so many on, packing together pays
inline constexpr std::size_t large_cols = 512;  ///< from so many on, copying A pays

struct Range {
  std::size_t begin;
  std::size_t end;
};

/// The k for which a block of rows of A may be nonzero.
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

/// Rows [begin, end) of A over one block of k: in place, or a copy.
struct RowsOfA {
  Range rows;
  Range k;
  const float* data;  ///< element (rows.begin, k.begin)
  std::size_t row_stride;
  std::size_t k_stride;
  bool copied;  ///< each row block lies by itself, [depth, its rows]
};

/// How many of the remaining rows the next row block takes. The last two blocks share the rest
/// evenly, because a block of one or two rows is slow.
HWY_INLINE std::size_t next_rows(std::size_t left) {
  return left >= 2 * max_rows ? max_rows : left > max_rows ? (left + 1) / 2 : left;
}

/// The same rows in separate memory, in the order in which they are read. Reading them in place
/// repeatedly would touch a page for each row or, where k has the stride, a cache line and often a
/// page for a few elements.
RowsOfA copy_rows(const RowsOfA& from, float* HWY_RESTRICT copy) {
  RowsOfA result = from;
  result.data = copy;
  result.copied = true;
  const std::size_t rows = from.rows.end - from.rows.begin;
  const std::size_t depth = from.k.end - from.k.begin;
  for (std::size_t i = 0; i < rows;) {
    const std::size_t count = next_rows(rows - i);
    copy_row_block(from.data + i * from.row_stride, from.row_stride, from.k_stride, depth, count,
                   copy + i * depth);
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

/// A block of rows and depth times all of B's columns, everything in place.
void multiply_block(const Product& product, const RowsOfA& a) {
  HWY_ALIGN float panel[block_depth * panel_width];
  // For a lower triangular result only the columns up to the last row are needed.
  const std::size_t cols =
      product.part == Part::lower_result ? std::min(product.c.cols, a.rows.end) : product.c.cols;
  for (std::size_t n = 0; n < cols; n += panel_width) {
    pack_panel(product.b, a.k.begin, a.k.end - a.k.begin, n,
               std::min(panel_width, product.c.cols - n), panel);
    multiply_panel(product, a, n, panel);
  }
}

/// The same for matrices larger than any cache: A is copied, and several panels are packed
/// together, because their rows share pages. Its 580 KiB of stack (AVX-512: 644 KiB) exist only
/// while it runs.
HWY_NOINLINE void multiply_large_block(const Product& product, const RowsOfA& a) {
  constexpr std::size_t together = 4;
  const std::size_t packed_rows = product.b.col_stride == 1 ? 16 : block_depth;
  HWY_ALIGN float copy[large_block_rows * block_depth];
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

/// Rows of a large block: the same number in each, in whole tiles, at most large_block_rows.
HWY_INLINE std::size_t even_rows(std::size_t rows) {
  const std::size_t blocks = (rows + large_block_rows - 1) / large_block_rows;
  const std::size_t each = (rows + blocks - 1) / blocks;
  return std::min(large_block_rows, (each + max_rows - 1) / max_rows * max_rows);
}

void matmul(float alpha, const Factor<float>& a, const Factor<float>& b, const Matrix<float>& c,
            Update update, Part part) {
  const Product product = {alpha, a, b, c, update, part};
  const bool large = part == Part::dense && c.cols >= large_cols && c.rows >= large_rows;
  const std::size_t rows = large ? even_rows(c.rows) : block_rows;
  for (std::size_t m = 0; m < c.rows; m += rows) {
    std::size_t k = 0;
    do {  // at least once: a product over no k at all is zero
      const RowsOfA block = {.rows = {m, std::min(c.rows, m + rows)},
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
