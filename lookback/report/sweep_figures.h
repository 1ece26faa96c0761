// What a sweep comes to: measures of the runs against the numbers that it varies.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "lookback/report/study_report.h"

namespace lookback::report {

/// A figure for each axis of the study's sweep, as study_figures gives them: tokens until the transition,
/// the last induction score and second-half loss, a dot a run, with the power laws that the ledger fitted
/// along that axis. Empty without a sweep.
nlohmann::json sweep_figures(const StudyReport& study);

}  // namespace lookback::report
