// Long work that tells how far it is and can be stopped.
#pragma once

#include <cstddef>
#include <functional>

#include "lookback/base/result.h"
#include "lookback/base/workers.h"

namespace lookback::base {

/// Hears how much of all is done, and says whether to go on. Called from the thread that asked for the
/// work, never by two at a time.
using GoOn = std::function<bool(std::size_t done, std::size_t all)>;

/// What work that did not go on returns.
inline Error stopped() { return {"stopped"}; }

/// Workers::run, a few tasks a worker at a time; in between and at the end `go_on` is asked, where there
/// is one. The error is stopped().
Status run_while(const GoOn& go_on, Workers& workers, std::size_t tasks,
                 const std::function<void(std::size_t task, std::size_t worker)>& task);

}  // namespace lookback::base
