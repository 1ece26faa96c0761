// What the tests of optimizers share: gradients, a program with every kind of parameter, and the same
// test on each instruction set.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "lookback/base/random.h"
#include "lookback/math/targets.h"
#include "tests/train/small_run.h"

namespace lookback::train::spec {

inline constexpr double u = 0x1p-24;  ///< float's unit roundoff

/// Normal gradients: their norm is about `scale` times the root of their number.
inline std::vector<float> random_gradient(const model::Program& program, std::uint64_t seed,
                                          double scale) {
  std::vector<float> gradient(program.buffer_size);
  base::RandomStream random(seed, base::StreamPurpose::test, 0);
  for (const model::ParameterInfo& info : program.parameters) {
    for (std::size_t i = 0; i < info.size(); ++i) {
      gradient[info.offset + i] = static_cast<float>(scale * random.normal());
    }
  }
  return gradient;
}

/// Two heads in each layer, an MLP, biases, norms, positions.
inline model::Program program_with_everything() {
  model::Architecture architecture = small_architecture();
  architecture.heads = 2;
  architecture.biases = true;
  architecture.d_mlp = 24;
  return compiled(architecture);
}

inline void on_every_instruction_set(const std::function<void()>& test) {
  const std::string before = math::active_instruction_set();
  for (const std::string& name : math::available_instruction_sets()) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(math::select_instruction_set(name));
    test();
  }
  ASSERT_TRUE(math::select_instruction_set(before));
}

}  // namespace lookback::train::spec
