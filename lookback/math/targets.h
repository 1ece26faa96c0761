// The instruction sets of this machine, and which of them the float kernels run on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"

namespace lookback::math {

/// What this program was compiled for and this machine can run, best first; "SCALAR" is the last
/// and always there. Of "AVX3" (AVX-512), "AVX2", "SSE4", "NEON", "SCALAR".
std::vector<std::string> available_instruction_sets();

/// The one the next kernel will run on: the best, unless another was selected. The answer comes
/// from a function that is dispatched like the kernels, not from what was requested.
std::string active_instruction_set();

/// From now on every kernel, in every thread, runs on the named instruction set. For tests and for
/// comparing machines: results differ in rounding between instruction sets. Must not be called
/// while kernels run. An error, naming those available, if this machine has no such set.
Status select_instruction_set(std::string_view name);

/// Selects the set that the environment variable LOOKBACK_ISA names; does nothing if it is unset or
/// empty. To be called at the beginning of main().
Status select_instruction_set_from_environment();

}  // namespace lookback::math
