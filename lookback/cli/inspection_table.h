// An inspection as text for a person: a few tables, the most informative first.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "lookback/study/inspection.h"

namespace lookback::cli {

/// Numbers are means; the number after +- is half of the 95% interval over sequences
/// (lens/estimate.h).
std::string inspection_table(const study::SavedModel& model, const study::Inspection& inspection);

}  // namespace lookback::cli
