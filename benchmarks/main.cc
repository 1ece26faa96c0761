// Benchmarks: LOOKBACK_ISA chooses the instruction set as it does for the program. The rates are
// best read beside `peak/fma`, taken in the same run; on a shared machine add
//   --benchmark_repetitions=20 --benchmark_enable_random_interleaving=true
// and compare medians.
#include <benchmark/benchmark.h>

#include <cstdio>

#include "lookback/math/targets.h"

int main(int argc, char** argv) {
  const lookback::Status selected = lookback::math::select_instruction_set_from_environment();
  if (!selected) {
    std::fprintf(stderr, "%s\n", selected.error().message.c_str());
    return 1;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("instruction_set", lookback::math::active_instruction_set());
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
