#include "lookback/model/recording.h"

#include <gtest/gtest.h>

namespace lookback::model {
namespace {

TEST(RecordingSum, GivesTheMeanOfAConstantExactly) {
  const float third = 1.0F / 3;
  Recording one;
  one.put("a", 0, {&third, 1, 1, 1});
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
  a.put("x", 3, {first.data(), 2, 1, 1});
  b.put("x", 3, {second.data(), 2, 1, 1});
  RecordingSum sum;
  sum.add(a);
  sum.add(b);
  EXPECT_EQ(sum.mean().at("x", 3)(0, 0), 2.5F);
  EXPECT_EQ(sum.mean().at("x", 3)(1, 0), 5.0F);
  EXPECT_EQ(sum.mean().at("x", 2).data, nullptr);
}

}  // namespace
}  // namespace lookback::model
