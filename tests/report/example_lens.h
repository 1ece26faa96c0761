// What the lens found in a small model, for the tests: two heads, four tokens, three positions.
#pragma once

#include <string>

#include "lookback/report/lens_result.h"

namespace lookback::report::test {

/// With an interval that reaches as far on both sides.
inline LensValue value_within(double mean, double reach) {
  return {mean, LensInterval{mean - reach, mean + reach}};
}

inline LensResult example_lens() {
  const LensHead first{0, 0};
  const LensHead second{1, 0};
  LensResult found;
  found.tokens = 10000;
  found.vocabulary = 2;
  found.mechanism = {
      "k-composition", "without head 0.0 in its keys", {{"cost, nats", value_within(5.0, 0.5)}}};
  for (const std::string input : {"v", "q", "k"}) {
    for (const std::string change : {"zero", "mean"}) {
      const double rise = input == "k" ? 5.0 : 0.1;
      found.paths.push_back({"head 0.0", second, input, change, value_within(rise, 0.25)});
    }
  }
  found.logits = {{"head 1.0", {}, "", "zero", value_within(3.0, 0.1)}};
  found.heads = {{"head 0.0", "zero", value_within(4.0, 0.1)},
                 {"head 1.0", "zero", value_within(-0.5, 0.1)}};
  found.norms = {{"every norm", "frozen", value_within(0.5, 0.1)}};
  found.direct = {{"ov", first, {}, {{4.0, 0.0}, {0.0, 0.4}}, 0.9, 3.0, {1.0F, 0.0F, 0.0F, 1.0F}},
                  {"qk", second, {}, {{-1.0, 0.0}}, -1.0, {}, {}}};
  found.composed = {{"k_composition", second, first, {{2.0, 0.0}}, 1.0, 4.0, {}}};
  found.composition = {{first, second, 0.05, 0.2, 0.1, 0.1}};
  found.patchings = {{"answer",
                      0,
                      1,
                      value_within(-0.1, 0.01),
                      value_within(-5.0, 0.1),
                      {{first, "v", value_within(0.004, 0.1), {0.0, 0.0, 0.0}},
                       {second, "v", value_within(1.0, 0.1), {0.98765, -0.2, 0.0}}},
                      {{"head 0.0", second, "k", "clean", value_within(0.9, 0.1)}}}};
  found.positional = {{first, {0.0, 2.0, 0.5, 0.1}}};
  found.skipped = {"something: found 3, allowed at most 2"};
  return found;
}

}  // namespace lookback::report::test
