// Whether there is memory enough for what is asked for.
#pragma once

#include <cstddef>
#include <new>
#include <span>

#include "lookback/base/result.h"
#include "lookback/study/run_config.h"

namespace lookback::cli {

/// Refuses runs that would run out of memory on so many threads, before anything is made. Errors: the
/// run, how much it needs, and how much there is.
Status check_memory(std::span<const study::RunConfig> runs, std::size_t threads);

/// What to say when memory ran out all the same: how much was asked for, where it is known, and how
/// much there is.
Error out_of_memory(const std::bad_alloc& error);

}  // namespace lookback::cli
