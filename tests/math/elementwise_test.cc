// Operations on elements and pairs, on every instruction set, against their definitions in double.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <gtest/gtest.h>
#include "lookback/math/kernels.h"
#include "tests/math/support.h"

namespace lookback::math {
namespace {

using testing::converted;
using testing::gamma;
using testing::Grid;
using testing::Random;

class ElementwiseOn : public testing::OnEachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Each, ElementwiseOn, testing::each_instruction_set(), testing::name_of);

template <class Check>
void at_odd_sizes(const Check& check) {
  for (const std::size_t rows : {0, 1, 2, 9}) {
    for (const std::size_t cols : testing::odd_sizes) {
      SCOPED_TRACE(::testing::Message() << rows << " x " << cols);
      check(rows, cols);
    }
  }
}

TEST_P(ElementwiseOn, AddsMatricesRowsAndSpansExactlyRounded) {
  at_odd_sizes([](std::size_t rows, std::size_t cols) {
    Random random(rows + cols);
    const Grid<float> x = random.grid(rows, cols, 1);
    const std::vector<float> row = random.values(cols);
    Grid<float> sum = random.grid(rows, cols, 3);
    Grid<float> biased = sum;
    const Grid<float> before = sum;
    add_to<float>(x.view(), sum.view());
    add_row<float>(row, biased.view());
    std::vector<float> total = random.values(cols);
    const std::vector<float> total_before = total;
    simd::add_to(row, total);
    for (std::size_t c = 0; c < cols; ++c) {
      ASSERT_EQ(total[c], total_before[c] + row[c]);
      for (std::size_t r = 0; r < rows; ++r) {
        ASSERT_EQ(sum(r, c), before(r, c) + x(r, c));
        ASSERT_EQ(biased(r, c), before(r, c) + row[c]);
      }
    }
    sum.expect_gaps_untouched();
    biased.expect_gaps_untouched();
  });
}

TEST_P(ElementwiseOn, AddsColumnSums) {
  at_odd_sizes([](std::size_t rows, std::size_t cols) {
    Random random(rows + cols);
    const Grid<float> x = random.grid(rows, cols, 1);
    std::vector<float> sums = random.values(cols);
    std::vector<double> expected = converted<double>(sums);
    std::vector<double> size(cols);
    for (std::size_t c = 0; c < cols; ++c) {
      size[c] = std::fabs(sums[c]);
      for (std::size_t r = 0; r < rows; ++r) size[c] += std::fabs(x(r, c));
    }
    add_column_sums<float>(x.view(), sums);
    reference::add_column_sums<double>(Grid<double>(x).view(), expected);
    testing::expect_near(sums, expected, [&](std::size_t c) { return gamma(rows + 1) * size[c]; });
  });
}

/// |2 u(x)|: the size of the exponent that gelu takes, whose roundings exp multiplies by it. The
/// vector exp is cut off beyond 90.
double gelu_exponent(double x) {
  const double exponent = 2 * reference::gelu_slope * (x + reference::gelu_cubic * x * x * x);
  return std::min(90.0, std::fabs(exponent));
}

TEST_P(ElementwiseOn, GeluAgreesWithItsDefinition) {
  for (const double bound : {0.01, 1.0, 5.0, 1000.0}) {
    at_odd_sizes([bound](std::size_t rows, std::size_t cols) {
      Random random(rows + cols);
      const Grid<float> x = random.grid(rows, cols, 1, bound);
      Grid<float> y(rows, cols, 2);
      Grid<double> expected(rows, cols);
      gelu<float>(x.view(), y.view());
      reference::gelu<double>(Grid<double>(x).view(), expected.view());
      testing::expect_near(y, expected, [&](std::size_t r, std::size_t c) {
        // Four roundings in the exponent, exp's own 4 u, sum and quotient. Where exp is cut off
        // its sigmoid is below 2^-126.
        const double relative = gamma(4 * gelu_exponent(x(r, c)) + 6);
        // The definition itself loses the tail: 1 + tanh u cancels to within 2^-53.
        const double tail = std::fabs(x(r, c)) * 0x1p-52;
        return relative * std::fabs(expected(r, c)) + tail;
      });
    });
  }
}

TEST_P(ElementwiseOn, GeluBackwardAgreesWithItsDefinition) {
  for (const double bound : {0.01, 1.0, 5.0, 1000.0}) {
    at_odd_sizes([bound](std::size_t rows, std::size_t cols) {
      Random random(rows + cols);
      const Grid<float> x = random.grid(rows, cols, 1, bound);
      const Grid<float> dy = random.grid(rows, cols, 2);
      Grid<float> dx = random.grid(rows, cols, 3);
      const Grid<float> before = dx;
      Grid<double> expected(dx);
      gelu_backward<float>(x.view(), dy.view(), dx.view());
      reference::gelu_backward<double>(Grid<double>(x).view(), Grid<double>(dy).view(),
                                       expected.view());
      testing::expect_near(dx, expected, [&](std::size_t r, std::size_t c) {
        const double value = x(r, c);
        const double exponent = gelu_exponent(value);
        const double s = 1 / (1 + std::exp(value > 0 ? -exponent : exponent));
        const double du = reference::gelu_slope * (1 + 3 * reference::gelu_cubic * value * value);
        const double slope = std::fabs(value) * 2 * du * s * (1 - s);
        // s and (1 - s) carry the exponential's error each; six further products and sums.
        const double size = std::fabs(dy(r, c)) * (s + slope);
        const double tail = std::fabs(dy(r, c)) * (1 + std::fabs(value) * du) * 0x1p-51;
        return gamma(8 * exponent + 22) * size + tail + gamma(2.0) * std::fabs(before(r, c));
      });
    });
  }
}

TEST_P(ElementwiseOn, RotatesForwardAndBack) {
  at_odd_sizes([](std::size_t rows, std::size_t half) {
    for (const Rotation rotation : {Rotation::forward, Rotation::inverse}) {
      for (const Update update : {Update::set, Update::add}) {
        Random random(rows + half);
        const Grid<float> x = random.grid(rows, 2 * half, 1);
        const Grid<float> cosine = random.grid(rows, half, 2);
        const Grid<float> sine = random.grid(rows, half, 3);
        Grid<float> y = random.grid(rows, 2 * half, 4);
        const Grid<float> before = y;
        Grid<double> expected(y);
        rotate<float>(x.view(), cosine.view(), sine.view(), rotation, update, y.view());
        reference::rotate<double>(Grid<double>(x).view(), Grid<double>(cosine).view(),
                                  Grid<double>(sine).view(), rotation, update, expected.view());
        testing::expect_near(y, expected, [&](std::size_t r, std::size_t c) {
          const std::size_t i = c % half;
          const double pair = std::fabs(x(r, i)) + std::fabs(x(r, i + half));
          return gamma(3.0) * (pair + std::fabs(before(r, c)));
        });
      }
    }
  });
}

TEST_P(ElementwiseOn, SmearsKeys) {
  at_odd_sizes([](std::size_t rows, std::size_t cols) {
    for (const float s : {0.0F, 0.3F, 1.0F}) {
      Random random(rows + cols);
      const Grid<float> x = random.grid(rows, cols, 1);
      Grid<float> y(rows, cols, 2);
      Grid<double> expected(rows, cols);
      smear<float>(s, x.view(), y.view());
      reference::smear<double>(s, Grid<double>(x).view(), expected.view());
      testing::expect_near(y, expected, [](std::size_t, std::size_t) { return gamma(3.0); });
    }
  });
}

TEST_P(ElementwiseOn, SmearsTheLastRowsAsItSmearsAll) {
  at_odd_sizes([](std::size_t rows, std::size_t cols) {
    Random random(rows + cols);
    const Grid<float> x = random.grid(rows, cols, 1);
    Grid<float> all(rows, cols), last(rows, cols);
    smear<float>(0.3F, x.view(), all.view());
    for (std::size_t count = 1; count <= rows; count += 3) {
      const Matrix<float> some = last.view().row_block(0, count);
      smear<float>(0.3F, x.view(), some);
      for (std::size_t t = 0; t < count; ++t) {
        for (std::size_t i = 0; i < cols; ++i) EXPECT_EQ(some(t, i), all(rows - count + t, i));
      }
    }
  });
}

TEST_P(ElementwiseOn, SmearBackwardAgreesWithItsDefinition) {
  at_odd_sizes([](std::size_t rows, std::size_t cols) {
    Random random(rows + cols);
    const float s = 0.3F;
    const Grid<float> x = random.grid(rows, cols, 1);
    const Grid<float> dy = random.grid(rows, cols, 2);
    Grid<float> dx = random.grid(rows, cols, 3);
    Grid<double> expected(dx);
    const float ds = smear_backward<float>(s, x.view(), dy.view(), dx.view());
    const double expected_ds = reference::smear_backward<double>(
        s, Grid<double>(x).view(), Grid<double>(dy).view(), expected.view());
    // |dx before|, |s dy| and |(1 - s) dy'| are at most 3 together.
    testing::expect_near(dx, expected, [](std::size_t, std::size_t) { return gamma(5.0) * 3; });
    double size = 0;
    for (std::size_t t = 1; t < rows; ++t) {
      for (std::size_t i = 0; i < cols; ++i) {
        size += std::fabs(dy(t, i)) * std::fabs(x(t, i) - x(t - 1, i));
      }
    }
    EXPECT_NEAR(ds, expected_ds, gamma(rows * cols + 3) * size);
  });
}

}  // namespace
}  // namespace lookback::math
