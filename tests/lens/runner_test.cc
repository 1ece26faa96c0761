#include "lookback/lens/runner.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/lens/all_wirings.h"

namespace lookback::lens {
namespace {

constexpr std::size_t run_length = 6;

using Losses = std::vector<float>;

Losses losses_of(const Result<std::span<const float>>& run) {
  EXPECT_TRUE(run) << run.error().message;
  return run ? Losses(run->begin(), run->end()) : Losses{};
}

model::Architecture sequential_layers() {
  model::Architecture a = small_architecture();
  a.context = run_length;
  a.steps = 2;
  a.norm_between = model::NormKind::layernorm;
  a.positions = model::Positions::rotary;
  return a;
}

Edit set_to(const char* activation, std::optional<std::size_t> head,
            math::Matrix<const float> value) {
  Edit edit;
  edit.activation = activation;
  edit.head = head;
  edit.value = value;
  return edit;
}

class RunnerTest : public testing::Test {
 protected:
  SmallModel model_ = shaken_model(sequential_layers());
  Model view_{model_.program, model_.parameters};
  std::vector<model::Token> tokens_ = random_tokens(16, run_length);
};

TEST_F(RunnerTest, WithoutEditsGivesTheLossesOfTheModel) {
  model::Executor<float> executor(model_.program, 1, run_length);
  executor.forward(model_.parameters, tokens_);
  const auto expected = executor.losses();
  Runner runner(view_, run_length);
  EXPECT_EQ(losses_of(runner.run(tokens_)), Losses(expected.begin(), expected.end()));
}

TEST_F(RunnerTest, DoesNotDependOnWhatWasRunBefore) {
  const std::vector<float> numbers(256, 0.125F);
  const auto value = [&](std::size_t cols) {
    return math::Matrix<const float>{numbers.data(), 1, cols, cols};
  };
  Edit frozen;
  frozen.kind = Edit::Kind::copy;
  frozen.activation = "blocks.1.ln1.hook_normalized";
  frozen.source = "blocks.1.hook_resid_pre";
  const std::vector<Edits> some{
      {},
      {set_to("blocks.1.attn.hook_z", 3, value(8))},
      {set_to("blocks.0.hook_k_input", 2, value(16))},
      {set_to("blocks.1.attn.hook_pattern", 0, value(run_length))},
      {set_to("blocks.0.attn.hook_pattern", 1, value(run_length)),
       set_to("ln_final.hook_scale", std::nullopt, value(1))},
      {set_to("blocks.1.attn.hook_result", 1, value(16))},
      {set_to("hook_embed", std::nullopt, value(16))},
      {frozen},
      {set_to("blocks.0.attn.hook_attn_scores", 3, value(run_length))},
  };
  std::vector<Losses> fresh;
  for (const Edits& edits : some) {
    Runner runner(view_, run_length);
    fresh.push_back(losses_of(runner.run(tokens_, edits)));
  }
  const std::vector<model::Token> others = random_tokens(16, run_length, 2);
  Runner runner(view_, run_length);
  for (std::size_t i = 0; i < some.size(); ++i) {
    for (std::size_t j = 0; j < some.size(); ++j) {
      losses_of(runner.run(j % 4 == 3 ? others : tokens_, some[j]));
      EXPECT_EQ(losses_of(runner.run(tokens_, some[i])), fresh[i]) << i << " after " << j;
      EXPECT_TRUE(i == 0 || fresh[i] != fresh[0]) << i << " changes nothing";
    }
  }
}

TEST_F(RunnerTest, RecordsEveryHeadAsTheEditsLeaveIt) {
  Runner runner(view_, run_length);
  Recording before;
  const std::vector<std::string> names{"blocks.0.attn.hook_z", "hook_embed"};
  losses_of(runner.record(tokens_, names, before));
  const std::vector<float> sevens(8, 7.0F);
  const Edits edits{set_to("blocks.0.attn.hook_z", 2, {sevens.data(), 1, 8, 8})};
  Recording after;
  losses_of(runner.record(tokens_, names, after, edits));
  for (std::size_t head = 0; head < 4; ++head) {
    const auto was = before.at(names[0], head);
    const auto is = after.at(names[0], head);
    ASSERT_EQ(is.rows, run_length);
    ASSERT_EQ(is.cols, 8U);
    for (std::size_t t = 0; t < run_length; ++t) {
      for (std::size_t i = 0; i < 8; ++i) {
        if (head < 2) {
          EXPECT_EQ(is(t, i), was(t, i));
        } else if (head == 2) {
          EXPECT_EQ(is(t, i), 7.0F);
        }
      }
    }
  }
  EXPECT_EQ(after.at("hook_embed").cols, 16U);
  EXPECT_EQ(after.at("hook_pos_embed").data, nullptr);
}

TEST_F(RunnerTest, ChangesOnlyWhatLiesInTheFutureOfAnEditedPosition) {
  Runner runner(view_, run_length);
  const Losses plain = losses_of(runner.run(tokens_));
  const std::vector<float> ones(16, 1.0F);
  Edit edit = set_to("blocks.0.hook_resid_pre", std::nullopt, {ones.data(), 1, 16, 16});
  edit.first_row = 3;
  edit.end_row = 4;
  const Losses edited = losses_of(runner.run(tokens_, {edit}));
  for (std::size_t t = 0; t + 1 < run_length; ++t) EXPECT_EQ(edited[t] == plain[t], t < 3) << t;
}

TEST_F(RunnerTest, TellsTheLogProbabilityOfAToken) {
  Runner runner(view_, run_length);
  const Losses losses = losses_of(runner.run(tokens_));
  double sum = 0;
  for (model::Token token = 0; token < 16; ++token) {
    sum += std::exp(runner.log_probability(2, token));
  }
  EXPECT_NEAR(sum, 1, 16 * std::numeric_limits<double>::epsilon() * 4);
  // A loss is a sum of 16 exponentials, a logarithm and a difference, in float.
  EXPECT_NEAR(runner.log_probability(2, tokens_[3]), -static_cast<double>(losses[2]),
              20 * std::numeric_limits<float>::epsilon() * (1 + losses[2]));
}

TEST_F(RunnerTest, RefusesAnEditThatCannotBeMade) {
  Runner runner(view_, run_length);
  Edit edit;
  edit.activation = "blocks.9.hook_z";
  EXPECT_FALSE(runner.run(tokens_, {edit}));
  Recording recording;
  const std::vector<std::string> names{"blocks.0.hook_q_inputs"};
  const auto run = runner.record(tokens_, names, recording);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().message,
            "no activation is named 'blocks.0.hook_q_inputs'; the nearest is "
            "'blocks.0.hook_q_input'");
  EXPECT_TRUE(runner.run(tokens_));
}

TEST(RecordingSum, GivesTheMeanOfAConstantExactly) {
  const float third = 1.0F / 3;
  Recording one;
  keep({"a", 0, 0}, {&third, 1, 1, 1}, one);
  RecordingSum left;
  RecordingSum right;
  for (int i = 0; i < 3; ++i) left.add(one);
  for (int i = 0; i < 4; ++i) right.add(one);
  left.add(right);
  EXPECT_EQ(left.mean().at("a")(0, 0), third);
}

TEST(RecordingSum, GivesTheMeanOfEachNumber) {
  const std::vector<float> first{1, 2};
  const std::vector<float> second{4, 8};
  Recording a;
  Recording b;
  keep({"x", 0, 3}, {first.data(), 2, 1, 1}, a);
  keep({"x", 0, 3}, {second.data(), 2, 1, 1}, b);
  RecordingSum sum;
  sum.add(a);
  sum.add(b);
  EXPECT_EQ(sum.mean().at("x", 3)(0, 0), 2.5F);
  EXPECT_EQ(sum.mean().at("x", 3)(1, 0), 5.0F);
  EXPECT_EQ(sum.mean().at("x", 2).data, nullptr);
}

}  // namespace
}  // namespace lookback::lens
