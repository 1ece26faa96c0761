// Each reference backward function against its forward function, differentiated by a complex step
// (reference.h): exact to rounding, so that the bound is that of the summations in double.
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gtest/gtest.h>
#include "lookback/math/kernels.h"
#include "tests/math/support.h"

namespace lookback::math {
namespace {

using Complex = std::complex<double>;
using testing::converted;
using testing::Random;

constexpr double step = 1e-30;

/// d loss / d x by a complex step in each element; loss(x) takes std::vector<Complex>.
template <class Loss>
std::vector<double> derivative(const std::vector<double>& at, const Loss& loss) {
  std::vector<double> result;
  std::vector<Complex> x = converted<Complex>(at);
  for (Complex& element : x) {
    element += Complex(0, step);
    result.push_back(loss(x).imag() / step);
    element -= Complex(0, step);
  }
  return result;
}

/// Norm-wise: the largest difference against the largest element, some 1e4 roundings of double.
void expect_equal(std::span<const double> found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  double largest = 0;
  for (const double value : expected) largest = std::max(largest, std::fabs(value));
  EXPECT_GT(largest, 1e-3) << "a test of nothing";
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(found[i], expected[i], 1e-12 * largest) << "at " << i;
  }
}

/// sum of weights * values: the scalar that stands for "whatever comes after".
Complex weighted(const std::vector<double>& weights, const std::vector<Complex>& values) {
  Complex sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) sum += weights[i] * values[i];
  return sum;
}

template <class N>
Matrix<N> matrix(std::vector<N>& values, std::size_t cols) {
  return {values.data(), values.size() / cols, cols, cols};
}
template <class N>
Matrix<const N> matrix(const std::vector<N>& values, std::size_t cols) {
  return {values.data(), values.size() / cols, cols, cols};
}

constexpr std::size_t rows = 5;
constexpr std::size_t cols = 6;

class Reference : public ::testing::Test {
 protected:
  Random random{11};
  std::vector<double> x = random.values<double>(rows * cols, -2, 2);
  std::vector<double> dy = random.values<double>(rows * cols);
};

TEST_F(Reference, GeluBackward) {
  std::vector<double> dx(x.size());
  reference::gelu_backward<double>(matrix(std::as_const(x), cols), matrix(std::as_const(dy), cols),
                                   matrix(dx, cols));
  expect_equal(dx, derivative(x, [&](const std::vector<Complex>& at) {
                 std::vector<Complex> y(at.size());
                 reference::gelu<Complex>(matrix(at, cols), matrix(y, cols));
                 return weighted(dy, y);
               }));
}

TEST_F(Reference, SoftmaxCausalBackward) {
  const std::vector<double> scores = random.values<double>(rows * rows, -3, 3);
  std::vector<double> incoming = random.values<double>(rows * rows);
  for (std::size_t t = 0; t < rows; ++t) {
    for (std::size_t s = t + 1; s < rows; ++s) incoming[t * rows + s] = 0;
  }
  std::vector<double> pattern = scores;
  reference::softmax_causal<double>(matrix(pattern, rows));
  std::vector<double> gradient = incoming;
  reference::softmax_causal_backward<double>(matrix(std::as_const(pattern), rows),
                                             matrix(gradient, rows));
  expect_equal(gradient, derivative(scores, [&](std::vector<Complex> at) {
                 reference::softmax_causal<Complex>(matrix(at, rows));
                 return weighted(incoming, at);
               }));
}

TEST_F(Reference, CrossEntropyGradient) {
  const std::vector<std::uint32_t> targets = {0, 5, 2, 2, 1};
  const double weight = 0.3;
  std::vector<double> gradient = x;
  std::vector<double> losses(rows);
  reference::cross_entropy_gradient<double>(weight, matrix(gradient, cols), targets, losses);
  std::vector<double> plain_losses(rows);
  reference::cross_entropy<double>(matrix(std::as_const(x), cols), targets, plain_losses);
  EXPECT_EQ(losses, plain_losses);
  expect_equal(gradient, derivative(x, [&](const std::vector<Complex>& at) {
                 std::vector<Complex> result(rows);
                 reference::cross_entropy<Complex>(matrix(at, cols), targets, result);
                 return weighted(std::vector<double>(rows, weight), result);
               }));
}

