#include "lookback/language/probes.h"
#include "lookback/model/executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "lookback/model/cpu_engine.h"
#include "lookback/model/program.h"

namespace lookback::language {
namespace {

std::vector<data::Token> tokens_from(data::Token first, std::size_t count) {
  std::vector<data::Token> tokens(count);
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

TEST(CopyingSequence, IsRandomPlainTokensTwice) {
  const auto plain = tokens_from(5, 40);
  const ProbeSequence sequence = copying_sequence(plain, 24, 1, 3);
  ASSERT_EQ(sequence.tokens.size(), 24U);
  for (std::size_t t = 0; t < 12; ++t) {
    EXPECT_EQ(sequence.tokens[t], sequence.tokens[t + 12]);
    EXPECT_TRUE(sequence.tokens[t] >= 5 && sequence.tokens[t] < 45);
  }
  EXPECT_EQ(sequence.first.size(), 11U) << "nothing comes before the first token";
  EXPECT_EQ(sequence.second.front(), 12U);
  EXPECT_EQ(sequence.second.back(), 23U);
}

TEST(CopyingSequence, IsAFunctionOfSeedAndIndex) {
  const auto plain = tokens_from(0, 100);
  const auto tokens = copying_sequence(plain, 32, 1, 3).tokens;
  EXPECT_EQ(tokens, copying_sequence(plain, 32, 1, 3).tokens);
  EXPECT_NE(tokens, copying_sequence(plain, 32, 1, 4).tokens);
  EXPECT_NE(tokens, copying_sequence(plain, 32, 2, 3).tokens);
}

TEST(LookupSequence, AsksForEachKeyOnceInAnotherOrder) {
  const auto plain = tokens_from(10, 64);
  const ProbeSequence sequence = lookup_sequence(plain, 64, 1, 0);
  ASSERT_EQ(sequence.tokens.size(), 64U);
  std::map<data::Token, data::Token> value_of;
  std::vector<data::Token> keys, asked;
  for (std::size_t t = 0; t < 32; t += 2) {
    value_of[sequence.tokens[t]] = sequence.tokens[t + 1];
    keys.push_back(sequence.tokens[t]);
  }
  EXPECT_EQ(value_of.size(), 16U) << "keys differ";
  for (const std::size_t target : sequence.second) {
    asked.push_back(sequence.tokens[target - 1]);
    EXPECT_EQ(sequence.tokens[target], value_of.at(asked.back()));
  }
  EXPECT_NE(asked, keys);
  EXPECT_EQ(std::set(asked.begin(), asked.end()), std::set(keys.begin(), keys.end()));
}

TEST(LookupSequence, DrawsKeysAndValuesFromDisjointHalves) {
  const auto plain = tokens_from(10, 65);
  for (std::uint64_t index = 0; index < 20; ++index) {
    const auto tokens = lookup_sequence(plain, 40, 7, index).tokens;
    for (std::size_t t = 0; t < tokens.size(); t += 2) {
      EXPECT_LT(tokens[t], 42U);
      EXPECT_GE(tokens[t + 1], 42U);
    }
  }
}

TEST(AnswerOf, IsTheLogarithmOfTheSoftmax) {
  const std::vector<float> logits = {1.0F, 3.0F, 2.0F};
  const double sum = std::exp(1.0) + std::exp(3.0) + std::exp(2.0);
  EXPECT_NEAR(answer_of(logits, 2).log_probability, 2 - std::log(sum), 1e-12);
  EXPECT_TRUE(answer_of(logits, 1).is_first);
  EXPECT_FALSE(answer_of(logits, 2).is_first);
}

TEST(AnswerOf, TakesTheFirstOfEqualLogits) {
  const std::vector<float> logits = {0.0F, 2.0F, 2.0F};
  EXPECT_TRUE(answer_of(logits, 1).is_first);
  EXPECT_FALSE(answer_of(logits, 2).is_first);
}

model::Program small_program(std::size_t vocabulary, std::size_t context) {
  model::Architecture architecture;
  architecture.vocabulary = vocabulary;
  architecture.context = context;
  architecture.d_model = 16;
  architecture.d_head = 8;
  architecture.layers = 2;
  return *model::compile(architecture);
}

TEST(RunProbe, GivesAMeanOverTheGradedPredictions) {
  const model::Program program = small_program(32, 64);
  const std::vector<float> parameters = model::initialize(program, 3);
  model::CpuEngine engine(2);
  const Predictor predictor(program, parameters, engine);
  const auto plain = tokens_from(0, 32);
  const std::vector<ProbeSequence> sequences = {copying_sequence(plain, 24, 1, 0),
                                                copying_sequence(plain, 24, 1, 1)};
  const Result<ProbeScores> scores = run_probe(sequences, predictor);
  ASSERT_TRUE(scores) << scores.error().message;
  model::Executor<float> executor(program, 1, 24);
  executor.forward(parameters, sequences[1].tokens);
  const std::span<const float> losses = executor.losses();
  EXPECT_NEAR(scores->first_loss[1], std::accumulate(&losses[0], &losses[11], 0.0) / 11, 1e-5);
  EXPECT_NEAR(scores->second_loss[1], std::accumulate(&losses[11], &losses[23], 0.0) / 12, 1e-5);
}

TEST(Predictor, RefusesWhatTheModelCannotRead) {
  const model::Program program = small_program(32, 64);
  const std::vector<float> parameters = model::initialize(program, 3);
  model::CpuEngine engine(1);
  const Predictor predictor(program, parameters, engine);
  const auto refused = [&](const std::vector<data::Token>& tokens) {
    const std::span<const data::Token> one[] = {tokens};
    const Status status = predictor.run(one, [](std::size_t, math::Matrix<const float>) {});
    return status ? "" : status.error().message;
  };
  EXPECT_EQ(refused({1, 2, 3}), "");
  EXPECT_EQ(refused({1, 32}), "found token 32, allowed: below 32, the model's vocabulary");
  EXPECT_EQ(refused({}), "found a sequence of 0 tokens, allowed: 1 to 64, the model's context");
  EXPECT_EQ(refused(std::vector<data::Token>(65)),
            "found a sequence of 65 tokens, allowed: 1 to 64, the model's context");
}

// A causal model does not see what a sequence is filled up with.
TEST(Predictor, AnswersASequenceAlikeAloneAndAmongOthers) {
  const model::Program program = small_program(32, 64);
  const std::vector<float> parameters = model::initialize(program, 3);
  model::CpuEngine engine(2);
  const Predictor predictor(program, parameters, engine);
  std::vector<std::vector<data::Token>> tokens;
  for (const std::size_t length : {1, 5, 31, 32, 33, 64, 7}) {
    tokens.push_back(tokens_from(0, std::min<std::size_t>(length, 32)));
    tokens.back().resize(length, 3);
  }
  const auto last_logits = [&](std::span<const std::vector<data::Token>> asked) {
    const std::vector<std::span<const data::Token>> views(asked.begin(), asked.end());
    std::vector<std::vector<float>> last(views.size());
    const Status status = predictor.run(views, [&](std::size_t i, math::Matrix<const float> m) {
      EXPECT_EQ(m.rows, views[i].size());
      last[i].assign(m.row(m.rows - 1), m.row(m.rows - 1) + m.cols);
    });
    EXPECT_TRUE(status);
    return last;
  };
  const auto together = last_logits(tokens);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    EXPECT_EQ(last_logits(std::span(tokens).subspan(i, 1)).front(), together[i]) << i;
  }
}

}  // namespace
}  // namespace lookback::language
