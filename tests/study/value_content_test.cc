#include "lookback/study/value_content.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "lookback/data/repeated_blocks.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/model/executor.h"

namespace lookback::study {
namespace {

model::Architecture architecture_of(bool no_ov) {
  model::Architecture architecture;
  architecture.vocabulary = 32;
  architecture.context = 24;
  architecture.d_model = 16;
  architecture.d_head = 8;
  architecture.heads = 2;
  architecture.layers = 2;
  architecture.positions = model::Positions::rotary;
  architecture.no_ov = no_ov;
  return architecture;
}

std::unique_ptr<data::BlockSource> source_of(std::size_t vocabulary, std::size_t length) {
  data::BlockTask task;
  task.vocabulary = vocabulary;
  task.length = length;
  task.min_period = 3;
  task.max_period = 6;
  return std::move(*data::make_block_source(task));
}

class ValueContentOf : public testing::TestWithParam<bool> {
 protected:
  model::Program program = *model::compile(architecture_of(GetParam()));
  std::vector<float> parameters = model::initialize(program, 3);
  std::unique_ptr<data::BlockSource> source = source_of(32, 24);
  model::CpuEngine engine{2};
};

TEST_P(ValueContentOf, LeavesTheWholeModelAsItIs) {
  const auto content = value_content({program, parameters}, *source, 3, engine);
  ASSERT_TRUE(content) << content.error().message;
  model::Executor<float> executor(program, 1, 24);
  for (std::size_t window = 0; window < 3; ++window) {
    const std::vector<data::Token> tokens = source->sequence(window);
    executor.forward(parameters, tokens);
    const std::span<const float> losses = executor.losses();
    EXPECT_NEAR(content->whole[window], std::accumulate(losses.begin(), losses.end(), 0.0) / 23,
                1e-6);
  }
}

// By hand: every head's z is set to the mean of what it mixes, layer by layer, so that the second layer
// reads what the ablated first one wrote.
TEST_P(ValueContentOf, WritesTheMeanOfWhatAHeadMixes) {
  const auto content = value_content({program, parameters}, *source, 1, engine);
  ASSERT_TRUE(content) << content.error().message;
  model::Taps<float> taps(program);
  std::vector<std::vector<float>> means(4);
  for (std::size_t layer = 0; layer < 2; ++layer) {
    const std::string attention = "blocks." + std::to_string(layer) + ".attn.";
    ASSERT_TRUE(taps.on_forward(attention + (GetParam() ? "hook_k" : "hook_v"),
                                [&, layer](const model::Tapped& at, math::Matrix<float> values) {
                                  std::vector<float>& mean = means[2 * layer + at.head];
                                  mean.assign(values.cols, 0);
                                  for (std::size_t t = 0; t < values.rows; ++t) {
                                    for (std::size_t i = 0; i < values.cols; ++i) {
                                      mean[i] += values.row(t)[i] / 24.0F;
                                    }
                                  }
                                }));
    ASSERT_TRUE(taps.on_forward(attention + "hook_z",
                                [&, layer](const model::Tapped& at, math::Matrix<float> z) {
                                  for (std::size_t t = 0; t < z.rows; ++t) {
                                    std::ranges::copy(means[2 * layer + at.head], z.row(t));
                                  }
                                }));
  }
  model::Executor<float> executor(program, 1, 24);
  const std::vector<data::Token> tokens = source->sequence(0);
  executor.forward(parameters, tokens, &taps);
  const std::span<const float> losses = executor.losses();
  EXPECT_NEAR(content->ablated[0], std::accumulate(losses.begin(), losses.end(), 0.0) / 23, 1e-5);
  EXPECT_GT(std::abs(content->ablated[0] - content->whole[0]), 1e-4);
}

TEST_P(ValueContentOf, IsTheSameForAnyNumberOfThreads) {
  const auto two = value_content({program, parameters}, *source, 5, engine);
  model::CpuEngine alone(1);
  const auto one = value_content({program, parameters}, *source, 5, alone);
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->ablated, two->ablated);
  EXPECT_EQ(one->whole, two->whole);
}

INSTANTIATE_TEST_SUITE_P(Models, ValueContentOf, testing::Bool(),
                         [](const auto& of) { return of.param ? "WithoutOv" : "WithOv"; });

TEST(ValueContent, RefusesWindowsThatTheModelCannotRead) {
  const model::Program program = *model::compile(architecture_of(false));
  const std::vector<float> parameters = model::initialize(program, 3);
  model::CpuEngine engine(1);
  const auto content = value_content({program, parameters}, *source_of(33, 24), 1, engine);
  ASSERT_FALSE(content);
  EXPECT_NE(content.error().message.find("33"), std::string::npos) << content.error().message;
}

}  // namespace
}  // namespace lookback::study