TEST_F(Reference, RotateInverseIsTheBackwardOfRotate) {
  const std::vector<double> cosine = random.values<double>(rows * cols / 2);
  const std::vector<double> sine = random.values<double>(rows * cols / 2);
  std::vector<double> dx(x.size());
  reference::rotate<double>(matrix(std::as_const(dy), cols), matrix(cosine, cols / 2),
                            matrix(sine, cols / 2), Rotation::inverse, Update::add,
                            matrix(dx, cols));
  const std::vector<Complex> c = converted<Complex>(cosine);
  const std::vector<Complex> s = converted<Complex>(sine);
  expect_equal(dx, derivative(x, [&](const std::vector<Complex>& at) {
                 std::vector<Complex> y(at.size());
                 reference::rotate<Complex>(matrix(at, cols), matrix(c, cols / 2),
                                            matrix(s, cols / 2), Rotation::forward, Update::set,
                                            matrix(y, cols));
                 return weighted(dy, y);
               }));
}

TEST_F(Reference, SmearBackward) {
  const double s = 0.7;
  const auto loss = [&](Complex at_s, const std::vector<Complex>& at) {
    std::vector<Complex> y(at.size());
    reference::smear<Complex>(at_s, matrix(at, cols), matrix(y, cols));
    return weighted(dy, y);
  };
  std::vector<double> dx(x.size());
  const double ds = reference::smear_backward<double>(
      s, matrix(std::as_const(x), cols), matrix(std::as_const(dy), cols), matrix(dx, cols));
  expect_equal(dx, derivative(x, [&](const std::vector<Complex>& at) { return loss(s, at); }));
  expect_equal(std::vector<double>{ds}, derivative({s}, [&](const std::vector<Complex>& at) {
                 return loss(at[0], converted<Complex>(x));
               }));
}

TEST_F(Reference, AddColumnSumsIsTheBackwardOfAddRow) {
  std::vector<double> sums(cols);
  reference::add_column_sums<double>(matrix(std::as_const(dy), cols), sums);
  const std::vector<double> bias = random.values<double>(cols);
  expect_equal(sums, derivative(bias, [&](const std::vector<Complex>& at) {
                 std::vector<Complex> y = converted<Complex>(x);
                 reference::add_row<Complex>(at, matrix(y, cols));
                 return weighted(dy, y);
               }));
}

class ReferenceNorm : public Reference, public ::testing::WithParamInterface<Norm> {
 protected:
  /// The whole norm, as a loss of everything it depends on.
  Complex loss(const std::vector<Complex>& at_x, const std::vector<Complex>& at_weight,
               const std::vector<Complex>& at_bias) const {
    std::vector<Complex> mean(rows), scale(rows), y(at_x.size());
    reference::norm_statistics<Complex>(GetParam(), epsilon, matrix(at_x, cols), mean, scale);
    reference::norm_apply<Complex>(matrix(at_x, cols), mean, scale, at_weight, at_bias,
                                   matrix(y, cols));
    return weighted(dy, y);
  }
  const double epsilon = 1e-2;
  std::vector<double> weight = random.values<double>(cols);
  std::vector<double> bias = random.values<double>(cols);
};

