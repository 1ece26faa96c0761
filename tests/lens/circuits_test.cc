#include "lookback/lens/circuits.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "lookback/lens/circuit_names.h"
#include "tests/base/like.h"
#include "tests/lens/spectra.h"
#include "tests/lens/wirings.h"

namespace lookback::lens {
namespace {

using Matrix = Eigen::MatrixXd;

Matrix parameter(const SmallModel& model, const std::string& name) {
  return ParameterViews(model.program, model.parameters).whole(name)->cast<double>();
}

Matrix columns(const SmallModel& model, const std::string& name, std::size_t head) {
  const auto e = static_cast<Eigen::Index>(model.program.architecture.d_head);
  return parameter(model, name).middleCols(static_cast<Eigen::Index>(head) * e, e);
}

Matrix output(const SmallModel& model, const std::string& name, std::size_t head) {
  const auto e = static_cast<Eigen::Index>(model.program.architecture.d_head);
  return parameter(model, name).middleRows(static_cast<Eigen::Index>(head) * e, e);
}

/// (I - 1 1^T / D) diag(w) of a LayerNorm.
Matrix folded(const SmallModel& model, const std::string& norm) {
  const auto d = static_cast<Eigen::Index>(model.program.architecture.d_model);
  const Matrix centering = Matrix::Identity(d, d) - Matrix::Ones(d, d) / static_cast<double>(d);
  const Eigen::VectorXd gain = parameter(model, norm + ".w").row(0).transpose();
  return centering * gain.asDiagonal();
}

Matrix made(const SmallModel& model, const CircuitId& id) {
  const auto maker = CircuitMaker::make(model.program, model.parameters);
  EXPECT_TRUE(maker);
  return *maker->product(maker->factors(id)).dense(99);
}

/// Products of at most 9 matrices, with sums of at most D = 12 terms.
void expect_equal(const Matrix& found, const Matrix& expected) {
  const double bound = 9 * 12 * 12 * epsilon * expected.norm();
  EXPECT_LE((found - expected).norm(), bound);
  EXPECT_GT(expected.norm(), 0);
}

constexpr HeadPlace early = {0, 1};

TEST(CircuitFactors, OfTwoLayersAreTheProductsOfTheFormulas) {
  const SmallModel model = random_model(wirings()[1].architecture);
  const HeadPlace late = {1, 0};
  const Matrix e = parameter(model, "embed.W_E");
  const Matrix u = folded(model, "ln_final") * parameter(model, "unembed.W_U");
  const Matrix n0 = folded(model, "blocks.0.ln1");
  const Matrix n1 = folded(model, "blocks.1.ln1");
  const Matrix q1 = n1 * columns(model, "blocks.1.attn.W_Q", 0);
  const Matrix k1 = n1 * columns(model, "blocks.1.attn.W_K", 0);
  const Matrix v1 = n1 * columns(model, "blocks.1.attn.W_V", 0);
  const Matrix o1 = output(model, "blocks.1.attn.W_O", 0);
  const Matrix ov0 =
      n0 * columns(model, "blocks.0.attn.W_V", 1) * output(model, "blocks.0.attn.W_O", 1);
  const double root = std::sqrt(4.0);
  expect_equal(made(model, {CircuitKind::ov, late, {}}), e * v1 * o1 * u);
  expect_equal(made(model, {CircuitKind::qk, late, {}}),
               e * q1 * k1.transpose() * e.transpose() / root);
  expect_equal(made(model, {CircuitKind::k_composition, late, early}),
               e * q1 * (ov0 * k1).transpose() * e.transpose() / root);
  expect_equal(made(model, {CircuitKind::q_composition, late, early}),
               e * ov0 * q1 * k1.transpose() * e.transpose() / root);
  expect_equal(made(model, {CircuitKind::v_composition, late, early}), e * ov0 * v1 * o1 * u);
}

TEST(CircuitFactors, InASequentialLayerTheBaseHasPassedTheLayersNormAndTheFirstStepHasNot) {
  const SmallModel model = random_model(wirings()[3].architecture);  // normed, LayerNorm between
  const HeadPlace late = {0, 2};
  const Matrix e = parameter(model, "embed.W_E");
  const Matrix n0 = folded(model, "blocks.0.ln1");
  const Matrix between = folded(model, "blocks.0.steps.1.ln");
  const Matrix q = columns(model, "blocks.0.steps.1.attn.W_Q", 0);
  const Matrix k = columns(model, "blocks.0.steps.1.attn.W_K", 0);
  const Matrix ov0 = n0 * columns(model, "blocks.0.steps.0.attn.W_V", 1) *
                     output(model, "blocks.0.steps.0.attn.W_O", 1);
  expect_equal(made(model, {CircuitKind::qk, late, {}}),
               e * n0 * between * q * (n0 * between * k).transpose() * e.transpose() / 2);
  expect_equal(made(model, {CircuitKind::k_composition, late, early}),
               e * n0 * between * q * (ov0 * between * k).transpose() * e.transpose() / 2);
}

TEST(CircuitFactors, WithoutOvAHeadWritesItsKeysIntoItsColumns) {
  const SmallModel model = random_model(
      wiring("", [](model::Architecture& a) { a.no_ov = a.tied_embeddings = true; }).architecture);
  const Matrix e = parameter(model, "embed.W_E");
  Matrix rows = Matrix::Zero(6, 12);
  rows.rightCols(6).setIdentity();
  expect_equal(made(model, {CircuitKind::ov, {0, 1}, {}}),
               e * folded(model, "blocks.0.ln1") * columns(model, "blocks.0.attn.W_K", 1) * rows *
                   folded(model, "ln_final") * e.transpose());
}

TEST(CircuitFactors, ThroughTheSmearTheSourceIsTheTokenBefore) {
  SmallModel model =
      random_model(wiring("", [](model::Architecture& a) { a.smeared_keys = true; }).architecture);
  model.parameter("blocks.0.attn.smear")[1] = std::log(3.0F);  // s = 3/4
  const Matrix own = made(model, {CircuitKind::qk, {0, 1}, {}});
  const Matrix before = made(model, {CircuitKind::qk_before, {0, 1}, {}});
  EXPECT_LE((own - 3 * before).norm(), 1e-6 * own.norm());  // the logarithm is a float
}

TEST(CircuitFactors, RefuseWeightsThatAreNotFinite) {
  SmallModel model = random_model(wirings()[1].architecture);
  model.parameter("blocks.1.attn.W_K")[3] = std::numeric_limits<float>::quiet_NaN();
  const auto refused = CircuitMaker::make(model.program, model.parameters);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(test::like(refused.error().message, "*blocks.1.attn.W_K*"));
}

// --- all circuits of a model, measured

class Measured : public ::testing::TestWithParam<Wiring> {};

/// All wirings at V < D, and vocabularies above D, where tables are reduced to D x D.
std::vector<Wiring> measured_wirings() {
  std::vector<Wiring> all = wirings();
  for (const bool tied : {false, true}) {
    all.push_back(wiring(tied ? "LargeTied" : "Large", [&](model::Architecture& a) {
      a.vocabulary = 50;
      a.layers = 2;
      a.tied_embeddings = tied;
    }));
  }
  return all;
}

TEST_P(Measured, AgreesWithTheDenseMatrices) {
  const std::size_t v = GetParam().architecture.vocabulary;
  const SmallModel model = random_model(GetParam().architecture);
  const auto maker = CircuitMaker::make(model.program, model.parameters);
  ASSERT_TRUE(maker);
  base::Workers workers(2);
  const auto found = circuits(model.program, model.parameters, {}, workers);
  ASSERT_TRUE(found);
  std::vector<CircuitSummary> all = found->direct;
  all.insert(all.end(), found->composed.begin(), found->composed.end());
  for (const CircuitSummary& summary : all) {
    SCOPED_TRACE(circuit_name(summary.id));
    const CircuitFactors factors = maker->factors(summary.id);
    const LowRank product = maker->product(factors);
    const Matrix dense = *product.dense(99);
    // Products by W_E and W_U, of at most 12 terms, apart or together.
    const double rounding =
        12 * 12 * epsilon * maker->tables().rows(Table::embedding, 0, v).norm() *
        maker->tables().rows(factors.end, 0, v).norm() * factors.x.norm() * factors.y.norm();
    expect_spectrum(summary.eigenvalues, product);
    EXPECT_NEAR(summary.frobenius_norm, dense.norm(), rounding);
    EXPECT_NEAR(summary.trace, dense.trace(), rounding);
    const Eigen::VectorXd singular = dense_singular_values(dense);
    for (std::size_t i = 0; i < summary.singular_values.size(); ++i) {
      EXPECT_NEAR(summary.singular_values[i], singular(static_cast<Eigen::Index>(i)), rounding);
    }
    EXPECT_EQ(summary.eigenvalue_score, eigenvalue_score(summary.eigenvalues));
    EXPECT_EQ(summary.matching.rows, v);
    ASSERT_EQ(summary.dense.size(), v * v);
    for (std::size_t i = 0; i < v * v; ++i) {
      const double entry =
          dense(static_cast<Eigen::Index>(i / v), static_cast<Eigen::Index>(i % v));
      EXPECT_NEAR(summary.dense[i], entry,
                  rounding + std::abs(entry) * std::numeric_limits<float>::epsilon());
    }
    ASSERT_EQ(summary.largest.size(), 10U);
    EXPECT_NEAR(summary.largest.front().value, dense.maxCoeff(), rounding);
    EXPECT_EQ(summary.notes, factors.notes);
  }
}

INSTANTIATE_TEST_SUITE_P(Wirings, Measured, ::testing::ValuesIn(measured_wirings()), wiring_name);

TEST(Circuits, AreTwoAHeadAndThreeAPair) {
  const SmallModel model = random_model(wirings()[1].architecture);
  base::Workers workers(1);
  const auto found = circuits(model.program, model.parameters, {}, workers);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->direct.size(), 2U * 4);
  EXPECT_EQ(found->composed.size(), 3U * 4);
  EXPECT_EQ(found->pairs_left_out, 0U);
  EXPECT_EQ(found->positional.size(), 4U);
}

TEST(Circuits, OfTooManyPairsTheStrongestAreTaken) {
  SmallModel model = random_model(wirings()[1].architecture);
  // Head 0.0 writes nothing, head 0.1 does.
  const std::span<float> output = model.parameter("blocks.0.attn.W_O");  // [8,12]
  std::fill_n(output.begin(), 4 * 12, 0.0F);
  base::Workers workers(1);
  CircuitOptions options;
  options.max_pairs = 2;
  const auto found = circuits(model.program, model.parameters, options, workers);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->composed.size(), 6U);
  EXPECT_EQ(found->pairs_left_out, 2U);
  for (const CircuitSummary& summary : found->composed) EXPECT_EQ(summary.id.from->head, 1U);
  EXPECT_EQ(found->composed[0].id.head.head, 0U);
  EXPECT_EQ(found->composed[3].id.head.head, 1U);
}

