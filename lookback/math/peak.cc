#include "lookback/math/peak.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "lookback/math/targets_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lookback/math/peak.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// after foreach_target.h
#include "hwy/highway.h"
#include "lookback/math/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lookback::math {
namespace HWY_NAMESPACE {

/// Enough chains to hide the latency of a multiply-add (4 cycles or 5, two or four a cycle), few
/// enough for 16 registers beside the two factors.
inline constexpr std::size_t chains = 12;
inline constexpr std::size_t steps = 4;

struct Batch {
  double operations;
  float result;  ///< to be used somewhere, or the compiler drops the work
};

Batch run_chains(std::size_t repetitions, float start) {
  // x -> 0.999 x + 0.001 has the fixed point 1: no overflow and no denormals, however long it runs.
  const FloatVector factor = set(0.999F);
  const FloatVector addend = set(0.001F);
  FloatVector x[chains];
  for (std::size_t i = 0; i < chains; ++i) x[i] = set(start + static_cast<float>(i));
  for (std::size_t r = 0; r < repetitions; ++r) {
    for (std::size_t step = 0; step < steps; ++step) {
      for (std::size_t i = 0; i < chains; ++i) x[i] = hn::MulAdd(x[i], factor, addend);
    }
  }
  FloatVector sum = x[0];
  for (std::size_t i = 1; i < chains; ++i) sum = hn::Add(sum, x[i]);
  const std::size_t operations = 2 * lanes * chains * steps * repetitions;
  return {static_cast<double>(operations), sum_of_lanes(sum)};
}

double measure_peak(double seconds) {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t repetitions = 6000;  // some 288,000 multiply-adds: 50 microseconds
  const Clock::time_point begin = Clock::now();
  double best = 0;
  float start = 1;
  double elapsed = 0;
  do {
    const Clock::time_point before = Clock::now();
    const Batch batch = run_chains(repetitions, start);
    const Clock::time_point after = Clock::now();
    // Each batch starts from the last one's result, so none can be optimized away.
    start = batch.result / static_cast<float>(chains * lanes);
    const double duration = std::chrono::duration<double>(after - before).count();
    if (duration > 0) best = std::max(best, batch.operations / duration * 1e-9);
    elapsed = std::chrono::duration<double>(after - begin).count();
  } while (elapsed < seconds);
  // start is 1 up to rounding, so that this never happens; the compiler cannot know.
  return start > 0 ? best : 0;
}

}  // namespace HWY_NAMESPACE
}  // namespace lookback::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookback::math {

HWY_EXPORT(measure_peak);

double measure_fma_peak(double seconds) { return HWY_DYNAMIC_DISPATCH(measure_peak)(seconds); }

}  // namespace lookback::math
#endif  // HWY_ONCE
