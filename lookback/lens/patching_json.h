// Activation patching as JSON: restored shares, each as estimate_json (json_parts.h).
#pragma once

#include <nlohmann/json.hpp>

#include "lookback/lens/patching.h"

namespace lookback::lens {

/// {"corruption": "answer" | "match", "sequences", "length", "changed", "query",
///  "clean", "corrupted": log-probabilities of the right answer in nats,
///  "heads": [{"head": {"layer", "head"}, "activation": "q" | "k" | "v" | "z" | "pattern", "whole",
///             "by_position": [means, T], "standard_errors": [T], "intervals": [T]}],
///  "paths": [{"from": name of the component, "to": {"layer", "head"} or null for the logits,
///             "input": "q" | "k" | "v", or null for the logits, "restored"}],
///  "skipped": [one line each]}
nlohmann::json patching_json(const Patching& result);

}  // namespace lookback::lens
