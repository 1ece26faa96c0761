// Layer norm and RMS norm on every instruction set against their definitions in double.
#include <cmath>
#include <cstddef>
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

class NormOn : public testing::OnEachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Each, NormOn, testing::each_instruction_set(), testing::name_of);

/// A norm's inputs at one shape, in float and the same numbers in double.
struct Inputs {
  Inputs(std::size_t rows, std::size_t cols)
      : random(rows * 1000 + cols),
        x(random.grid(rows, cols, 3, 2)),
        dy(random.grid(rows, cols, 1)),
        mean(random.values(rows)),
        scale(random.values(rows, 0.5, 2)),
        computed_scale(random.values(rows, 0.5, 2)),
        d_scale(random.values(rows)),
        weight(random.values(cols)),
        bias(random.values(cols)) {}

  Random random;
  Grid<float> x, dy;
  std::vector<float> mean, scale, computed_scale, d_scale, weight, bias;
};

/// Calls check(rows, cols) at every pair of odd sizes with few rows.
template <class Check>
void at_odd_widths(const Check& check) {
  for (const std::size_t rows : {0, 1, 2, 9}) {
    for (const std::size_t cols : testing::odd_sizes) {
      if (cols == 0) continue;  // the mean of nothing
      SCOPED_TRACE(::testing::Message() << rows << " x " << cols);
      check(rows, cols);
    }
  }
}

TEST_P(NormOn, StatisticsAgreeWithTheirDefinition) {
  at_odd_widths([](std::size_t rows, std::size_t cols) {
    for (const Norm norm : {Norm::layer, Norm::rms}) {
      const Inputs in(rows, cols);
      const double epsilon = 1e-5;
      const double width = static_cast<double>(cols);
      std::vector<float> mean(rows), scale(rows);
      std::vector<double> expected_mean(rows), expected_scale(rows);
      norm_statistics<float>(norm, epsilon, in.x.view(), mean, scale);
      const Grid<double> x(in.x);
      reference::norm_statistics<double>(norm, epsilon, x.view(), expected_mean, expected_scale);
      for (std::size_t t = 0; t < rows; ++t) {
        double size = 0, spread = 0;  // the means of |x| and of |x - mean|
        for (std::size_t i = 0; i < cols; ++i) {
          size += std::fabs(x(t, i)) / width;
          spread += std::fabs(x(t, i) - expected_mean[t]) / width;
        }
        const double mean_error = norm == Norm::layer ? gamma(cols + 2) * size : 0;
        ASSERT_NEAR(mean[t], expected_mean[t], mean_error);
        // The variance is off by its own roundings and by the mean's error; the root halves that.
        const double variance = expected_scale[t] * expected_scale[t];
        const double variance_error =
            gamma(cols + 8) * variance + 2 * mean_error * spread + mean_error * mean_error;
        ASSERT_NEAR(scale[t], expected_scale[t],
                    variance_error / expected_scale[t] + gamma(2.0) * expected_scale[t]);
      }
    }
  });
}

TEST_P(NormOn, ALargeMeanDoesNotSpoilTheVariance) {
  Grid<float> x(1, 64);
  for (std::size_t i = 0; i < 64; ++i) x.view()(0, i) = i % 2 == 0 ? 4097.0F : 4095.0F;
  std::vector<float> mean(1), scale(1);
  norm_statistics<float>(Norm::layer, 0, x.view(), mean, scale);
  EXPECT_EQ(mean[0], 4096.0F);
  EXPECT_EQ(scale[0], 1.0F);
}

TEST_P(NormOn, ApplyAgreesWithItsDefinition) {
  at_odd_widths([](std::size_t rows, std::size_t cols) {
    for (const bool with_bias : {true, false}) {
      Inputs in(rows, cols);
      if (!with_bias) in.bias.clear();
      Grid<float> y(rows, cols, 2);
      Grid<double> expected(rows, cols);
      norm_apply<float>(in.x.view(), in.mean, in.scale, in.weight, in.bias, y.view());
      reference::norm_apply<double>(Grid<double>(in.x).view(), converted<double>(in.mean),
                                    converted<double>(in.scale), converted<double>(in.weight),
                                    converted<double>(in.bias), expected.view());
      testing::expect_near(y, expected, [&](std::size_t t, std::size_t i) {
        // Difference, inverse, two products, sum.
        const double bias = with_bias ? std::fabs(in.bias[i]) : 0;
        return gamma(5.0) * (std::fabs(expected(t, i)) + 2 * bias);
      });
    }
  });
}

