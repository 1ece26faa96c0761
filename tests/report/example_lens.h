// What the lens found in a small model, for the tests: two heads, four tokens, three positions.
#pragma once

#include <string>

#include "lookback/report/lens_result.h"

namespace lookback::report::test {

inline LensResult example_lens() {
  const LensHead first{0, 0};
  const LensHead second{1, 0};
  LensResult found;
  found.tokens = 10000;
  found.vocabulary = 2;
  found.mechanism = {"k-composition", "without head 0.0 in its keys", {{"cost, nats", {5.0, 0.5}}}};
  for (const std::string input : {"v", "q", "k"}) {
    for (const std::string change : {"zero", "mean"}) {
      const double rise = input == "k" ? 5.0 : 0.1;
      found.paths.push_back({"head 0.0", second, input, change, {rise, 0.25}});
    }
  }
  found.logits = {{"head 1.0", {}, "", "zero", {3.0, 0.1}}};
  found.heads = {{"head 0.0", "zero", {4.0, 0.1}}, {"head 1.0", "zero", {-0.5, 0.1}}};
  found.norms = {{"every norm", "frozen", {0.5, 0.1}}};
  found.direct = {{"ov", first, {}, {{4.0, 0.0}, {0.0, 0.4}}, 0.9, 3.0, {1.0F, 0.0F, 0.0F, 1.0F}},
                  {"qk", second, {}, {{-1.0, 0.0}}, -1.0, {}, {}}};
  found.composed = {{"k_composition", second, first, {{2.0, 0.0}}, 1.0, 4.0, {}}};
  found.composition = {{first, second, 0.05, 0.2, 0.1, 0.1}};
  found.patchings = {{"answer",
                      0,
                      1,
                      LensValue{-0.1, 0.01},
                      LensValue{-5.0, 0.1},
                      {{first, "v", LensValue{0.004, 0.1}, {0.0, 0.0, 0.0}},
                       {second, "v", LensValue{1.0, 0.1}, {0.98765, -0.2, 0.0}}},
                      {{"head 0.0", second, "k", "clean", {0.9, 0.1}}}}};
  found.positional = {{first, {0.0, 2.0, 0.5, 0.1}}};
  found.skipped = {"something: found 3, allowed at most 2"};
  return found;
}

}  // namespace lookback::report::test
