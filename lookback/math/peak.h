// How fast this core can multiply and add, as a yardstick for the kernels.
#pragma once

namespace lookback::math {

/// The float32 multiply-adds this core does at the moment, in GFLOP/s (a multiply-add counts as
/// two), on the active instruction set: independent chains held in registers, no memory. Runs for
/// about `seconds` (any value; at least one batch of some 50 microseconds) and returns the rate of
/// its fastest batch.
///
/// Clock and other load change from second to second: measure it alternately with what it is
/// compared to, in short pieces, and compare medians.
double measure_fma_peak(double seconds);

}  // namespace lookback::math
