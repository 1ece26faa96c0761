// What the lens found in a study's models, in the form that the page reads, within size limits.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/report/study_report.h"

namespace lookback::report {

/// The most bytes that the figures (with everything else about a model) and the matrices of all
/// models may take.
struct LensLimits {
  std::size_t figures = 2'500'000;
  std::size_t matrices = 1'500'000;
};

/// An array of {"arm" (index), "seed", "tokens", "mechanism", "figures", "matrices": [{"title",
/// "kind", "score", "matching", "scale", "map"}], "side", "matrices_note", "skipped"}, the map as
/// encode_matrix writes it. If not all fit, the largest seeds are dropped, and if even the smallest
/// does not fit, so is every arm that does not fit after those before it; likewise for matrices.
/// What was dropped is added to `notes`.
Result<nlohmann::json> lens_data(const StudyReport& study, const LensLimits& limits,
                                 std::vector<std::string>& notes);

}  // namespace lookback::report
