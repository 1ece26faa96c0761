// Parts shared by the JSON of several results. Numbers are rounded (to_json.h).
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "lookback/lens/component.h"
#include "lookback/lens/estimate.h"
#include "lookback/lens/probe_result.h"

namespace lookback::lens {

/// {"mean", "standard_error", "interval": [low, high] of 95%}.
nlohmann::json estimate_json(const Estimate& estimate);

/// [low, high] of 95% (estimate.h).
nlohmann::json interval_json(const Estimate& estimate);

/// {"layer", "head"}, or null for none.
nlohmann::json place_json(const std::optional<HeadPlace>& place);

/// [rounded(value), ...]
nlohmann::json rounded_list(std::span<const double> values);

}  // namespace lookback::lens
