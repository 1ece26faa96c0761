// The mechanism of a model as JSON, with the measures that decided it.
#pragma once

#include <nlohmann/json.hpp>

#include "lookback/lens/mechanism.h"

namespace lookback::lens {

/// {"verdict": name, "reason", "sequences", "loss": {"mean", "standard_error"}, "chance",
///  "head": {"layer", "head"} or null, and where something is learned:
///  "scores": every score of scores.h by its name, "direct_cost", "cost", "stake": nats,
///  "band", "matching", "unsmeared" (null without smeared keys): shares of the stake,
///  "earlier": [{"head", "k_removed", "q_removed", "previous_token", "previous_token_only",
///              "duplicate_token", "duplicate_token_only"}],
///  "partner": {"layer", "head"} or null}
nlohmann::json mechanism_json(const MechanismResult& result);

}  // namespace lookback::lens
