// The attention maps of a study in the form that the page reads.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "lookback/report/study_report.h"

namespace lookback::report {

/// An array of {"arm" (index), "seed", "checkpoints": [{"tokens", "heads": [{"layer", "head",
/// "label", "induction", "previous", "map"}]}]} of every run with maps, the map as encode_attention
/// writes it and the scores those of the evaluation nearest in log tokens.
nlohmann::json attention_data(const StudyReport& study);

}  // namespace lookback::report
