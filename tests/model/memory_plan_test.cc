// Slots that share memory change no result, and save what they are meant to save.
#include "lookback/model/memory_plan.h"

#include <gtest/gtest.h>

#include "tests/model/running.h"

namespace lookback::model::spec {
namespace {

Architecture deep(std::size_t layers) {
  Architecture a = two_layer(small_sizes);
  a.layers = layers;
  a.d_mlp = 10;
  return a;
}

TEST(MemoryPlan, LogitsAreTheSameWhereDeadSlotsShareMemory) {
  for (const Case& c : cases(odd_sizes)) {
    const Ready ready(c);
    const auto parameters = as<float>(ready.parameters);
    Executor<float> all(ready.program, c.batch, c.length);
    Executor<float> few(ready.program, c.batch, c.length, Keep::logits);
    for (const int round : {0, 1}) {  // the second finds what the first left behind
      all.forward(parameters, ready.tokens);
      few.forward(parameters, ready.tokens);
      const Matrix<const float> a = all.logits(), b = few.logits();
      EXPECT_TRUE(std::equal(a.data, a.data + a.rows * a.cols, b.data)) << c << round;
    }
  }
}

TEST(MemoryPlan, GradientsOfManyLayersTakeTheMemoryOfFew) {
  const Program shallow = compiled(deep(2)), higher = compiled(deep(12));
  EXPECT_EQ(plan_gradients(shallow, 1, 8).size, plan_gradients(higher, 1, 8).size);
}

TEST(MemoryPlan, LogitsAloneNeedNoMoreMemoryForMoreLayers) {
  const Program shallow = compiled(deep(2)), higher = compiled(deep(12));
  EXPECT_EQ(plan_values(shallow, 1, 8, Keep::logits).size,
            plan_values(higher, 1, 8, Keep::logits).size);
  EXPECT_GT(plan_values(higher, 1, 8, Keep::everything).size,
            5 * plan_values(higher, 1, 8, Keep::logits).size);
}

}  // namespace
}  // namespace lookback::model::spec
