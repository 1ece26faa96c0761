// Programs taken apart a head at a time: what stays as it was, what is added, and what it costs.
#include "lookback/model/instrument.h"

#include <gtest/gtest.h>

#include "lookback/model/flops.h"
#include "tests/model/running.h"

namespace lookback::model::spec {
namespace {

/// The steps that some site without a slot belongs to.
std::vector<std::size_t> all_apart(const Program& program) {
  std::vector<std::size_t> steps;
  for (const SiteInfo& site : program.sites) {
    if (!site.slot && (steps.empty() || steps.back() != site.step)) steps.push_back(site.step);
  }
  return steps;
}

class Instrumenting : public ::testing::TestWithParam<Case> {
 protected:
  Ready ready{GetParam()};
  std::vector<std::size_t> apart = all_apart(ready.program);
  Program whole = instrument(ready.program, apart);
};

TEST_P(Instrumenting, GivesEverySiteASlotOfItsShape) {
  const Architecture& a = GetParam().architecture;
  EXPECT_EQ(apart.size(), (a.no_ov ? 2 : 4) * a.layers * a.steps);
  for (SiteId site = 0; site < whole.sites.size(); ++site) {
    ASSERT_TRUE(whole.sites[site].slot) << whole.sites[site].name;
    if (ready.program.sites[site].slot) continue;
    const SlotInfo& slot = whole.slots[*whole.sites[site].slot];
    EXPECT_EQ(slot.width, a.d_model);
    EXPECT_EQ(slot.heads, 1U);
    EXPECT_EQ(slot.sites, std::vector<SiteId>{site});
  }
}

TEST_P(Instrumenting, KeepsParametersNamesSlotsAndTheStepsBefore) {
  EXPECT_EQ(whole.buffer_size, ready.program.buffer_size);
  EXPECT_EQ(whole.parameters.size(), ready.program.parameters.size());
  EXPECT_EQ(activation_names(whole), activation_names(ready.program));
  for (SlotId slot = 0; slot < ready.program.slots.size(); ++slot) {
    EXPECT_EQ(whole.slots[slot].width, ready.program.slots[slot].width);
    EXPECT_EQ(whole.slots[slot].sites, ready.program.slots[slot].sites);
  }
  const MemoryPlan before = plan_values(ready.program, 1, ready.length, Keep::everything);
  const MemoryPlan after = plan_values(whole, 1, ready.length, Keep::everything);
  EXPECT_TRUE(std::equal(before.offsets.begin(), before.offsets.end(), after.offsets.begin()));
  for (std::size_t step = 0; step < apart.front(); ++step) {
    EXPECT_EQ(uses_of(whole.steps[step]).writes, uses_of(ready.program.steps[step]).writes);
  }
}

TEST_P(Instrumenting, ComputesTheSameFunctionWithAsManyProducts) {
  EXPECT_EQ(useful_flops(whole, ready.length).forward,
            useful_flops(ready.program, ready.length).forward);
  const Outcome<double> expected = ready.run();
  const Outcome<double> found =
      run<double>(whole, ready.batch, ready.length, ready.parameters, ready.tokens);
  const Tolerance allowed = tolerance<double>(ready);
  EXPECT_LE(norm(difference(found.logits, expected.logits)), allowed.logits);
  EXPECT_LE(norm(difference(found.gradient, expected.gradient)), allowed.gradient);
}

INSTANTIATE_TEST_SUITE_P(Model, Instrumenting, ::testing::ValuesIn(cases(small_sizes)),
                         [](const auto& instance) { return instance.param.name; });

TEST(Instrument, TakesApartOnlyTheStepsItIsGiven) {
  const Program program = compiled(two_layer(small_sizes));
  const std::vector<std::size_t> apart = all_apart(program);
  const Program some = instrument(program, std::span(apart).subspan(1, 1));
  for (SiteId site = 0; site < program.sites.size(); ++site) {
    const bool shown = program.sites[site].slot || program.sites[site].step == apart[1];
    EXPECT_EQ(some.sites[site].slot.has_value(), shown) << program.sites[site].name;
  }
}

}  // namespace
}  // namespace lookback::model::spec
