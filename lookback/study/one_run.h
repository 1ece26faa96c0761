// Carries out the plan of one run, up to its end.
#pragma once

#include <cstdint>

#include "lookback/base/result.h"
#include "lookback/model/engine.h"
#include "lookback/study/directory_lock.h"
#include "lookback/study/run_plan.h"
#include "lookback/study/study.h"

namespace lookback::study {

/// Removes from the run in the locked directory what its plan says is lost, and trains it from where the
/// plan says, if it is to be trained. On success it has ended, with findings.json. `tokens_after` are those
/// of the study's later runs, for the time left. Errors: also a stop, and a lock that is gone, after which
/// nothing is written.
Status carry_out(const RunPlan& plan, const DirectoryLock& lock, std::uint64_t tokens_after,
                 model::Engine& engine, Listener& listener);

}  // namespace lookback::study
