// What --resume does about files of a run that were changed, damaged or removed: they are made again.
#pragma once

#include <filesystem>

#include "lookback/base/result.h"
#include "lookback/study/run_config.h"
#include "lookback/study/study.h"

namespace lookback::study {

/// Takes from a run's directory what is not as its manifest says, with a message for each file, so that
/// the run is inspected again, ends again from its last good checkpoint, or is trained again from the
/// one before a damaged one: to the same bits. Errors: what cannot be read now; a run that lookback 0.1
/// made. REQUIRES the lock of the directory.
Status repair_run(const RunConfig& config, const std::filesystem::path& run, Listener& listener);

}  // namespace lookback::study
