// An inspection as text for a person: a few tables, the most telling first.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "lookback/study/inspection.h"

namespace lookback::cli {

/// Figures are means; the number after
/// +- is half of the interval of 95% over sequences (lens/estimate.h).
std::string inspection_table(const study::SavedModel& model, const study::Inspection& inspection);

}  // namespace lookback::cli
