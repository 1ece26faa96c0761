// Positional circuits against the program itself: with embeddings and biases of zero and every
// norm's scale frozen at 1, the scores of a first layer are those of the positions alone.
#include "lookback/lens/positional_circuits.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "lookback/model/executor.h"
#include "tests/lens/spectra.h"
#include "tests/lens/wirings.h"

namespace lookback::lens {
namespace {

using Scores = std::map<std::size_t, Eigen::MatrixXd>;  // of the first layer's heads

/// Scores of the first layer, with norms frozen.
Scores run(const SmallModel& model, const std::vector<model::Token>& tokens) {
  Scores scores;
  model::Taps<double> taps(model.program);
  for (const std::string_view name : model::activation_names(model.program)) {
    if (!name.ends_with("hook_scale")) continue;
    EXPECT_TRUE(taps.on_forward(name, [](auto&, math::Matrix<double> scale) {
      for (std::size_t t = 0; t < scale.rows; ++t) scale(t, 0) = 1;
    }));
  }
  EXPECT_TRUE(taps.on_forward("blocks.0.attn.hook_attn_scores", [&](const model::Tapped& at,
                                                                    math::Matrix<double> seen) {
    const auto t = static_cast<Eigen::Index>(seen.rows);
    Eigen::MatrixXd& kept = scores[at.head];
    kept.resize(t, t);
    for (Eigen::Index i = 0; i < t * t; ++i) {
      kept(i / t, i % t) = seen(static_cast<std::size_t>(i / t), static_cast<std::size_t>(i % t));
    }
  }));
  const std::vector<double> parameters(model.parameters.begin(), model.parameters.end());
  model::Executor<double> executor(model.program, 1, tokens.size());
  executor.forward(parameters, tokens, &taps);
  return scores;
}

void clear(SmallModel& model, const std::vector<std::string>& endings) {
  for (const model::ParameterInfo& info : model.program.parameters) {
    for (const std::string& ending : endings) {
      if (info.name.ends_with(ending)) std::ranges::fill(model.parameter(info.name), 0.0F);
    }
  }
}

std::vector<PositionalCircuit> measured(const SmallModel& model, std::size_t max_dense) {
  const auto maker = CircuitMaker::make(model.program, model.parameters);
  base::Workers workers(2);
  auto found = positional_circuits(model.program, model.parameters, *maker, max_dense, workers);
  EXPECT_TRUE(found);
  return std::move(*found);
}

/// Sums of at most D = 12 terms, four matrices deep.
double map_rounding(double largest) { return 4 * 12 * 12 * epsilon * (1 + largest); }

class PositionScores : public ::testing::TestWithParam<std::tuple<model::Positions, bool>> {};

TEST_P(PositionScores, AreThoseOfTheProgramWithoutTokens) {
  model::Architecture a = wirings()[1].architecture;
  a.positions = std::get<0>(GetParam());
  a.smeared_keys = std::get<1>(GetParam());
  SmallModel model = random_model(a);
  const std::vector<PositionalCircuit> found = measured(model, 8);
  ASSERT_EQ(found.size(), 4U);
  clear(model, {"W_E", ".b"});
  const Scores scores = run(model, std::vector<model::Token>(8, 0));
  for (const auto& [head, seen] : scores) {
    const PositionalCircuit& circuit = found[head];
    ASSERT_EQ(circuit.scores.size(), 64U);
    ASSERT_EQ(circuit.by_offset.size(), 8U);
    for (std::size_t d = 0; d < 8; ++d) {
      double sum = 0;
      for (std::size_t t = d; t < 8; ++t) {
        const double score = seen(static_cast<Eigen::Index>(t), static_cast<Eigen::Index>(t - d));
        sum += score;
        EXPECT_NEAR(circuit.scores[t * 8 + t - d], score,
                    std::abs(score) * std::numeric_limits<float>::epsilon() +
                        map_rounding(seen.diagonal().cwiseAbs().maxCoeff()));
      }
      EXPECT_NEAR(circuit.by_offset[d], sum / static_cast<double>(8 - d),
                  map_rounding(seen.diagonal().cwiseAbs().maxCoeff()));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, PositionScores,
                         ::testing::Combine(::testing::Values(model::Positions::learned,
                                                              model::Positions::shortformer),
                                            ::testing::Bool()));

class RotaryScores : public ::testing::TestWithParam<bool> {};

TEST_P(RotaryScores, AreTheMeanOverAllTokensAsAFunctionOfTheOffset) {
  model::Architecture a = wirings()[0].architecture;
  a.positions = model::Positions::rotary;
  a.smeared_keys = GetParam();
  SmallModel model = random_model(a);
  const std::vector<PositionalCircuit> found = measured(model, 8);
  clear(model, {".b"});
  constexpr std::size_t query = 7;
  // Offsets of which neither source nor the token before it is the query.
  for (const std::size_t offset : {1U, 3U, 6U}) {
    std::map<std::size_t, double> sums;
    double largest = 0;
    for (model::Token x = 0; x < 7; ++x) {
      for (model::Token y = 0; y < 7; ++y) {
        std::vector<model::Token> tokens(8, y);
        tokens[query] = x;
        for (const auto& [head, seen] : run(model, tokens)) {
          const double score = seen(query, static_cast<Eigen::Index>(query - offset));
          sums[head] += score;
          largest = std::max(largest, std::abs(score));
        }
      }
    }
    for (const auto& [head, sum] : sums) {
      EXPECT_NEAR(found[head].by_offset[offset], sum / 49, map_rounding(largest)) << offset;
      EXPECT_TRUE(found[head].scores.empty());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Smeared, RotaryScores, ::testing::Bool());

TEST(PositionalCircuits, AreNoneWithoutPositions) {
  model::Architecture a = wirings()[0].architecture;
  a.positions = model::Positions::none;
  EXPECT_TRUE(measured(random_model(a), 8).empty());
}

TEST(PositionalCircuits, GiveNoMatrixAboveTheLimit) {
  const std::vector<PositionalCircuit> found = measured(random_model(wirings()[0].architecture), 7);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(found[0].scores.empty());
  EXPECT_EQ(found[0].by_offset.size(), 8U);
}

}  // namespace
}  // namespace lookback::lens
