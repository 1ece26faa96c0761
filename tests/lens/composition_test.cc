#include "lookback/lens/composition.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "tests/lens/models.h"

namespace lookback::lens {
namespace {

/// A dense matrix of doubles, multiplied by the textbook.
struct Dense {
  Dense(std::size_t r, std::size_t c) : rows(r), cols(c), numbers(r * c) {}
  double& operator()(std::size_t r, std::size_t c) { return numbers[r * cols + c]; }
  double operator()(std::size_t r, std::size_t c) const { return numbers[r * cols + c]; }

  Dense transposed() const {
    Dense result(cols, rows);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < cols; ++c) result(c, r) = (*this)(r, c);
    }
    return result;
  }
  double norm() const {
    double sum = 0;
    for (const double x : numbers) sum += x * x;
    return std::sqrt(sum);
  }

  std::size_t rows, cols;
  std::vector<double> numbers;
};

Dense operator*(const Dense& a, const Dense& b) {
  Dense result(a.rows, b.cols);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < b.cols; ++j) {
      for (std::size_t k = 0; k < a.cols; ++k) result(i, j) += a(i, k) * b(k, j);
    }
  }
  return result;
}

/// W_QK and W_OV [D,D] of a head, from the parameters named `prefix`.
struct DenseCircuits {
  Dense qk, ov;
};

/// Columns (or, for W_O, rows) of head `head` of a parameter.
Dense slice(SmallModel& model, const std::string& name, std::size_t head, bool of_rows) {
  const std::size_t width = model.program.architecture.d_head;
  const std::size_t d = model.program.architecture.d_model;
  const std::span<float> numbers = model.parameter(name);
  const std::size_t cols = numbers.size() / (of_rows ? numbers.size() / d : d);
  Dense result(of_rows ? width : d, of_rows ? d : width);
  for (std::size_t r = 0; r < result.rows; ++r) {
    for (std::size_t c = 0; c < result.cols; ++c) {
      const std::size_t row = of_rows ? head * width + r : r;
      const std::size_t col = of_rows ? c : head * width + c;
      result(r, c) = static_cast<double>(numbers[row * cols + col]);
    }
  }
  return result;
}

DenseCircuits dense_circuits(SmallModel& model, const std::string& prefix, std::size_t head) {
  const Dense key = slice(model, prefix + "W_K", head, false);
  const Dense qk = slice(model, prefix + "W_Q", head, false) * key.transposed();
  if (!model.program.architecture.no_ov) {
    return {qk,
            slice(model, prefix + "W_V", head, false) * slice(model, prefix + "W_O", head, true)};
  }
  const std::size_t width = model.program.architecture.d_head;
  Dense identity_rows(width, model.program.architecture.d_model);
  for (std::size_t i = 0; i < width; ++i) identity_rows(i, head * width + i) = 1;
  return {qk, key * identity_rows};
}

double ratio(const Dense& a, const Dense& b) { return (a * b).norm() / (a.norm() * b.norm()); }

/// Scores are in [0,1]; by QR or by the textbook they are made of sums of at most D = 16 products,
/// four matrices deep. Frobenius norms of products lose a factor of at most the square root of the
/// rank E <= 8 at each of them.
constexpr double composition_rounding = 4 * 16 * 8 * std::numeric_limits<double>::epsilon();

void expect_scores(SmallModel& model, const HeadComposition& pair, const std::string& from_prefix,
                   const std::string& to_prefix) {
  const std::size_t heads = model.program.architecture.heads;
  const DenseCircuits from = dense_circuits(model, from_prefix, pair.from.head % heads);
  const DenseCircuits to = dense_circuits(model, to_prefix, pair.to.head % heads);
  EXPECT_NEAR(pair.q, ratio(from.ov, to.qk), composition_rounding);
  EXPECT_NEAR(pair.k, ratio(from.ov, to.qk.transposed()), composition_rounding);
  EXPECT_NEAR(pair.v, ratio(from.ov, to.ov), composition_rounding);
}

std::vector<HeadComposition> pairs_of(const SmallModel& model) {
  const auto result = composition(model.program, model.parameters, {});
  if (!result) ADD_FAILURE() << result.error().message;
  return result ? result->pairs : std::vector<HeadComposition>{};
}

TEST(Composition, BetweenLayersAgreesWithTheFullMatrices) {
  model::Architecture a = small_architecture();
  a.layers = 3;
  a.d_head = 5;  // H E is not D
  SmallModel model = make_model(a);
  const auto pairs = pairs_of(model);
  ASSERT_EQ(pairs.size(), 12U);  // 3 pairs of layers, 2 x 2 heads
  for (const HeadComposition& pair : pairs) {
    EXPECT_LT(pair.from.layer, pair.to.layer);
    expect_scores(model, pair, "blocks." + std::to_string(pair.from.layer) + ".attn.",
                  "blocks." + std::to_string(pair.to.layer) + ".attn.");
  }
}