TEST(Circuits, SampleRowsOfALargeVocabulary) {
  model::Architecture a = wirings()[0].architecture;
  a.vocabulary = 60;
  const SmallModel model = random_model(a);
  base::Workers workers(1);
  CircuitOptions options;
  options.all_rows_up_to = 59;
  options.sampled_rows = 11;
  const auto found = circuits(model.program, model.parameters, options, workers);
  ASSERT_TRUE(found);
  const auto maker = CircuitMaker::make(model.program, model.parameters);
  const std::vector<std::size_t> rows = rows_to_look_at(60, 59, 11);
  for (const CircuitSummary& summary : found->direct) {
    const Matching expected = matching(maker->product(maker->factors(summary.id)), rows);
    EXPECT_EQ(summary.matching.rows, 11U);
    EXPECT_NEAR(summary.matching.score, expected.score, 60 * 12 * epsilon * std::sqrt(59.0));
    EXPECT_EQ(summary.matching.diagonal_share, expected.diagonal_share);
    EXPECT_TRUE(summary.dense.empty());
  }
  options.sampled_rows = 0;
  EXPECT_FALSE(circuits(model.program, model.parameters, options, workers));
}

TEST(Circuits, HaveTheSameBitsOnAnyNumberOfWorkers) {
  model::Architecture a = wirings()[1].architecture;
  a.vocabulary = 50;
  const SmallModel model = random_model(a);
  base::Workers one(1);
  base::Workers three(3);
  const auto first = circuits(model.program, model.parameters, {}, one);
  const auto second = circuits(model.program, model.parameters, {}, three);
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  for (std::size_t i = 0; i < first->composed.size(); ++i) {
    EXPECT_EQ(first->composed[i].eigenvalues, second->composed[i].eigenvalues);
    EXPECT_EQ(first->composed[i].singular_values, second->composed[i].singular_values);
    EXPECT_EQ(first->composed[i].dense, second->composed[i].dense);
  }
}