TEST_P(ReferenceNorm, Backward) {
  std::vector<double> mean(rows), scale(rows), d_weight(cols), d_bias(cols), d_scale(rows);
  std::vector<double> dx(x.size());
  const Matrix<const double> x_view = matrix(std::as_const(x), cols);
  const Matrix<const double> dy_view = matrix(std::as_const(dy), cols);
  reference::norm_statistics<double>(GetParam(), epsilon, x_view, mean, scale);
  reference::norm_backward_scale<double>(x_view, mean, scale, weight, dy_view, d_weight, d_bias,
                                         d_scale);
  reference::norm_backward_input<double>(GetParam(), x_view, mean, scale, scale, weight, dy_view,
                                         d_scale, matrix(dx, cols));
  const std::vector<Complex> cx = converted<Complex>(x);
  const std::vector<Complex> cw = converted<Complex>(weight);
  const std::vector<Complex> cb = converted<Complex>(bias);
  using Values = std::vector<Complex>;
  expect_equal(dx, derivative(x, [&](const Values& at) { return loss(at, cw, cb); }));
  expect_equal(d_weight, derivative(weight, [&](const Values& at) { return loss(cx, at, cb); }));
  expect_equal(d_bias, derivative(bias, [&](const Values& at) { return loss(cx, cw, at); }));
}

TEST_P(ReferenceNorm, BackwardByAScaleThatATapReplaced) {
  // norm_apply divides by a scale of its own; norm_backward_scale gives the gradient by it.
  const std::vector<double> mean = random.values<double>(rows);
  const std::vector<double> scale = random.values<double>(rows, 0.5, 2);
  std::vector<double> d_weight(cols), d_bias, d_scale(rows);
  reference::norm_backward_scale<double>(matrix(std::as_const(x), cols), mean, scale, weight,
                                         matrix(std::as_const(dy), cols), d_weight, d_bias,
                                         d_scale);
  expect_equal(d_scale, derivative(scale, [&](const std::vector<Complex>& at) {
                 std::vector<Complex> y(x.size());
                 const std::vector<Complex> cx = converted<Complex>(x);
                 reference::norm_apply<Complex>(matrix(cx, cols), converted<Complex>(mean), at,
                                                converted<Complex>(weight), std::vector<Complex>(),
                                                matrix(y, cols));
                 return weighted(dy, y);
               }));
}

INSTANTIATE_TEST_SUITE_P(Each, ReferenceNorm, ::testing::Values(Norm::layer, Norm::rms),
                         [](const auto& instance) {
                           return instance.param == Norm::layer ? "layer" : "rms";
                         });

TEST_F(Reference, MatmulTakesStructuralZerosAsZero) {
  // Whatever stands where a part says zero, the product is that of the masked factor.
  for (const Part part : {Part::lower_left, Part::upper_left}) {
    std::vector<double> masked = x;
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t k = 0; k < cols; ++k) {
        const bool zero = part == Part::lower_left ? k > i : k < i;
        if (zero) masked[i * cols + k] = 0;
      }
    }
    std::vector<double> found(rows * rows), expected(rows * rows);
    const Factor<double> b(dy.data(), cols, rows, rows, 1);
    reference::matmul<double>(2, matrix(std::as_const(x), cols), b, matrix(found, rows),
                              Update::set, part);
    reference::matmul<double>(2, matrix(std::as_const(masked), cols), b, matrix(expected, rows),
                              Update::set, Part::dense);
    EXPECT_EQ(found, expected);
  }
}

TEST_F(Reference, AdamWsFirstStepIsTheSignOfTheGradient) {
  // With corrections 1 - beta the first moments are the gradient and its square.
  const AdamW update = {.learning_rate = 0.5F,
                        .beta1 = 0.75F,
                        .beta2 = 0.5F,
                        .epsilon = 0,
                        .correction1 = 0.25F,
                        .correction2 = 0.5F};
  std::vector<double> p = {1, 1}, m(2), v(2);
  const std::vector<double> gradient = {3, -0.25};
  reference::adamw<double>(update, p, gradient, m, v);
  EXPECT_EQ(p, (std::vector<double>{0.5, 1.5}));
}

}  // namespace
}  // namespace lookback::math
