// The kernels' tests: each runs on every instruction set of this machine, whatever LOOKBACK_ISA
// names; that is where the tests not made for one set run.
#include <cstdio>

#include <gtest/gtest.h>
#include "lookback/math/targets.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const lookback::Status selected = lookback::math::select_instruction_set_from_environment();
  if (!selected) {
    std::fprintf(stderr, "%s\n", selected.error().message.c_str());
    return 1;
  }
  return RUN_ALL_TESTS();
}
