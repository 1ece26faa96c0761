// An inspection as text for a person: a few tables, the most telling first.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "lookback/study/inspection.h"

namespace lookback::cli {

/// `transitions` as transitions_of (study/findings.h), or null. Figures are means; the number after
/// +- is half of the interval of 95% over sequences (lens/estimate.h).
std::string inspection_table(const study::SavedModel& model, const study::Inspection& inspection,
                             const nlohmann::json& transitions);

}  // namespace lookback::cli
