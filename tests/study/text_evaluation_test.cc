// Probes of a model that copies by construction and of one that knows nothing; its text's perplexity.
#include "lookback/study/text_evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "lookback/model/construct.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/model/executor.h"
#include "lookback/study/validation.h"
#include "tests/base/like.h"
#include "tests/study/small_text.h"

namespace lookback::study {
namespace {

using language::Metric;
using language::TaskScore;

constexpr std::size_t probed_vocabulary = 512;
constexpr std::size_t probed_context = 64;

std::vector<data::Token> all_tokens(std::size_t count) {
  std::vector<data::Token> tokens(count);
  std::iota(tokens.begin(), tokens.end(), data::Token{0});
  return tokens;
}

/// Its program and parameters.
struct ProbedModel {
  model::Program program;
  std::vector<float> parameters;

  lens::Model view() const { return {program, parameters}; }
};

/// An induction circuit in closed form.
ProbedModel copying_model() {
  model::Construction construction;
  construction.vocabulary = probed_vocabulary;
  construction.context = probed_context;
  const model::Circuit circuit = model::circuit_of(construction);
  construction.d_model = circuit.least_d_model;
  construction.d_head = circuit.least_d_head;
  const auto made = model::construct(construction);
  EXPECT_TRUE(made) << made.error().message;
  return {*model::compile(made->architecture), made->parameters};
}

ProbedModel untrained_model(std::size_t vocabulary, std::size_t context) {
  model::Architecture architecture;
  architecture.vocabulary = vocabulary;
  architecture.context = context;
  architecture.d_model = 16;
  architecture.d_head = 8;
  architecture.layers = 2;
  ProbedModel model{*model::compile(architecture), {}};
  model.parameters = model::initialize(model.program, 1);
  return model;
}

/// The scores by task.
std::map<std::string, TaskScore> by_name(const Result<std::vector<TaskScore>>& scores) {
  std::map<std::string, TaskScore> named;
  EXPECT_TRUE(scores) << scores.error().message;
  if (!scores) return named;
  for (const TaskScore& score : *scores) named[score.name] = score;
  return named;
}

std::map<std::string, TaskScore> probes_of(const ProbedModel& model,
                                           const TextEvaluationOptions& options = {}) {
  model::CpuEngine engine(2);
  const auto plain = all_tokens(model.program.architecture.vocabulary);
  return by_name(evaluate_probes(model.view(), plain, options, engine));
}

TEST(Probes, AnInductionCircuitCopiesAndLooksUp) {
  const auto scores = probes_of(copying_model());
  const double copy_gain = model::circuit_of({model::ConstructionKind::two_layer, probed_vocabulary,
                                              probed_context, 0, 0})
                               .copy_gain;
  ASSERT_EQ(scores.size(), 3U);
  const Metric& copy = scores.at("copy").metrics[0];
  // All of the second copy but its first token, which nothing announces.
  EXPECT_EQ(copy.name, "acc");
  EXPECT_GT(copy.value, 1 - 2.0 / probed_context - 0.02);
  EXPECT_LT(copy.value, 1 - 2.0 / probed_context + 0.01);
  // On random tokens nobody loses less than ln V; the second copy costs little but its first token.
  const Metric& bump = scores.at("induction").metrics[0];
  EXPECT_EQ(bump.name, "induction_bump");
  EXPECT_GT(bump.value, 0.9 * std::log(double{probed_vocabulary}));
  // In the first copy it copies what is wrong, and is sure of it: the right logit is copy_gain below.
  EXPECT_LT(bump.value, std::log(double{probed_vocabulary}) + copy_gain);
  EXPECT_GT(scores.at("lookup").metrics[0].value, 0.98);
  for (const auto& [name, score] : scores) {
    EXPECT_EQ(score.documents, 64U);
    EXPECT_EQ(score.original, 64U);
    ASSERT_TRUE(score.metrics[0].standard_error);
    EXPECT_LT(*score.metrics[0].standard_error, 0.1) << name;
  }
}

TEST(Probes, AnUntrainedModelIsNearChance) {
  const auto scores = probes_of(untrained_model(probed_vocabulary, probed_context));
  ASSERT_EQ(scores.size(), 3U);
  EXPECT_LT(scores.at("copy").metrics[0].value, 0.03);
  EXPECT_LT(scores.at("lookup").metrics[0].value, 0.03);
  EXPECT_NEAR(scores.at("induction").metrics[0].value, 0, 0.2);
}

TEST(Probes, AreAskedAsOftenAsSaid) {
  const auto scores =
      probes_of(untrained_model(64, 16), {.windows = 1, .sequences = 1, .length = 384});
  ASSERT_EQ(scores.size(), 3U);
  EXPECT_EQ(scores.at("copy").documents, 1U);
  EXPECT_FALSE(scores.at("copy").metrics[0].standard_error);  // of one sequence
}

TEST(Probes, RefuseAModelOrAVocabularyThatIsTooSmall) {
  model::CpuEngine engine(1);
  const ProbedModel small = untrained_model(64, 6), model = untrained_model(64, 32);
  const auto refusal = [&](const ProbedModel& asked, std::size_t plain) {
    const auto scores = evaluate_probes(asked.view(), all_tokens(plain), {}, engine);
    return scores ? "none" : scores.error().message;
  };
  EXPECT_TRUE(test::like(refusal(small, 64), "found a context of 6 and 64 plain tokens, *8*2"));
  EXPECT_TRUE(test::like(refusal(model, 15), "found a context of 32 and 15 plain tokens, *8*16"));
  EXPECT_EQ(refusal(model, 16), "none");
  EXPECT_NE(refusal(model, 300).find("allowed: below 64, the model's vocabulary"),
            std::string::npos);
}

TEST(PlainTokens, AreThoseThatAreNotSpecial) {
  EXPECT_EQ(plain_tokens(spec::byte_tokenizer()), all_tokens(256));
}

TEST(TextBytes, AreThoseOfATokenAndNoneOfASpecialOne) {
  std::vector<std::size_t> expected(257, 1);
  expected[256] = 0;  // <|endoftext|>
  EXPECT_EQ(text_bytes(spec::byte_tokenizer()), expected);
  language::Vocabulary vocabulary = language::bytes_alone();
  vocabulary.tokens.emplace_back("th");
  const auto token = [](char c) {
    return static_cast<data::Token>(
        byte_tokens(language::bytes_alone())[static_cast<unsigned char>(c)]);
  };
  vocabulary.merges.push_back({token('t'), token('h'), 256});
  const auto merged = language::Tokenizer::make(vocabulary);
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_EQ(text_bytes(*merged).back(), 2U);
}

std::map<std::string, TaskScore> texts_of(const ProbedModel& model, const Text& text,
                                          const TextEvaluationOptions& options,
                                          model::Engine& engine) {
  const auto perplexity = evaluate_perplexity(
      model.view(), text, text_bytes(spec::byte_tokenizer()), 24, options, engine);
  const auto ratio = evaluate_value_content(model.view(), text, 24, options, engine);
  EXPECT_TRUE(perplexity && ratio);
  if (!perplexity || !ratio) return {};
  return by_name(std::vector<TaskScore>{*perplexity, *ratio});
}

class EvaluationOfText : public testing::Test {
 protected:
  std::map<std::string, TaskScore> evaluate(const TextEvaluationOptions& options) const {
    model::CpuEngine engine(2);
    return texts_of(model_, text_, options, engine);
  }

