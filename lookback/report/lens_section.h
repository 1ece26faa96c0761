// The figures that the page draws for one inspected model, and their captions.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "lookback/report/lens_result.h"

namespace lookback::report {

/// The figures in the order of the page: an array of {"id", "title", "caption", "variants": [{"id",
/// "label", "panels": [{"id", "label", "note", "spec"}]}]}. A figure without measurements is
/// omitted. For a large model only the largest entries are shown, and the caption says so.
nlohmann::json lens_figures(const LensResult& result);

/// {"verdict", "reason", "facts": [{"name", "value", "reach"}]}, `reach` is the half width of the
/// 95% interval, null if unknown.
nlohmann::json mechanism_data(const LensMechanism& mechanism);

/// "OV of head 1.0", "QK of head 1.0, keys through head 0.0", ...
std::string circuit_title(const LensCircuit& circuit);

}  // namespace lookback::report
