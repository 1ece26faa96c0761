#include "lookback/data/recall.h"

#include <gtest/gtest.h>

#include <set>

namespace lookback::data {
namespace {

std::unique_ptr<Task> recall(std::int64_t pairs, std::size_t vocabulary, std::size_t length) {
  base::KindConfig config(mqar_kind());
  config.values["pairs"] = pairs;
  auto task = make_task(config, {.vocabulary = vocabulary, .length = length, .seed = 5});
  if (!task) ADD_FAILURE() << task.error().message;
  return task ? std::move(*task) : nullptr;
}

TEST(Recall, ShowsDifferentKeysWithTheirValuesAndAsksForEachAgain) {
  const auto task = recall(0, 32, 24);
  ASSERT_TRUE(task);
  for (std::uint64_t index = 0; index < 20; ++index) {
    const std::vector<Token> x = task->sequence(index);
    std::set<Token> keys, asked;
    for (std::size_t t = 0; t < 12; t += 2) {
      EXPECT_LT(x[t], 16U);
      EXPECT_GE(x[t + 1], 16U);
      EXPECT_TRUE(keys.insert(x[t]).second) << "a key twice";
    }
    for (std::size_t t = 12; t < 24; t += 2) {
      EXPECT_TRUE(asked.insert(x[t]).second) << "asked twice";
      for (std::size_t s = 0; s < 12; s += 2) {
        if (x[s] != x[t]) continue;
        EXPECT_EQ(x[s + 1], x[t + 1]);
      }
    }
    EXPECT_EQ(asked, keys);
  }
}

TEST(Recall, AnswersAQueryByTheValueOfItsKey) {
  const auto task = recall(3, 16, 21);  // two rounds of queries, a third begun, a key at the end
  ASSERT_TRUE(task);
  for (std::uint64_t index = 0; index < 20; ++index) {
    const std::vector<Token> x = task->sequence(index);
    const Structure structure = task->structure(index);
    const std::vector<float> weights = task->weights(index);
    EXPECT_EQ(structure.opening, 6U);
    for (std::size_t t = 0; t < 21; ++t) {
      const bool asks = t >= 6 && t % 2 == 0 && t + 1 < 21;
      ASSERT_EQ(structure.is_answered(t), asks) << t;
      if (t + 1 == 21) break;
      EXPECT_EQ(weights[t], asks ? 1 : 0) << t;
      if (!asks) continue;
      ASSERT_EQ(structure.answers(t).size(), 1U);
      const Position source = structure.answers(t).front();
      EXPECT_EQ(x[source - 1], x[t]);
      EXPECT_EQ(x[source], x[t + 1]);
      EXPECT_LT(source, 6U);
      EXPECT_EQ(structure.occurrence[t], 1 + (t - 6) / 6);
      EXPECT_EQ(structure.occurrence[source], 0U);
    }
  }
}

TEST(Recall, RefusesPairsForWhichThereIsNoRoom) {
  base::KindConfig config(mqar_kind());
  config.values["pairs"] = std::int64_t{8};
  const auto short_one = make_task(config, {.vocabulary = 64, .length = 17});
  ASSERT_FALSE(short_one);
  EXPECT_NE(short_one.error().message.find("at least 18"), std::string::npos);
  const auto narrow = make_task(config, {.vocabulary = 15, .length = 64});
  ASSERT_FALSE(narrow);
  EXPECT_NE(narrow.error().message.find("at least 16"), std::string::npos);
}

}  // namespace
}  // namespace lookback::data
