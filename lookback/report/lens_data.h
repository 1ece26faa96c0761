// What the lens found in a study's models, as the page reads it, within limits of size.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/report/study_report.h"

namespace lookback::report {

/// The most bytes that the figures (with all else that is said of a model), and the matrices, of all
/// models take.
struct LensLimits {
  std::size_t figures = 2'500'000;
  std::size_t matrices = 1'500'000;
};

/// An array of {"arm" (index), "seed", "tokens", "mechanism", "figures", "matrices": [{"title",
/// "kind", "score", "matching", "scale", "map"}], "side", "matrices_note", "skipped"}, the map as
/// encode_matrix writes it. Where not all fit, the largest seeds are left out, and where the
/// smallest alone does not, every arm that does not fit beside those before it; of matrices
/// likewise. What was left out is added to `notes`.
Result<nlohmann::json> lens_data(const StudyReport& study, const LensLimits& limits,
                                 std::vector<std::string>& notes);

}  // namespace lookback::report
