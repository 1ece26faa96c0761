// Ablations as JSON: rises of second-half loss in nats, each as estimate_json (json_parts.h).
#pragma once

#include <nlohmann/json.hpp>

#include "lookback/lens/ablation.h"

namespace lookback::lens {

/// {"sequences", "baseline",
///  "paths": [{"from": name of the component, "to": {"layer", "head"}, "input": "q" | "k" | "v",
///             "replacement": "zero" | "mean" | "resample", "rise"}],
///  "logits": [{"from", "replacement", "rise"}],
///  "heads": [{"head", "replacement", "rise"}],
///  "patterns": [{"head" or null for all, "replacement", "rise"}],
///  "values": [{"head" or null for all, "rise", "perplexity_ratio"}],
///  "norms": [{"norm" or null for all, "change": "frozen" | "removed", "rise"}],
///  "skipped": [one line each]}
nlohmann::json ablation_json(const Ablations& result);

}  // namespace lookback::lens