TEST(Circuits, RefuseWeightsWhoseProductsAreNotFinite) {
  SmallModel model = random_model(wirings()[1].architecture);
  for (float& weight : model.parameters) weight *= 1e37F;
  base::Workers workers(1);
  const auto refused = circuits(model.program, model.parameters, {}, workers);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("circuit "), std::string::npos);
  EXPECT_NE(refused.error().message.find("finite"), std::string::npos);
}

// --- circuits built by hand: V = D, tokens are directions of the stream, no norms

SmallModel one_hot_model() {
  model::Architecture a;
  a.vocabulary = a.d_model = a.d_head = 6;
  a.context = 8;
  a.norm = a.final_norm = model::NormKind::none;
  a.positions = model::Positions::none;
  SmallModel model = make_model(a);
  for (const char* name : {"embed.W_E", "unembed.W_U", "blocks.0.attn.W_Q", "blocks.0.attn.W_K",
                           "blocks.0.attn.W_V", "blocks.0.attn.W_O"}) {
    const std::span<float> weights = model.parameter(name);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = i % 7 == 0 ? 1 : 0;
  }
  return model;
}

TEST(Circuits, ThatCopyAndMatchScoreOne) {
  const SmallModel model = one_hot_model();
  base::Workers workers(1);
  const auto found = circuits(model.program, model.parameters, {}, workers);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->direct.size(), 2U);
  for (const CircuitSummary& summary : found->direct) {
    EXPECT_NEAR(summary.eigenvalue_score, 1, 36 * epsilon);
    EXPECT_EQ(summary.matching.diagonal_share, 1);
    EXPECT_NEAR(summary.matching.score, std::sqrt(5.0), 36 * epsilon);
  }
}

