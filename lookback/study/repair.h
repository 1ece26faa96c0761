// What --resume does about files of a run that were changed, damaged or removed: they are made again.
#pragma once

#include "lookback/base/result.h"
#include "lookback/study/directory_lock.h"
#include "lookback/study/run_config.h"
#include "lookback/study/study.h"

namespace lookback::study {

/// Takes from the directory of a run what is not as its manifest says, or is damaged though it is, with a
/// message for each file, so that the run is inspected again, ends again from its last good checkpoint,
/// or is trained again from the one before a damaged one: to the same bits. Of timing.json, and of what
/// `lookback eval` added to evaluation.json, nothing is left. Errors: what cannot be read now; another
/// run; one that lookback 0.1 made.
Status repair_run(const RunConfig& config, const DirectoryLock& run, Listener& listener);

}  // namespace lookback::study
