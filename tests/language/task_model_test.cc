// A model's answers to windows, against its logits by hand.
#include "lookback/language/task_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "lookback/language/predictor.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/model/executor.h"

namespace lookback::language {
namespace {

constexpr std::size_t context = 70;  // lengths are filled up to 32, 64 and 70

model::Program small_program() {
  model::Architecture architecture;
  architecture.vocabulary = 11;
  architecture.context = context;
  architecture.d_model = 16;
  architecture.d_head = 8;
  architecture.layers = 2;
  architecture.heads = 2;
  architecture.d_mlp = 16;
  return *model::compile(architecture);
}

/// Numbers without a pattern.
std::vector<data::Token> tokens_of(std::size_t length, std::size_t which) {
  std::vector<data::Token> tokens;
  for (std::size_t t = 0; t < length; ++t) {
    tokens.push_back(static_cast<data::Token>((t * t + 3 * t * which + which) % 11));
  }
  return tokens;
}

class TaskModel : public testing::Test {
 protected:
  /// From logits of the window alone, at its own length.
  Answer by_hand(const Window& window) const {
    const std::span<const data::Token> input =
        std::span(window.tokens).first(window.tokens.size() - 1);
    model::Executor<float> executor(program_, 1, input.size());
    executor.forward(parameters_, input);
    Answer answer{0, true};
    for (std::size_t t = input.size() - window.scored; t < input.size(); ++t) {
      const float* row = executor.logits().row(t);
      double sum = 0;
      for (std::size_t v = 0; v < 11; ++v) sum += std::exp(double{row[v]});
      const data::Token next = window.tokens[t + 1];
      answer.log_probability += row[next] - std::log(sum);
      answer.greedy = answer.greedy && std::max_element(row, row + 11) - row == next;
    }
    return answer;
  }

  std::vector<Answer> answers(const std::vector<Window>& windows, std::size_t workers = 2) const {
    model::CpuEngine team(workers);
    Result<std::vector<Answer>> answers = task_model(program_, parameters_, team)(windows);
    EXPECT_TRUE(answers) << answers.error().message;
    return answers ? std::move(*answers) : std::vector<Answer>();
  }

  std::string refusal(const Window& window) const {
    model::CpuEngine team(1);
    const auto answers = task_model(program_, parameters_, team)(std::span(&window, 1));
    return answers ? "none" : answers.error().message;
  }

  model::Program program_ = small_program();
  std::vector<float> parameters_ = model::initialize(program_, 5);
};

TEST_F(TaskModel, SumsTheLogProbabilitiesOfWhatIsScored) {
  std::vector<Window> windows;
  for (const auto& [length, scored] : {std::pair(2, 1), std::pair(33, 32), std::pair(34, 3),
                                       std::pair(40, 39), std::pair(71, 5)}) {
    windows.push_back({tokens_of(static_cast<std::size_t>(length), windows.size()),
                       static_cast<std::size_t>(scored)});
  }
  const std::vector<Answer> found = answers(windows);
  ASSERT_EQ(found.size(), windows.size());
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const Answer expected = by_hand(windows[i]);
    // float32 logits whose sums may run in another order at another length
    EXPECT_NEAR(found[i].log_probability, expected.log_probability, 1e-4) << "window " << i;
    EXPECT_EQ(found[i].greedy, expected.greedy) << "window " << i;
  }
}

TEST_F(TaskModel, SaysWhetherEachScoredTokenIsFirst) {
  Window window{tokens_of(9, 1), 2};
  for (int round = 0; round < 2; ++round) {  // the likeliest token at each of the two places
    const std::size_t place = 7 + static_cast<std::size_t>(round);
    for (window.tokens[place] = 0; window.tokens[place] < 11; ++window.tokens[place]) {
      const Window one{
          {window.tokens.begin(), window.tokens.begin() + static_cast<std::ptrdiff_t>(place) + 1},
          1};
      if (by_hand(one).greedy) break;
    }
    ASSERT_LT(window.tokens[place], 11U);
  }
  EXPECT_TRUE(answers({window})[0].greedy);
  window.tokens[8] = (window.tokens[8] + 1) % 11;
  EXPECT_FALSE(answers({window})[0].greedy);
  window.tokens[8] = (window.tokens[8] + 10) % 11;
  window.tokens[7] = (window.tokens[7] + 1) % 11;
  EXPECT_FALSE(answers({window})[0].greedy);
}

TEST_F(TaskModel, AnswersEqualWindowsAlikeAndEachInItsPlace) {
  const Window a{tokens_of(20, 1), 4}, b{tokens_of(20, 2), 4}, more{tokens_of(20, 1), 5};
  const std::vector<Answer> found = answers({a, b, a, more, b});
  ASSERT_EQ(found.size(), 5U);
  EXPECT_EQ(found[0].log_probability, found[2].log_probability);
  EXPECT_EQ(found[1].log_probability, found[4].log_probability);
  EXPECT_NE(found[0].log_probability, found[1].log_probability);
  EXPECT_LT(found[3].log_probability, found[0].log_probability);  // one token more
}

TEST_F(TaskModel, AnswersDependNeitherOnTheOthersNorOnTheWorkers) {
  std::vector<Window> windows;
  for (std::size_t i = 0; i < 30; ++i) windows.push_back({tokens_of(2 + 2 * i, i), 1 + i});
  const std::vector<Answer> one = answers(windows, 1), three = answers(windows, 3);
  for (std::size_t i = 0; i < windows.size(); ++i) {
    EXPECT_EQ(one[i].log_probability, three[i].log_probability);
    EXPECT_EQ(answers({windows[i]})[0].log_probability, one[i].log_probability);
  }
}

TEST_F(TaskModel, NoWindowsHaveNoAnswers) { EXPECT_TRUE(answers({}).empty()); }

TEST_F(TaskModel, RefusesWhatTheModelCannotRead) {
  EXPECT_EQ(refusal({tokens_of(context + 2, 1), 1}),
            "found a sequence of 71 tokens, allowed: 1 to 70, the model's context");
  EXPECT_EQ(refusal({{1, 11, 2}, 1}), "found token 11, allowed: below 11, the model's vocabulary");
}

TEST_F(TaskModel, ATokenThatIsOnlyScoredMustBeKnownToo) {
  EXPECT_EQ(refusal({{1, 2, 11}, 1}), "found token 11, allowed: below 11, the model's vocabulary");
}

}  // namespace
}  // namespace lookback::language