TEST(Circuits, ThatAvoidWhatTheyReadScoreMinusOne) {
  SmallModel model = one_hot_model();
  for (float& weight : model.parameter("blocks.0.attn.W_O")) weight = -weight;
  base::Workers workers(1);
  const auto found = circuits(model.program, model.parameters, {}, workers);
  ASSERT_TRUE(found);
  EXPECT_NEAR(found->direct[0].eigenvalue_score, -1, 36 * epsilon);
  EXPECT_EQ(found->direct[0].matching.diagonal_share, 0);
}

TEST(Circuits, ThatTurnTokensInACycleDoNotCopy) {
  // W_V maps token i to i + 1: the eigenvalues are the sixth roots of one, which cancel.
  SmallModel model = one_hot_model();
  const std::span<float> value = model.parameter("blocks.0.attn.W_V");
  for (std::size_t i = 0; i < 36; ++i) value[i] = i % 6 == (i / 6 + 1) % 6 ? 1 : 0;
  base::Workers workers(1);
  const auto found = circuits(model.program, model.parameters, {}, workers);
  ASSERT_TRUE(found);
  EXPECT_NEAR(found->direct[0].eigenvalue_score, 0, 36 * epsilon);
}

TEST(EigenvalueScore, OfNothingIsZero) {
  EXPECT_EQ(eigenvalue_score({}), 0);
  EXPECT_EQ(eigenvalue_score({{0, 0}}), 0);
  EXPECT_EQ(eigenvalue_score({{3, 4}, {3, -4}}), 0.6);
}

}  // namespace
}  // namespace lookback::lens