TEST(Composition, BetweenStepsOfALayer) {
  model::Architecture a = small_architecture();
  a.layers = 1;
  a.steps = 2;
  SmallModel model = make_model(a);
  const auto pairs = pairs_of(model);
  ASSERT_EQ(pairs.size(), 4U);
  for (const HeadComposition& pair : pairs) {
    EXPECT_LT(pair.from.head, 2U);
    EXPECT_GE(pair.to.head, 2U);
    expect_scores(model, pair, "blocks.0.steps.0.attn.", "blocks.0.steps.1.attn.");
  }
}

TEST(Composition, BetweenStepsThatShareTheirWeights) {
  model::Architecture a = small_architecture();
  a.layers = 1;
  a.heads = 1;
  a.steps = 3;
  a.shared_weights = true;
  SmallModel model = make_model(a);
  const auto pairs = pairs_of(model);
  ASSERT_EQ(pairs.size(), 3U);
  for (const HeadComposition& pair : pairs) {
    expect_scores(model, pair, "blocks.0.attn.", "blocks.0.attn.");
  }
}

TEST(Composition, WithoutOvTheHeadWritesItsKeysIntoItsColumns) {
  model::Architecture a = small_architecture();
  a.no_ov = true;
  SmallModel model = make_model(a);
  const auto pairs = pairs_of(model);
  ASSERT_EQ(pairs.size(), 4U);
  for (const HeadComposition& pair : pairs) {
    expect_scores(model, pair, "blocks.0.attn.", "blocks.1.attn.");
  }
}

TEST(Composition, ParallelHeadsDoNotCompose) {
  model::Architecture a = small_architecture();
  a.layers = 1;
  EXPECT_TRUE(pairs_of(make_model(a)).empty());
}

TEST(Composition, IsSeenWhereTheReadingIs) {
  // Head 0 of layer 0 writes only to direction 0 of the stream. The key of layer 1 reads only it;
  // its query and its value do not.
  SmallModel model = make_model(small_architecture());
  const std::span<float> output = model.parameter("blocks.0.attn.W_O");  // [16,16]
  const std::span<float> key = model.parameter("blocks.1.attn.W_K");     // [16,16]
  const std::span<float> query = model.parameter("blocks.1.attn.W_Q");
  const std::span<float> value = model.parameter("blocks.1.attn.W_V");
  ASSERT_EQ(output.size(), 256U);
  for (std::size_t i = 0; i < 256; ++i) {
    if (i % 16 != 0) output[i] = 0;
    if (i / 16 != 0) {
      key[i] = 0;
    } else {
      query[i] = value[i] = 0;
    }
  }
  for (const HeadComposition& pair : pairs_of(model)) {
    EXPECT_NEAR(pair.k, 1, composition_rounding);
    EXPECT_EQ(pair.q, 0);
    EXPECT_EQ(pair.v, 0);
  }
}

TEST(Composition, OfMatricesOfZerosIsZero) {
  SmallModel model = make_model(small_architecture());
  std::ranges::fill(model.parameter("blocks.0.attn.W_O"), 0.0F);
  const auto pairs = pairs_of(model);
  ASSERT_EQ(pairs.size(), 4U);
  for (const HeadComposition& pair : pairs) EXPECT_EQ(pair.q + pair.k + pair.v, 0);
}

TEST(Composition, RefusesABufferOfAnotherModel) {
  const SmallModel model = make_model(small_architecture());
  EXPECT_FALSE(composition(model.program, std::span(model.parameters).first(9), {}));
}

TEST(CompositionBaseline, IsNearOneOverTheRootOfTheWidth) {
  model::Architecture a;
  a.d_model = 64;
  a.d_head = 32;
  for (const bool no_ov : {false, true}) {
    a.no_ov = no_ov;
    a.heads = 2;
    const CompositionBaseline baseline = composition_baseline(a);
    ASSERT_GE(baseline.draws, 16U);
    // The squares of numerator and denominator have expectations of ratio 1 / D; roots and
    // quotients of what varies by a share c have means off by about c^2.
    const double expected = 1 / std::sqrt(64.0);
    const double share = baseline.deviation / baseline.mean;
    const double error = baseline.deviation / std::sqrt(static_cast<double>(baseline.draws));
    EXPECT_GT(baseline.deviation, 0);
    EXPECT_NEAR(baseline.mean, expected, 4 * error + share * share * expected);
    EXPECT_EQ(composition_baseline(a).mean, baseline.mean);
  }
}

TEST(CompositionBaseline, IsWhereAModelStarts) {
  model::Architecture a = small_architecture();
  a.d_model = 64;
  a.d_head = 32;
  const SmallModel model = make_model(a);
  const CompositionBaseline baseline = composition_baseline(a);
  const auto pairs = pairs_of(model);
  ASSERT_EQ(pairs.size(), 4U);
  for (const HeadComposition& pair : pairs) {
    // Twelve draws; one in 10^9 is beyond six deviations.
    EXPECT_NEAR(pair.q, baseline.mean, 6 * baseline.deviation);
    EXPECT_NEAR(pair.k, baseline.mean, 6 * baseline.deviation);
    EXPECT_NEAR(pair.v, baseline.mean, 6 * baseline.deviation);
  }
}

}  // namespace
}  // namespace lookback::lens
