// Training runs in float on vector units: on every instruction set of this machine, each program's
// losses and gradient against the same program in double, on the same numbers.
//
// Tolerances are those of running.h.
#include <gtest/gtest.h>

#include "lookback/math/targets.h"
#include "tests/model/running.h"

namespace lookback::model::spec {
namespace {

/// Runs the float kernels on one instruction set, and on the usual one afterwards.
class Selected {
 public:
  explicit Selected(const std::string& name) : usual_(math::active_instruction_set()) {
    const Status status = math::select_instruction_set(name);
    EXPECT_TRUE(status) << name;
    EXPECT_EQ(math::active_instruction_set(), name);
  }
  ~Selected() { EXPECT_TRUE(math::select_instruction_set(usual_)); }
  Selected(const Selected&) = delete;
  Selected& operator=(const Selected&) = delete;

 private:
  std::string usual_;
};

class Precision : public ::testing::TestWithParam<Case> {
 protected:
  Precision() : ready(GetParam()), exact(ready.run()), allowed(tolerance<float>(ready)) {}

  template <class Check>
  void on_every_instruction_set(Check check) {
    for (const std::string& name : math::available_instruction_sets()) {
      SCOPED_TRACE(name);
      const Selected selected(name);
      check(ready.run<float>());
    }
  }

  Ready ready;
  Outcome<double> exact;
  Tolerance allowed;
};

TEST_P(Precision, OfTheLossesIsThatOfTheirNumbers) {
  on_every_instruction_set([&](const Outcome<float>& run) {
    EXPECT_LE(norm(difference(as<double>(run.logits), exact.logits)), allowed.logits);
    // A loss moves at most by twice the largest move of its logits.
    EXPECT_LE(distance(as<double>(run.losses), exact.losses), 2 * allowed.logits);
  });
}

TEST_P(Precision, OfTheGradientIsThatOfItsNumbers) {
  on_every_instruction_set([&](const Outcome<float>& run) {
    EXPECT_LE(norm(difference(as<double>(run.gradient), exact.gradient)), allowed.gradient);
  });
}

TEST_P(Precision, IsTheSameBitForBitEveryTime) {
  on_every_instruction_set([&](const Outcome<float>& run) {
    EXPECT_EQ(run.losses, ready.run<float>().losses);
    EXPECT_EQ(run.gradient, ready.run<float>().gradient);
  });
}

INSTANTIATE_TEST_SUITE_P(Model, Precision, ::testing::ValuesIn(cases(odd_sizes)),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace lookback::model::spec