  test::TemporaryDirectory directory_;
  Text text_ = *open_text(spec::prepare_text(directory_, "books", spec::made_up_text(60)));
  ProbedModel model_ = untrained_model(spec::byte_vocabulary, 32);
};

TEST_F(EvaluationOfText, HasThePerplexityOfValidation) {
  const auto scores = evaluate({.windows = 7});
  ASSERT_EQ(scores.size(), 2U);
  model::CpuEngine engine(1);
  const nlohmann::json expected =
      Validation(model_.program, text_.validation, 24, 7, engine).measure(model_.parameters);
  const TaskScore& perplexity = scores.at("perplexity");
  EXPECT_EQ(perplexity.metrics[0].name, "token_perplexity");
  EXPECT_NEAR(perplexity.metrics[0].value / expected["perplexity"].get<double>(), 1, 1e-14);
  EXPECT_EQ(perplexity.metrics[1].name, "loss");
  EXPECT_NEAR(perplexity.metrics[1].value, expected["loss"].get<double>(), 1e-14);
  EXPECT_EQ(perplexity.documents, 7U);
  EXPECT_EQ(perplexity.original, (text_.validation->size() - 1) / 23);
  ASSERT_TRUE(perplexity.metrics[0].standard_error);
  EXPECT_GT(*perplexity.metrics[0].standard_error, 0);
}

// By hand: a token of this tokenizer is a byte, but for the one that ends a document.
TEST_F(EvaluationOfText, BitsPerByteAreThoseOfTheTextAlone) {
  constexpr std::size_t length = 24, windows = 9;
  const language::SpreadWindows source(text_.validation, length, windows);
  model::Executor<float> executor(model_.program, 1, length);
  double nats = 0, all_nats = 0;
  std::size_t bytes = 0, ends = 0;
  for (std::uint64_t i = 0; i < windows; ++i) {
    const std::vector<data::Token> tokens = source.sequence(i);
    executor.forward(model_.parameters, tokens);
    const std::span<const float> losses = executor.losses();
    for (std::size_t t = 1; t < length; ++t) {
      all_nats += losses[t - 1];
      if (tokens[t] == 256) {
        ++ends;
        continue;
      }
      nats += losses[t - 1];
      ++bytes;
    }
  }
  ASSERT_GT(ends, 0U);
  const TaskScore score = evaluate({.windows = windows}).at("perplexity");
  ASSERT_EQ(score.metrics.size(), 3U);
  const Metric& bits = score.metrics[2];
  EXPECT_EQ(bits.name, "bits_per_byte");
  EXPECT_NEAR(bits.value, nats / std::log(2.0) / static_cast<double>(bytes), 1e-12);
  EXPECT_GT(std::abs(bits.value - all_nats / std::log(2.0) / static_cast<double>(bytes)), 1e-3);
  ASSERT_TRUE(bits.standard_error);
  EXPECT_GT(*bits.standard_error, 0);
}

TEST_F(EvaluationOfText, APerplexityBeyondNumbersIsInfiniteAndItsLossIsNot) {
  for (float& parameter : model_.parameters) parameter *= 1000;
  for (const auto& [name, score] : evaluate({.windows = 7})) {
    const Metric &perplexity = score.metrics[0], &loss = score.metrics[1];
    EXPECT_TRUE(std::isfinite(loss.value)) << name;
    if (name == "perplexity") {
      EXPECT_GT(loss.value, 710);
    }
    EXPECT_EQ(std::isfinite(perplexity.value), loss.value < 709) << name;
    if (std::isinf(perplexity.value)) {
      EXPECT_FALSE(perplexity.standard_error) << name;
    }
  }
}

TEST_F(EvaluationOfText, SaysWhichWindowsAndWhichTextItIsOf) {
  for (const auto& [name, score] : evaluate({.windows = 2})) {
    EXPECT_EQ(score.about["windows"], "spread") << name;
    EXPECT_EQ(score.about["text"]["tokens_checksum"], text_.checksum) << name;
    EXPECT_EQ(score.about["text"]["files"], 1) << name;
    EXPECT_EQ(score.about["text"]["verified"], 0) << name;
  }
}

TEST_F(EvaluationOfText, TakesAllWindowsWhereThereAreFewer) {
  const auto scores = evaluate({.windows = 1'000'000});
  for (const char* name : {"perplexity", "value-content"}) {
    EXPECT_EQ(scores.at(name).documents, scores.at(name).original);
  }
}

TEST_F(EvaluationOfText, ValuesOfNoContentCostNothing) {
  ProbedModel silent = model_;  // whose heads write nothing
  for (const model::ParameterInfo& parameter : silent.program.parameters) {
    if (parameter.name.find("W_O") == std::string::npos) continue;
    std::fill_n(silent.parameters.begin() + static_cast<std::ptrdiff_t>(parameter.offset),
                parameter.size(), 0.0F);
  }
  model::CpuEngine engine(2);
  const auto scores = texts_of(silent, text_, {.windows = 3}, engine);
  EXPECT_EQ(scores.at("value-content").metrics[0].name, "perplexity_ratio");
  EXPECT_EQ(scores.at("value-content").metrics[0].value, 1);
  EXPECT_EQ(scores.at("value-content").metrics[1].name, "loss_rise");
  EXPECT_EQ(scores.at("value-content").metrics[1].value, 0);
  EXPECT_NE(evaluate({.windows = 3}).at("value-content").metrics[0].value, 1);
}

}  // namespace
}  // namespace lookback::study
