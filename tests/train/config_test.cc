// Learning rates, log spacing and step counts, by values that can be checked by hand.
#include "lookback/train/config.h"
#include "tests/base/like.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace lookback::train {
namespace {

/// A warm-up of 4 steps to 0.8, then a decay to a quarter of it over 8 more.
TrainConfig schedule(Decay decay) {
  TrainConfig config;
  config.learning_rate = 0.8;
  config.warmup_steps = 4;
  config.decay = decay;
  config.final_share = 0.25;
  return config;
}

std::vector<double> rates(const TrainConfig& config, std::uint64_t steps) {
  std::vector<double> rates;
  for (std::uint64_t step = 0; step < steps; ++step) {
    rates.push_back(learning_rate(config, step, steps));
  }
  return rates;
}

/// Each rate is a handful of double operations on numbers up to 1.
void expect_rates(const TrainConfig& config, const std::vector<double>& expected) {
  const std::vector<double> found = rates(config, expected.size());
  for (std::size_t step = 0; step < expected.size(); ++step) {
    EXPECT_NEAR(found[step], expected[step], 8 * 0x1p-53) << "step " << step;
  }
}

TEST(LearningRate, WarmsUpLinearlyFromTheFirstStepOn) {
  expect_rates(schedule(Decay::constant), {0.2, 0.4, 0.6, 0.8, 0.8, 0.8, 0.8, 0.8});
}

TEST(LearningRate, FallsLinearlyToItsFinalShare) {
  // 0.8 (1/4 + 3/4 (1 - i/8)) = 0.8 - 0.075 i; the last step is one short of the end.
  expect_rates(schedule(Decay::linear),
               {0.2, 0.4, 0.6, 0.8, 0.8, 0.725, 0.65, 0.575, 0.5, 0.425, 0.35, 0.275});
}

TEST(LearningRate, FallsAsHalfACosineToItsFinalShare) {
  // 0.8 (1/4 + 3/8 (1 + cos(pi i / 8))) = 0.5 + 0.3 cos(pi i / 8).
  const double c1 = 0.9238795325112867, c2 = std::sqrt(0.5), c3 = 0.3826834323650898;
  expect_rates(schedule(Decay::cosine),
               {0.2, 0.4, 0.6, 0.8, 0.8, 0.5 + 0.3 * c1, 0.5 + 0.3 * c2, 0.5 + 0.3 * c3, 0.5,
                0.5 - 0.3 * c3, 0.5 - 0.3 * c2, 0.5 - 0.3 * c1});
}

TEST(LearningRate, WithoutWarmUpStartsWhole) {
  TrainConfig config = schedule(Decay::constant);
  config.warmup_steps = 0;
  EXPECT_EQ(learning_rate(config, 0, 10), 0.8);
}

TEST(LearningRate, ARunThatEndsWithinItsWarmUpOnlyWarmsUp) {
  expect_rates(schedule(Decay::cosine), {0.2, 0.4, 0.6});
}

std::vector<std::uint64_t> marked(std::uint64_t steps, std::uint64_t per_decade) {
  std::vector<std::uint64_t> marked;
  for (std::uint64_t step = 0; step <= steps; ++step) {
    if (is_log_spaced(step, steps, per_decade)) marked.push_back(step);
  }
  return marked;
}

TEST(LogSpacing, IsTheFirstTheLastAndTheRoundedPowersBetween) {
  // 10^(k/3): 1, 2.15, 4.64, 10, 21.5, 46.4, 100, 215.4
  EXPECT_EQ(marked(300, 3), (std::vector<std::uint64_t>{0, 1, 2, 5, 10, 22, 46, 100, 215, 300}));
  EXPECT_EQ(marked(1000, 1), (std::vector<std::uint64_t>{0, 1, 10, 100, 1000}));
}

TEST(LogSpacing, OfARunOfOneStepIsBothItsEnds) {
  EXPECT_EQ(marked(1, 12), (std::vector<std::uint64_t>{0, 1}));
}

TEST(LogSpacing, HasEveryRoundedPowerAndNoOther) {
  for (const std::uint64_t per_decade : {1U, 2U, 3U, 4U, 5U, 8U, 10U, 12U, 24U, 50U}) {
    constexpr std::uint64_t steps = 20'011;  // no power
    std::set<std::uint64_t> expected{0, steps};
    for (std::uint64_t k = 0;; ++k) {
      const double power = std::pow(10.0, static_cast<double>(k) / static_cast<double>(per_decade));
      const auto step = static_cast<std::uint64_t>(std::llround(power));
      if (step > steps) break;
      expected.insert(step);
    }
    const std::vector<std::uint64_t> found = marked(steps, per_decade);
    EXPECT_EQ(std::set(found.begin(), found.end()), expected) << per_decade << " a decade";
  }
}

TEST(StepCount, ReachesTheTokensAndNoFurther) {
  TrainConfig config;
  config.batch = 8;
  for (const auto& [tokens, steps] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {1, 1}, {255, 1}, {256, 1}, {257, 2}, {512, 2}, {513, 3}}) {
    config.tokens = tokens;
    EXPECT_EQ(step_count(config, 32), steps) << tokens << " tokens";
  }
}

