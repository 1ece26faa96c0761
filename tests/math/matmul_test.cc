// The product on every instruction set against its definition in double. The bound is the one of
// every summation order: |C - C_ref| <= gamma_n (|alpha| |A| |B| + |C before|), elementwise, with n
// roundings a term (Higham 2002, section 3.5).
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include "lookback/math/kernels.h"
#include "tests/math/support.h"

namespace lookback::math {
namespace {

using testing::Grid;
using testing::Random;

struct Case {
  std::size_t m, k, n;
  bool transpose_a = false;
  bool transpose_b = false;
  Update update = Update::set;
  Part part = Part::dense;
  float alpha = 1;
  std::size_t gap = 0;
};

std::string description(const Case& c) {
  return std::to_string(c.m) + "x" + std::to_string(c.k) + "x" + std::to_string(c.n) +
         (c.transpose_a ? " A^T" : "") + (c.transpose_b ? " B^T" : "") + " part " +
         std::to_string(static_cast<int>(c.part)) + (c.update == Update::add ? " add" : "");
}

/// A factor [rows, cols], lying in memory as it is or as its transpose.
Grid<float> factor(Random& random, std::size_t rows, std::size_t cols, bool transposed,
                   std::size_t gap) {
  return transposed ? random.grid(cols, rows, gap) : random.grid(rows, cols, gap);
}
template <class N>
Factor<N> seen(const Grid<N>& grid, bool transposed) {
  return transposed ? grid.transposed() : Factor<N>(grid.view());
}

/// Zeros as far from the diagonal as may be read, NaN where nothing may be.
void fill_structural_zeros(Grid<float>& a, bool transposed, Part part) {
  for (std::size_t r = 0; r < a.rows(); ++r) {
    for (std::size_t c = 0; c < a.cols(); ++c) {
      const std::size_t i = transposed ? c : r;
      const std::size_t k = transposed ? r : c;
      const bool beyond = part == Part::lower_left ? k > i : part == Part::upper_left && k < i;
      if (!beyond) continue;
      const std::size_t distance = k > i ? k - i : i - k;
      a.view()(r, c) = distance <= zero_margin ? 0 : std::numeric_limits<float>::quiet_NaN();
    }
  }
}

Grid<double> magnitudes(const Grid<float>& grid) {
  Grid<double> result(grid);
  for (std::size_t r = 0; r < grid.rows(); ++r) {
    for (std::size_t c = 0; c < grid.cols(); ++c) result.view()(r, c) = std::fabs(grid(r, c));
  }
  return result;
}

void check(const Case& c) {
  SCOPED_TRACE(description(c));
  Random random(c.m * 1000003 + c.k * 1009 + c.n);
  Grid<float> a = factor(random, c.m, c.k, c.transpose_a, c.gap);
  const Grid<float> b = factor(random, c.k, c.n, c.transpose_b, c.gap);
  fill_structural_zeros(a, c.transpose_a, c.part);
  Grid<float> result = random.grid(c.m, c.n, c.gap);
  Grid<double> expected(result);
  Grid<double> bound = magnitudes(result);

  matmul<float>(c.alpha, seen(a, c.transpose_a), seen(b, c.transpose_b), result.view(), c.update,
                c.part);
  const Grid<double> exact_a(a);
  const Grid<double> exact_b(b);
  reference::matmul<double>(c.alpha, seen(exact_a, c.transpose_a), seen(exact_b, c.transpose_b),
                            expected.view(), c.update, c.part);
  const Grid<double> a_size = magnitudes(a);
  const Grid<double> b_size = magnitudes(b);
  reference::matmul<double>(std::fabs(c.alpha), seen(a_size, c.transpose_a),
                            seen(b_size, c.transpose_b), bound.view(), Update::add, c.part);
  for (std::size_t i = 0; i < c.m; ++i) {
    for (std::size_t j = 0; j < c.n; ++j) {
      if (c.part == Part::lower_result && j > i) break;
      // k sums and products, the scaling by alpha, the addition to C.
      ASSERT_NEAR(result(i, j), expected(i, j), testing::gamma(2 * c.k + 3) * bound(i, j))
          << "at " << i << ", " << j;
    }
  }
  result.expect_gaps_untouched();
}

class MatmulOn : public testing::OnEachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Each, MatmulOn, testing::each_instruction_set(), testing::name_of);

TEST_P(MatmulOn, AgreesWithItsDefinitionAtEverySmallShape) {
  for (const std::size_t m : {0, 1, 2, 5, 6, 7, 11, 12, 13, 23, 25}) {
    for (const std::size_t n : {0, 1, 3, 7, 8, 9, 16, 17, 31, 32, 33, 65}) {
      for (const std::size_t k : {0, 1, 2, 3, 4, 5, 17}) {
        check({.m = m, .k = k, .n = n, .gap = n % 3});
        check({.m = m, .k = k, .n = n, .transpose_b = true, .update = Update::add});
      }
    }
  }
}

TEST_P(MatmulOn, AgreesAtTheModelsShapesInEveryLayout) {
  constexpr std::array<std::array<std::size_t, 3>, 4> shapes = {
      {{256, 128, 64}, {256, 64, 128}, {130, 257, 70}, {64, 300, 33}}};
  for (const auto& [m, k, n] : shapes) {
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) {
        for (const Update update : {Update::set, Update::add}) {
          check({m, k, n, transpose_a, transpose_b, update, Part::dense, 0.125F, 5});
        }
      }
    }
  }
}

