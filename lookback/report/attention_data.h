// The attention maps of a study as the page reads them, within a limit of size.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/report/study_report.h"

namespace lookback::report {

/// An array of {"arm" (index), "seed", "checkpoints": [{"tokens", "heads": [{"layer", "head",
/// "label", "induction", "previous", "map"}]}]}, the map as encode_attention writes it, of as many
/// checkpoints and seeds as fit in `max_bytes`; what was left out is added to `notes`.
/// Fails when a map is not T x T for the T tokens of the study's sequence.
Result<nlohmann::json> attention_data(const StudyReport& study, std::size_t max_bytes,
                                      std::vector<std::string>& notes);

}  // namespace lookback::report
