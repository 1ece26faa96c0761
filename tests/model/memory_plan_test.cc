// Slots that share memory change no result, and save what they are meant to save.
#include "lookback/model/memory_plan.h"

#include <gtest/gtest.h>

#include "tests/model/gpt2_small.h"
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

TEST(MemoryPlan, AStepOfGpt2SmallOnTwoWorkersTakesLessThanTwelveGiB) {
  constexpr std::size_t workers = 2;
  constexpr double gib = sizeof(float) / 1073741824.0;  // of a number
  const Program program = compiled(gpt2_small());
  ASSERT_GT(program.parameter_count(), 120'000'000U);
  const std::size_t length = program.architecture.context;
  const auto values = [&](Keep keep) {
    return gib * static_cast<double>(plan_values(program, 1, length, keep).size);
  };
  const double buffer = gib * static_cast<double>(program.buffer_size);
  const double sums = (workers + 1) * buffer;  // the total, and one for each worker
  const double moments = 2 * buffer;
  const double activations = workers * values(Keep::everything);
  const double gradients =
      workers * gib * static_cast<double>(plan_gradients(program, 1, length).size);
  const double validation = workers * values(Keep::logits);
  const double all = buffer + sums + moments + activations + gradients + validation;
  EXPECT_LT(all, 12) << "GiB: parameters " << buffer << ", gradient sums " << sums << ", moments "
                     << moments << ", activations " << activations << ", their gradients "
                     << gradients << ", validation " << validation;
}

}  // namespace
}  // namespace lookback::model::spec
