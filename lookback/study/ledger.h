// The ledger of a study: its claims, each with its measures over seeds, its verdict and its runs.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/study/run_record.h"
#include "lookback/study/statements.h"
#include "lookback/study/study_file.h"

namespace lookback::study {

/// The ledger as docs/formats.md describes it, a pure function of the study's claims, the records
/// of runs that have ended, and when the claims were stated. Runs that diverged have no measures,
/// and verdicts are not based on them. If a finished run saw fewer tokens than a claim needs, the
/// claim is not tested at this size, whatever its measures.
nlohmann::json make_ledger(const Study& study, std::span<const RunRecord> runs,
                           const Statements& statements);

/// The records of every run of the study in its directory that has ended. Errors: those of
/// read_run_record and, in a finished study, a run that is missing or has not ended.
Result<std::vector<RunRecord>> read_records(const Study& study,
                                            const std::filesystem::path& directory);

/// Makes the ledger of the study in `directory` and writes DIR/ledger.json, and DIR/claims.json if
/// a claim is new; for a study without claims it removes an existing ledger. Returns the ledger.
Result<nlohmann::json> write_ledger(const Study& study, const std::filesystem::path& directory);

}  // namespace lookback::study
