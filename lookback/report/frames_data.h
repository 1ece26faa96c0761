// The circuits of a study's checkpoints in the form that the page reads.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "lookback/report/study_report.h"

namespace lookback::report {

/// An array of {"arm" (index), "seed", "side", "checkpoints": [{"tokens", "circuits": [{"title",
/// "kind", "head", "from", "score", "matching", "scale", "map", "eigenvalues": [[re, im], ...]}]}]}
/// of every run with circuits, the map as encode_matrix writes it: [S, S], S = `side`.
nlohmann::json frames_data(const StudyReport& study);

}  // namespace lookback::report
