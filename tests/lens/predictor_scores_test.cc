// A model beside the predictors of its task: divergences by the definition, and the same bits on any
// number of threads.
#include "lookback/lens/predictor_scores.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "lookback/data/markov_chains.h"
#include "lookback/lens/evaluate.h"
#include "lookback/model/cpu_engine.h"
#include "tests/lens/models.h"
#include "tests/lens/runner.h"

namespace lookback::lens {
namespace {

constexpr std::size_t chain_vocabulary = 3;
constexpr std::size_t chain_length = 20;
constexpr std::size_t held_sequences = 6;

std::unique_ptr<data::Task> some_chains() {
  auto made = data::make_markov_chains(
      {1, data::MarkovPrior::dirichlet, 1, {chain_vocabulary, chain_length, 1}});
  EXPECT_TRUE(made) << made.error().message;
  return std::move(*made);
}

SmallModel model_for_chains() {
  model::Architecture a = small_architecture();
  a.vocabulary = chain_vocabulary;
  return make_model(a);
}

/// By sequence and predictor, and the means.
struct Held {
  std::vector<std::vector<double>> divergences;
  std::vector<PredictorScore> predictors;
};

Held held_against_predictors(const SmallModel& model, const data::Task& probe,
                             std::size_t threads) {
  model::CpuEngine engine(threads);
  const PredictorReference reference(probe, held_sequences);
  Held held{std::vector<std::vector<double>>(held_sequences), {}};
  const auto listen = [&](std::size_t i, std::span<const data::Token> tokens,
                          model::Output& output) {
    held.divergences[i] = reference.divergences(i, tokens, output.losses(), output.logits());
  };
  const auto result = Evaluator(model.program, engine)
                          .evaluate(model.parameters, probe, held_sequences, 0, {}, listen);
  EXPECT_TRUE(result) << result.error().message;
  held.predictors = reference.scores(held.divergences);
  return held;
}

/// Loss and divergence from a model of each prediction of sequence `index`, by the definitions.
struct Definition {
  double loss = 0, divergence = 0;
};

Definition by_definition(data::SequencePredictor& predictor, std::span<const data::Token> tokens,
                         const Runner& runner) {
  Definition found;
  std::vector<double> q(chain_vocabulary);
  predictor.begin();
  for (std::size_t t = 0; t + 1 < chain_length; ++t) {
    predictor.see(tokens[t]);
    predictor.predict(q);
    found.loss -= std::log(q[tokens[t + 1]]) / (chain_length - 1);
    for (data::Token v = 0; v < chain_vocabulary; ++v) {
      found.divergence +=
          q[v] * (std::log(q[v]) - runner.log_probability(t, v)) / (chain_length - 1);
    }
  }
  return found;
}

TEST(PredictorScores, AreMeansOverSequencesOfWhatTheDefinitionSays) {
  const auto probe = some_chains();
  const SmallModel model = model_for_chains();
  const Held result = held_against_predictors(model, *probe, 1);
  const auto predictors = probe->predictors();
  ASSERT_EQ(result.predictors.size(), predictors.size());
  for (std::size_t p = 0; p < predictors.size(); ++p) {
    std::vector<double> losses, divergences;
    for (std::size_t i = 0; i < held_sequences; ++i) {
      Runner runner({model.program, model.parameters}, chain_length);
      const auto tokens = probe->sequence(i);
      ASSERT_TRUE(runner.run(tokens));
      const Definition one = by_definition(*predictors[p].predictor, tokens, runner);
      losses.push_back(one.loss);
      divergences.push_back(one.divergence);
      EXPECT_NEAR(result.divergences[i][p], one.divergence, 1e-6);
    }
    const PredictorScore& score = result.predictors[p];
    EXPECT_EQ(score.name, predictors[p].name);
    EXPECT_EQ(score.is_ideal, predictors[p].is_ideal);
    EXPECT_NEAR(score.mean.loss, estimate(losses).mean, 1e-6);
    EXPECT_NEAR(score.standard_error.loss, estimate(losses).standard_error, 1e-6);
    EXPECT_NEAR(score.divergence.mean, estimate(divergences).mean, 1e-6);
    EXPECT_NEAR(score.divergence.standard_error, estimate(divergences).standard_error, 1e-6);
  }
}

TEST(PredictorScores, OfAModelThatKnowsNothingAreEntropiesBelowLnV) {
  const auto probe = some_chains();
  SmallModel model = model_for_chains();
  std::ranges::fill(model.parameter("unembed.W_U"), 0.0F);
  const Held result = held_against_predictors(model, *probe, 1);
  ASSERT_EQ(result.predictors.size(), 3U);
  EXPECT_NEAR(result.predictors[0].divergence.mean, 0, 1e-7);  // uniform
  EXPECT_GE(result.predictors[0].divergence.mean, 0);
  EXPECT_NEAR(result.predictors[0].mean.loss, std::log(3.0), 1e-6);
  EXPECT_GT(result.predictors[2].divergence.mean, result.predictors[1].divergence.mean);
}

TEST(PredictorScores, HaveTheSameBitsForAnyNumberOfThreads) {
  const auto probe = some_chains();
  const SmallModel model = model_for_chains();
  const Held one = held_against_predictors(model, *probe, 1);
  const Held four = held_against_predictors(model, *probe, 4);
  EXPECT_EQ(one.divergences, four.divergences);
  for (std::size_t p = 0; p < one.predictors.size(); ++p) {
    EXPECT_EQ(one.predictors[p].divergence.mean, four.predictors[p].divergence.mean);
    EXPECT_EQ(one.predictors[p].mean, four.predictors[p].mean);
  }
}

/// Chains of which only the last prediction counts.
class LastCounts final : public data::Task {
 public:
  explicit LastCounts(std::unique_ptr<data::Task> chains) : chains_(std::move(chains)) {}
  std::size_t length() const override { return chains_->length(); }
  std::size_t vocabulary() const override { return chains_->vocabulary(); }
  void draw(std::uint64_t index, std::span<data::Token> tokens) const override {
    chains_->draw(index, tokens);
  }
  std::vector<float> weights(std::uint64_t) const override {
    std::vector<float> all(length() - 1, 0.0F);
    all.back() = 1;
    return all;
  }
  const data::TaskProfile& profile() const override { return chains_->profile(); }
  data::Structure structure(std::uint64_t index) const override {
    return chains_->structure(index);
  }
  std::vector<data::NamedPredictor> predictors() const override { return chains_->predictors(); }