Result<TrainConfig> parsed(const std::string& text, std::size_t length = 32) {
  Result<base::Document> document = base::parse_toml(text, "train.toml");
  if (!document) return document.error();
  base::TableReader reader(std::move(*document));
  const TrainConfig config = read_train_config(reader.table("train"), length);
  if (Status status = reader.finish(); !status) return status.error();
  return config;
}

TEST(TrainConfig, ReadsBackWhatItWrote) {
  TrainConfig config;
  config.tokens = 123'456'789;
  config.batch = 24;
  config.shards = 3;
  config.learning_rate = 1.0 / 3.0;
  config.warmup_steps = 17;
  config.decay = Decay::linear;
  config.final_share = 0.07;
  config.optimizer.values["beta2"] = 0.95;
  config.clip = 0.5;
  config.divergence = 7.5;
  config.evaluations_per_decade = 9;
  config.checkpoints_per_decade = 2;
  config.resume_seconds = 0.25;
  const Result<TrainConfig> read = parsed(to_toml(config));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, config);
  EXPECT_NE(*read, TrainConfig{});
}

TEST(TrainConfig, AnEmptyTableIsTheDefaults) {
  const Result<TrainConfig> read = parsed("[train]\n");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, TrainConfig{});
}

TEST(TrainConfig, ABatchMayBeGivenInTokens) {
  const Result<TrainConfig> read = parsed("[train]\nbatch_tokens = \"8K\"\n", 250);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->batch, 32U);
  EXPECT_NE(to_toml(*read).find("batch = 32\n"), std::string::npos);
  EXPECT_EQ(to_toml(*read).find("batch_tokens"), std::string::npos);
  const Result<TrainConfig> again = parsed(to_toml(*read), 250);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, *read);
}

TEST(TrainConfig, ABatchInTokensIsOfWholeSequencesAndStandsAlone) {
  const auto refusal = [](const std::string& table) {
    const Result<TrainConfig> read = parsed("[train]\n" + table);
    return read ? "none" : read.error().message;
  };
  EXPECT_EQ(refusal("batch_tokens = 100\n"),
            "train.toml:2: key 'train.batch_tokens': found 100, allowed: a multiple of "
            "data.length = 32, of at most 1048576 sequences");
  EXPECT_EQ(refusal("batch_tokens = 67108864\n"),
            "train.toml:2: key 'train.batch_tokens': found 67108864, allowed: a multiple of "
            "data.length = 32, of at most 1048576 sequences");
  EXPECT_EQ(refusal("batch_tokens = 33554432\n"), "none");
  EXPECT_TRUE(test::like(refusal("batch = 2\nbatch_tokens = 64\n"),
                         "train.toml:3: key 'train.batch_tokens': found *batch*"));
}

TEST(TrainConfig, MoreShardsThanSequencesAreRefused) {
  TrainConfig config;
  config.batch = 8;
  config.shards = 9;
  const Status status = validate(config);
  ASSERT_FALSE(status);
  EXPECT_EQ(
      status.error().message,
      "train.shards is 9, but a step has only train.batch = 8 sequences; each shard needs one");
}

TEST(TrainConfig, KeysOfTheOptimizerThatStandWhereLookback02HadThemAreRefusedWithTheirPlace) {
  for (const std::string key : {"beta1", "beta2", "epsilon", "weight_decay", "decay_all"}) {
    const Result<TrainConfig> read = parsed("[train]\nbatch = 16\n" + key + " = 0.5\n");
    ASSERT_FALSE(read) << key;
    const std::string& why = read.error().message;
    EXPECT_EQ(why.rfind("train.toml:3: key 'train." + key + "'", 0), 0U) << why;
    EXPECT_NE(why.find("[train.optimizer]"), std::string::npos) << why;
    EXPECT_NE(why.find("lookback 0.2"), std::string::npos) << why;
  }
}

}  // namespace
}  // namespace lookback::train
