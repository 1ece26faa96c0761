// Long work that tells how far it is and can be stopped.
#pragma once

#include <cstddef>
#include <functional>

#include "lookback/base/result.h"
#include "lookback/base/workers.h"

namespace lookback::base {

/// Hears how much of all is done, and says whether to go on. Called from the thread that asked for the
/// work.
using GoOn = std::function<bool(std::size_t done, std::size_t all)>;

/// What work that did not go on returns.
inline Error stopped() { return {"stopped"}; }

/// Workers::run; after each task that it has run itself the calling thread asks `go_on`, where there is
/// one, and no further tasks are begun where that says so. The error, where tasks were left undone, is
/// stopped().
Status run_while(const GoOn& go_on, Workers& workers, std::size_t tasks,
                 const std::function<void(std::size_t task, std::size_t worker)>& task);

}  // namespace lookback::base