 private:
  std::unique_ptr<data::Task> chains_;
};

TEST(PredictorScores, WeighPredictionsAsTheTaskDoes) {
  const LastCounts probe(some_chains());
  const SmallModel model = model_for_chains();
  const Held result = held_against_predictors(model, probe, 1);
  const auto predictors = probe.predictors();
  const auto tokens = probe.sequence(0);
  Runner runner({model.program, model.parameters}, chain_length);
  ASSERT_TRUE(runner.run(tokens));
  std::vector<double> q(chain_vocabulary);
  predictors[2].predictor->begin();
  for (std::size_t t = 0; t + 1 < chain_length; ++t) predictors[2].predictor->see(tokens[t]);
  predictors[2].predictor->predict(q);
  double divergence = 0;
  for (data::Token v = 0; v < chain_vocabulary; ++v) {
    divergence += q[v] * (std::log(q[v]) - runner.log_probability(chain_length - 2, v));
  }
  EXPECT_NEAR(result.divergences[0][2], divergence, 1e-6);
}

TEST(PredictorScores, AreNoneOfATaskWithoutPredictors) {
  const auto probe = data::make_task(base::KindConfig(data::broken_period_kind()), {16, 256, 1});
  ASSERT_TRUE(probe) << probe.error().message;
  EXPECT_TRUE(PredictorReference(**probe, 2).empty());
}

}  // namespace
}  // namespace lookback::lens