TEST_P(MatmulOn, AgreesBeyondOneBlockOfRowsAndOfDepth) {
  check({.m = 530, .k = 600, .n = 40});
  check({.m = 530, .k = 600, .n = 40, .transpose_a = true, .transpose_b = true});
}

TEST_P(MatmulOn, SkipsTheStructuralZerosOfCausalAttention) {
  for (const Part part : {Part::lower_result, Part::lower_left, Part::upper_left}) {
    for (const std::size_t t : {1, 2, 15, 16, 17, 63, 100, 256, 300, 523}) {
      for (const bool transpose_a : {false, true}) {
        // scores are [T, E] x [E, T]; the products with a triangular factor [T, T] x [T, E].
        const std::size_t k = part == Part::lower_result ? 64 : t;
        const std::size_t n = part == Part::lower_result ? t : 33;
        check({t, k, n, transpose_a, part == Part::lower_result, Update::set, part, 0.125F, 3});
        check({t, k, n, transpose_a, false, Update::add, part});
      }
    }
  }
}

TEST_P(MatmulOn, ATriangularFactorNeedNotBeSquare) {
  for (const Part part : {Part::lower_left, Part::upper_left}) {
    for (const Update update : {Update::set, Update::add}) {
      check({.m = 40, .k = 20, .n = 10, .update = update, .part = part});
      check({.m = 300, .k = 270, .n = 10, .update = update, .part = part});
      check({.m = 20, .k = 300, .n = 10, .update = update, .part = part});
    }
  }
}

TEST_P(MatmulOn, TakesFactorsWithNoUnitStride) {
  Random random(7);
  const Grid<float> a = random.grid(9, 22);   // every second column: [9, 11]
  const Grid<float> b = random.grid(11, 60);  // every third column: [11, 20]
  Grid<float> result(9, 20);
  Grid<double> expected(9, 20);
  matmul<float>(1, Factor<float>(a.values().data(), 9, 11, 22, 2),
                Factor<float>(b.values().data(), 11, 20, 60, 3), result.view(), Update::set,
                Part::dense);
  const Grid<double> exact_a(a);
  const Grid<double> exact_b(b);
  reference::matmul<double>(1, Factor<double>(exact_a.values().data(), 9, 11, 22, 2),
                            Factor<double>(exact_b.values().data(), 11, 20, 60, 3), expected.view(),
                            Update::set, Part::dense);
  testing::expect_near(result, expected,
                       [](auto, auto) { return testing::gamma(2 * 11.0 + 3) * 11; });
}

TEST_P(MatmulOn, ARowsBitsDoNotDependOnTheRowsAndColumnsAroundIt) {
  Random random(3);
  const Grid<float> a = random.grid(77, 300);
  const Grid<float> b = random.grid(300, 70);
  Grid<float> whole(77, 70);
  matmul<float>(0.3F, a.view(), b.view(), whole.view(), Update::set, Part::dense);
  for (const std::size_t row : {0, 40, 76}) {
    for (const std::size_t column : {0, 31, 69}) {
      Grid<float> single(1, 1);
      matmul<float>(0.3F, a.view().row_block(row, 1), b.view().columns(column, 1), single.view(),
                    Update::set, Part::dense);
      EXPECT_EQ(single(0, 0), whole(row, column)) << row << ", " << column;
    }
  }
}

}  // namespace
}  // namespace lookback::math
