#include "lookback/lens/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "lookback/lens/attention.h"
#include "lookback/lens/to_json.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/model/executor.h"
#include "tests/lens/models.h"
#include "tests/lens/patterns.h"

namespace lookback::lens {
namespace {

model::Engine& one_thread() {
  static model::CpuEngine engine(1);
  return engine;
}

constexpr std::size_t evaluated = 7;

ProbeResult evaluate_small(const SmallModel& model, const data::BlockSource& probe,
                           std::size_t threads = 1) {
  model::CpuEngine engine(threads);
  Result<ProbeResult> result = evaluate(model.program, model.parameters, probe, evaluated, engine);
  if (!result) ADD_FAILURE() << result.error().message;
  return result ? *result : ProbeResult{};
}

/// Losses to the last bit, or neither a number.
void expect_same_losses(const LossScores& a, const LossScores& b) {
  for (const LossMeasure& measure : loss_measures()) {
    const double x = a.*measure.value;
    const double y = b.*measure.value;
    EXPECT_TRUE(x == y || (std::isnan(x) && std::isnan(y))) << measure.name;
  }
}

/// All values of all sequences to the last bit. Scores of heads are numbers: a NaN is not equal.
void expect_same_bits(const ProbeResult& a, const ProbeResult& b) {
  ASSERT_EQ(a.sequences.size(), b.sequences.size());
  for (std::size_t i = 0; i < a.sequences.size(); ++i) {
    const SequenceResult& x = a.sequences[i];
    const SequenceResult& y = b.sequences[i];
    EXPECT_EQ(x.losses, y.losses);
    EXPECT_EQ(x.similarity, y.similarity);
    EXPECT_TRUE(x.heads == y.heads);
  }
  expect_same_losses(a.mean, b.mean);
  expect_same_losses(a.standard_error, b.standard_error);
  EXPECT_EQ(a.loss_by_position, b.loss_by_position);
  EXPECT_EQ(a.loss_by_occurrence, b.loss_by_occurrence);
  EXPECT_EQ(a.head_similarity, b.head_similarity);
}

TEST(Evaluate, GivesTheSameBitsForAnyNumberOfThreads) {
  const SmallModel model = make_model(small_architecture());
  for (const data::BlockKind kind :
       {data::BlockKind::repeated_blocks, data::BlockKind::broken_period}) {
    const auto probe = small_probe(kind);
    ASSERT_NE(probe, nullptr);
    const ProbeResult one = evaluate_small(model, *probe, 1);
    ASSERT_EQ(one.sequences.size(), evaluated);
    expect_same_bits(one, evaluate_small(model, *probe, 2));
    expect_same_bits(one, evaluate_small(model, *probe, 3));
  }
}

TEST(Evaluate, ScoresThePatternsAndLossesOfTheForwardPass) {
  const SmallModel model = make_model(small_architecture());
  const auto probe = small_probe(data::BlockKind::repeated_blocks);
  ASSERT_NE(probe, nullptr);
  const ProbeResult result = evaluate_small(model, *probe);
  ASSERT_EQ(result.sequences.size(), evaluated);
  ASSERT_EQ(result.heads.size(), 4U);
  for (std::size_t index = 0; index < evaluated; ++index) {
    const auto tokens = probe->sequence(index);
    const auto maps = attention_maps({model.program, model.parameters}, one_thread(), tokens);
    ASSERT_TRUE(maps);
    ASSERT_EQ(maps->size(), 4U);
    const SequenceQueries queries(tokens, probe->structure(index), data::Offsets{4, 8});
    for (std::size_t h = 0; h < 4; ++h) {
      EXPECT_EQ((*maps)[h].place.layer, h / 2);
      EXPECT_EQ((*maps)[h].place.head, h % 2);
      const math::Matrix<const float> pattern{(*maps)[h].weights.data(), 48, 48, 48};
      EXPECT_TRUE(result.sequences[index].heads[h] == score_pattern(pattern, queries));
    }
    model::Executor<float> executor(model.program, 1, 48);
    executor.forward(model.parameters, tokens);
    const auto losses = executor.losses();
    EXPECT_EQ(result.sequences[index].losses, std::vector<float>(losses.begin(), losses.end()));
  }
}

TEST(Evaluate, MeansAreOverSequences) {
  const SmallModel model = make_model(small_architecture());
  const auto probe = small_probe(data::BlockKind::repeated_blocks);
  ASSERT_NE(probe, nullptr);
  const ProbeResult result = evaluate_small(model, *probe);
  ASSERT_EQ(result.heads.size(), 4U);
  double entropy = 0;
  double late = 0;
  double similarity = 0;
  for (const SequenceResult& one : result.sequences) {
    entropy += one.heads[3].entropy / static_cast<double>(evaluated);
    late += static_cast<double>(one.losses.back()) / static_cast<double>(evaluated);
    similarity += one.similarity[5] / static_cast<double>(evaluated);  // pair (2, 3)
  }
  // Sums of 7 terms of the size of the result, in two orders.
  const double rounding = 14 * std::numeric_limits<double>::epsilon();
  EXPECT_EQ(result.heads[3].place.layer, 1U);
  EXPECT_EQ(result.heads[3].place.head, 1U);
  EXPECT_NEAR(result.heads[3].mean.entropy, entropy, rounding * entropy);
  EXPECT_NEAR(result.loss_by_position.back(), late, rounding * late);
  EXPECT_NEAR(result.head_similarity[3][2], similarity, rounding);
  EXPECT_EQ(result.head_similarity[2][3], result.head_similarity[3][2]);
  EXPECT_EQ(result.head_similarity[1][1], 1);
  EXPECT_GT(result.standard_error.loss, 0);
}

TEST(Evaluate, AHeadThatAsksForNothingScoresChance) {
  SmallModel model = make_model(small_architecture());
  ASSERT_FALSE(model.parameter("blocks.1.attn.W_Q").empty());
  std::ranges::fill(model.parameter("blocks.1.attn.W_Q"), 0.0F);
  const auto probe = small_probe(data::BlockKind::repeated_blocks);
  ASSERT_NE(probe, nullptr);
  const ProbeResult result = evaluate_small(model, *probe);
  ASSERT_EQ(result.heads.size(), 4U);
  const HeadScores& uniform = result.heads[2].mean;
  // exp(0) / sum: a quotient of whole numbers, by a division or by a reciprocal: two roundings.
  EXPECT_NEAR(uniform.induction_score, uniform.induction_chance,
              2 * std::numeric_limits<float>::epsilon() * uniform.induction_chance);
  EXPECT_GT(std::abs(result.heads[0].mean.induction_score - uniform.induction_chance), 1e-3);
  EXPECT_NEAR(result.head_similarity[2][3], 1, 1e-12);
}

TEST(Evaluate, NumbersHeadsOfStepsWithinTheirLayer) {
  model::Architecture a = small_architecture();
  a.layers = 1;
  a.heads = 1;
  a.steps = 3;
  a.norm_between = model::NormKind::layernorm;
  const SmallModel model = make_model(a);
  const auto probe = small_probe(data::BlockKind::random_repeat);
  ASSERT_NE(probe, nullptr);
  const ProbeResult result = evaluate_small(model, *probe);
  ASSERT_EQ(result.heads.size(), 3U);
  for (std::size_t h = 0; h < 3; ++h) {
    EXPECT_EQ(result.heads[h].place.layer, 0U);
    EXPECT_EQ(result.heads[h].place.head, h);
  }
  EXPECT_EQ(result.loss_by_occurrence.size(), 2U);
}

TEST(Evaluator, GivesTheSameBitsAgainAfterAnotherLength) {
  const SmallModel model = make_model(small_architecture());
  const auto probe = small_probe(data::BlockKind::repeated_blocks);
  const auto shorter = small_probe(data::BlockKind::repeated_blocks, 32);
  ASSERT_TRUE(probe != nullptr && shorter != nullptr);
  model::CpuEngine engine(2);
  Evaluator evaluator(model.program, engine);
  const auto first = evaluator.evaluate(model.parameters, *probe, evaluated);
  const auto other = evaluator.evaluate(model.parameters, *shorter, evaluated);
  const auto second = evaluator.evaluate(model.parameters, *probe, evaluated);
  ASSERT_TRUE(first && other && second);
  EXPECT_EQ(other->loss_by_position.size(), 31U);
  expect_same_bits(*first, *second);
}

TEST(Evaluator, ScoresPatternsAsTheCallersPlansLeaveThem) {
  const SmallModel model = make_model(small_architecture());
  const auto probe = small_probe(data::BlockKind::repeated_blocks);
  ASSERT_NE(probe, nullptr);
  const std::size_t length = probe->length();
  std::vector<float> numbers(length * length);
  for (std::size_t t = 0; t < length; ++t) numbers[t * length + (t == 0 ? 0 : t - 1)] = 1;
  const Plan look_back{{model::set(pattern_name(0), 1, {numbers.data(), length, length, length})},
                       {}};
  model::CpuEngine engine(2);
  Evaluator evaluator(model.program, engine);
  const auto measured = [&](const SequencePlans& plans) {
    const auto result = evaluator.evaluate(model.parameters, *probe, evaluated, 0, plans);
    if (!result) ADD_FAILURE() << result.error().message;
    return result ? *result : ProbeResult{};
  };
  const std::vector<Plan> all(evaluated, look_back);
  const ProbeResult edited = measured([&](std::span<const std::vector<data::Token>> sequences) {
    EXPECT_EQ(sequences.size(), evaluated);
    EXPECT_EQ(sequences.front(), probe->sequence(0));
    return std::span(all);
  });
  const ProbeResult plain = evaluate_small(model, *probe);
  ASSERT_EQ(edited.heads.size(), 4U);
  EXPECT_EQ(edited.heads[1].mean.previous_token_score, 1);
  EXPECT_TRUE(edited.heads[0].mean == plain.heads[0].mean);
  EXPECT_NE(edited.mean.loss, plain.mean.loss);
  // Where the caller has no plans for the sequences, and where there were some before, all is as ever.
  expect_same_bits(measured([](auto) { return std::span<const Plan>(); }), plain);
  expect_same_bits(measured({}), plain);
}

TEST(Evaluator, CanStartAtALaterSequence) {
  const SmallModel model = make_model(small_architecture());
  const auto probe = small_probe(data::BlockKind::repeated_blocks);
  ASSERT_NE(probe, nullptr);
  model::CpuEngine engine(1);
  Evaluator evaluator(model.program, engine);
  const auto all = evaluator.evaluate(model.parameters, *probe, 4);
  const auto last = evaluator.evaluate(model.parameters, *probe, 1, 3);
  ASSERT_TRUE(all && last);
  EXPECT_EQ(last->sequences[0].losses, all->sequences[3].losses);
}

TEST(Evaluate, RefusesWhatTheModelCannotRun) {
  const SmallModel model = make_model(small_architecture());
  const auto probe = small_probe(data::BlockKind::repeated_blocks);
  const auto longer = small_probe(data::BlockKind::repeated_blocks, 49);
  ASSERT_TRUE(probe != nullptr && longer != nullptr);
  data::BlockTask many_tokens = probe->task();
  many_tokens.vocabulary = 17;
  const auto unknown = data::make_block_source(many_tokens);
  ASSERT_TRUE(unknown);
  model::CpuEngine engine(1);
  Evaluator evaluator(model.program, engine);
  const auto message = [](const Result<ProbeResult>& result) {
    return result ? "accepted" : result.error().message;
  };
  EXPECT_EQ(message(evaluator.evaluate(model.parameters, *probe, 0)),
            "found 0 sequences to evaluate, allowed at least 1");
  EXPECT_EQ(message(evaluator.evaluate(model.parameters, *longer, 1)),
            "found sequences of 49 tokens, allowed 2 to 48, the model's context");
  EXPECT_EQ(message(evaluator.evaluate(model.parameters, **unknown, 1)),
            "found a vocabulary of 17 tokens, allowed at most 16, the model's");
  const auto short_buffer = std::span(model.parameters).first(3);
  EXPECT_NE(message(evaluator.evaluate(short_buffer, *probe, 1)).find("found a buffer of 3"),
            std::string::npos);
}

TEST(AttentionMaps, AreCausalRowsThatSumToOne) {
  const SmallModel model = make_model(small_architecture());
  const std::vector<model::Token> tokens = tokens_mod(20, 6);
  const auto maps = attention_maps({model.program, model.parameters}, one_thread(), tokens);
  ASSERT_TRUE(maps);
  for (const AttentionMap& map : *maps) {
    ASSERT_EQ(map.weights.size(), 400U);
    for (std::size_t t = 0; t < 20; ++t) {
      double sum = 0;
      for (std::size_t s = 0; s < 20; ++s) {
        EXPECT_TRUE(s <= t || map.weights[t * 20 + s] == 0.0F);
        sum += map.weights[t * 20 + s];
      }
      // The sum that the row was divided by has 20 terms, rounded as floats.
      EXPECT_NEAR(sum, 1, 21 * std::numeric_limits<float>::epsilon());
    }
  }
}

TEST(AttentionMaps, RefuseTokensThatTheModelDoesNotKnow) {
  const SmallModel model = make_model(small_architecture());
  EXPECT_FALSE(attention_maps({model.program, model.parameters}, one_thread(),
                              std::vector<model::Token>{1, 16}));
  EXPECT_FALSE(attention_maps({model.program, model.parameters}, one_thread(), {}));
  EXPECT_FALSE(attention_maps({model.program, {}}, one_thread(), std::vector<model::Token>{1, 2}));
}

}  // namespace
}  // namespace lookback::lens
