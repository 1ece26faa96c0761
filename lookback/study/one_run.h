// One run of a study, in its directory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "lookback/base/result.h"
#include "lookback/base/workers.h"
#include "lookback/study/study.h"

namespace lookback::study {

/// Whether the run in `directory` has ended (findings.json is there).
bool has_ended(const std::filesystem::path& directory);

/// The same, and as long as `config` asks: one with fewer tokens has not come to its end (longer_run.h).
bool has_ended_as(const RunConfig& config, const std::filesystem::path& directory);

/// Makes an ended run one that has not: it goes on when it is executed with more tokens. Errors: it
/// has no checkpoint to go on from, and would lose what it found.
Status reopen(const std::filesystem::path& directory);

/// Starts the run, or goes on with it from its last good checkpoint, which may be of a run with fewer
/// tokens (longer_run.h). On return it has ended, with
/// findings.json, or it was stopped. `tokens_after` are those of the study's later runs, for the
/// time left. REQUIRES that the caller holds the lock of the directory.
Result<Ending> execute_run(const RunConfig& config, const std::filesystem::path& directory,
                           std::uint64_t tokens_after, base::Workers& workers, Listener& listener);

}  // namespace lookback::study
