// Long work that reports its progress and can be stopped.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>

#include "lookback/base/result.h"
#include "lookback/base/workers.h"

namespace lookback::base {

/// What the caller of long work hands it; either may be empty.
struct Control {
  /// Once a stop is requested no further part of the work begins, and it returns stopped().
  std::stop_token stop = {};
  /// Hears how much of all is done. Called from the thread that asked for the work.
  std::function<void(std::size_t done, std::size_t all)> progress = {};
};

/// What work returns that was stopped before its end.
inline Error stopped() { return {"stopped", ErrorKind::stopped}; }

/// Workers::run under control: stopped() where a stop left tasks undone. Progress is reported after each
/// task that the calling thread has run itself.
Status run_tasks(const Control& control, Workers& workers, std::size_t tasks,
                 const std::function<void(std::size_t task, std::size_t worker)>& task);

}  // namespace lookback::base
