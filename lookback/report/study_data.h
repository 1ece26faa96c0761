// What the page shows of a study as a whole.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "lookback/report/study_report.h"

namespace lookback::report {

/// The figures of a study in the order of the page: an array of {"id", "title", "caption",
/// "variants": [{"id", "label", "spec"}]}. `checkpoints` are the token counts of the slider.
nlohmann::json study_figures(const StudyReport& study,
                             const std::vector<std::uint64_t>& checkpoints);

/// Null when every run has ended, otherwise {"tokens_done", "tokens_all", "runs": [{"arm" (index),
/// "seed", "tokens", "of", "status", "tokens_per_second"}]}. A run that diverged has no more to do.
nlohmann::json progress_data(const StudyReport& study);

/// The part of the page's data other than maps, circuits and inspections (web/src/data.ts names the
/// fields), with these notes.
nlohmann::json study_data(const StudyReport& study, const std::vector<std::string>& notes);

}  // namespace lookback::report
