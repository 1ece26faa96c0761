// Whether there is enough memory for what is requested.
#pragma once

#include <cstddef>
#include <new>
#include <span>

#include "lookback/base/result.h"
#include "lookback/study/run_config.h"

namespace lookback::cli {

/// Refuses runs that would run out of memory on this many threads, before anything is made. The
/// error names the run, how much it needs, and how much there is.
Status check_memory(std::span<const study::RunConfig> runs, std::size_t threads);

/// The error if memory runs out nevertheless: how much was requested, if known, and how much there
/// is.
Error out_of_memory(const std::bad_alloc& error);

}  // namespace lookback::cli