TEST_P(NormOn, BackwardByScaleAgreesWithItsDefinition) {
  at_odd_widths([](std::size_t rows, std::size_t cols) {
    for (const bool with_bias : {true, false}) {
      Inputs in(rows, cols);
      std::vector<float> d_weight = in.random.values(cols);
      std::vector<float> d_bias = in.random.values(with_bias ? cols : 0);
      std::vector<float> d_scale(rows);
      std::vector<double> weight_size(cols), bias_size(cols), scale_size(rows);
      for (std::size_t i = 0; i < cols; ++i) {
        weight_size[i] = std::fabs(d_weight[i]);
        bias_size[i] = with_bias ? std::fabs(d_bias[i]) : 0;
        for (std::size_t t = 0; t < rows; ++t) {
          const double dy = std::fabs(in.dy(t, i));
          const double term = dy * std::fabs(in.x(t, i) - in.mean[t]) / in.scale[t];
          weight_size[i] += term;
          bias_size[i] += dy;
          scale_size[t] += term * std::fabs(in.weight[i]) / in.scale[t];
        }
      }
      std::vector<double> expected_weight = converted<double>(d_weight);
      std::vector<double> expected_bias = converted<double>(d_bias);
      std::vector<double> expected_scale(rows);
      norm_backward_scale<float>(in.x.view(), in.mean, in.scale, in.weight, in.dy.view(), d_weight,
                                 d_bias, d_scale);
      reference::norm_backward_scale<double>(
          Grid<double>(in.x).view(), converted<double>(in.mean), converted<double>(in.scale),
          converted<double>(in.weight), Grid<double>(in.dy).view(), expected_weight, expected_bias,
          expected_scale);
      testing::expect_near(d_weight, expected_weight,
                           [&](std::size_t i) { return gamma(rows + 6) * weight_size[i]; });
      testing::expect_near(d_bias, expected_bias,
                           [&](std::size_t i) { return gamma(rows + 1) * bias_size[i]; });
      testing::expect_near(d_scale, expected_scale,
                           [&](std::size_t t) { return gamma(cols + 8) * scale_size[t]; });
    }
  });
}

TEST_P(NormOn, BackwardByInputAgreesWithItsDefinition) {
  at_odd_widths([](std::size_t rows, std::size_t cols) {
    for (const Norm norm : {Norm::layer, Norm::rms}) {
      Inputs in(rows, cols);
      Grid<float> dx = in.random.grid(rows, cols, 2);
      Grid<double> expected(dx);
      Grid<double> size(dx);  // |dx before| + |g| + mean |g|
      for (std::size_t t = 0; t < rows; ++t) {
        std::vector<double> g(cols);
        double g_mean = 0;
        const double width = static_cast<double>(cols);
        for (std::size_t i = 0; i < cols; ++i) {
          const double offset = std::fabs(in.x(t, i) - in.mean[t]);
          g[i] = std::fabs(in.dy(t, i) * in.weight[i]) / in.scale[t] +
                 std::fabs(in.d_scale[t]) * offset / (width * in.computed_scale[t]);
          g_mean += g[i] / width;
        }
        for (std::size_t i = 0; i < cols; ++i) {
          size.view()(t, i) = std::fabs(dx(t, i)) + g[i] + g_mean;
        }
      }
      norm_backward_input<float>(norm, in.x.view(), in.mean, in.scale, in.computed_scale, in.weight,
                                 in.dy.view(), in.d_scale, dx.view());
      reference::norm_backward_input<double>(
          norm, Grid<double>(in.x).view(), converted<double>(in.mean), converted<double>(in.scale),
          converted<double>(in.computed_scale), converted<double>(in.weight),
          Grid<double>(in.dy).view(), converted<double>(in.d_scale), expected.view());
      testing::expect_near(
          dx, expected, [&](std::size_t t, std::size_t i) { return gamma(cols + 8) * size(t, i); });
    }
  });
}

}  // namespace
}  // namespace lookback::math
