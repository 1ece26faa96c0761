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

/// Makes an ended run one that has not: it goes on when it is executed with more tokens.
Status reopen(const std::filesystem::path& directory);

/// Starts the run, or goes on with it from its last good checkpoint up to which its metrics are whole,
/// which may be of a run with fewer tokens (longer_run.h). On return it has ended, with
/// findings.json, or it was stopped. `tokens_after` are those of the study's later runs, for the
/// time left. REQUIRES that the caller holds the lock of the directory.
Result<Ending> execute_run(const RunConfig& config, const std::filesystem::path& directory,
                           std::uint64_t tokens_after, base::Workers& workers, Listener& listener);

}  // namespace lookback::study
