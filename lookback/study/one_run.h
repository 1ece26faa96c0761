// One run of a study, in its directory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "lookback/base/result.h"
#include "lookback/model/engine.h"
#include "lookback/study/directory_lock.h"
#include "lookback/study/study.h"

namespace lookback::study {

/// Makes an ended run one that has not: it goes on when it is executed with more tokens.
Status reopen(const std::filesystem::path& directory);

/// Starts the run in the locked directory, or goes on with it from its last good checkpoint up to which
/// its metrics are whole, which may be of a run with fewer tokens (longer_run.h). On success it has
/// ended, with findings.json. `tokens_after` are those of the study's later runs, for the time left.
/// Errors: also a stop, and a lock that is gone, after which nothing is written.
Status execute_run(const RunConfig& config, const DirectoryLock& lock, std::uint64_t tokens_after,
                   model::Engine& engine, Listener& listener);

}  // namespace lookback::study
