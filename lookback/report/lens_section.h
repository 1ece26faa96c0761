// Which figures the page draws of one model under the lens, and what it says beside them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "lookback/report/lens_result.h"

namespace lookback::report {

/// The figures in the order of the page: an array of {"id", "title", "caption", "variants": [{"id",
/// "label", "panels": [{"id", "label", "note", "spec"}]}]}. A figure of which nothing was measured is
/// left out. What a large model has too much of is cut to what is largest, and the caption says so.
nlohmann::json lens_figures(const LensResult& result);

/// {"verdict", "reason", "facts": [{"name", "value", "reach"}]}, `reach` the half width of the
/// interval of 95%, null where that is not known.
nlohmann::json mechanism_data(const LensMechanism& mechanism);

/// "OV of head 1.0", "QK of head 1.0, keys through head 0.0", ...
std::string circuit_title(const LensCircuit& circuit);

}  // namespace lookback::report
