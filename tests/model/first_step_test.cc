// A forward pass may begin at a later step, where the steps before it have run.
#include <gtest/gtest.h>

#include <variant>

#include "tests/model/running.h"

namespace lookback::model::spec {
namespace {

using Logits = std::vector<double>;

Logits logits_of(Executor<double>& executor) {
  const math::Matrix<const double> logits = executor.logits();
  return {logits.data, logits.data + logits.rows * logits.cols};
}

TEST(Forward, FromALaterStepGivesWhatAWholeOneGives) {
  for (const Case& c : cases(small_sizes)) {
    SCOPED_TRACE(c.name);
    const Ready ready(c);
    Executor<double> executor(ready.program, ready.batch, ready.length);
    executor.forward(ready.parameters, ready.tokens);
    const Logits whole = logits_of(executor);
    for (std::size_t step = 0; step <= ready.program.steps.size(); ++step) {
      const bool in_place = step < ready.program.steps.size() &&
                            std::holds_alternative<Softmax>(ready.program.steps[step]);
      if (in_place) continue;  // its scores are gone
      executor.forward(ready.parameters, ready.tokens, nullptr, step);
      ASSERT_EQ(logits_of(executor), whole) << step;
    }
  }
}

TEST(Forward, FromALaterStepDoesNotRunTheStepsBefore) {
  const Ready ready(two_layer(small_sizes));
  Taps<double> taps(ready.program);
  std::vector<std::string> seen;
  for (const std::string_view name : activation_names(ready.program)) {
    ASSERT_TRUE(taps.on_forward(name, [&](const Tapped& at, Matrix<double>) {
      if (seen.empty() || seen.back() != at.name) seen.emplace_back(at.name);
    }));
  }
  Executor<double> executor(ready.program, ready.batch, ready.length);
  executor.forward(ready.parameters, ready.tokens);
  executor.forward(ready.parameters, ready.tokens, &taps, ready.program.steps.size() - 2);
  EXPECT_EQ(seen, (std::vector<std::string>{"ln_final.hook_scale", "ln_final.hook_normalized",
                                            "logits"}));
}

}  // namespace
}  // namespace lookback::model::spec
