// Results as JSON, in the form of the metrics and findings files.
//
// Numbers are rounded to 7 significant digits, slightly more than a float has, so that files stay
// small; non-finite numbers are null. Heads are numbered in their layer over all steps.
#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "lookback/lens/composition.h"
#include "lookback/lens/predictor_scores.h"
#include "lookback/lens/probe_result.h"

namespace lookback::lens {

/// The means of a probe:
///   {"loss", "first_half_loss", "second_half_loss", "answered_loss",
///    "in_context_learning_score": numbers, "in_context_positions": [early, late] (both null where
///    they say nothing: losses.h), "loss_by_position": [T-1], "loss_by_occurrence": [...],
///    "heads": [{"layer", "head", and every score of scores.h by its name}], "head_similarity": [[]]}
nlohmann::json probe_json(const ProbeResult& result);

/// [{"name", "ideal": true or false, "loss", "second_half_loss": its own, "kl": of it from the model}], in
/// the task's order.
nlohmann::json predictors_json(std::span<const PredictorScore> predictors);

/// [{"from": {"layer", "head"}, "to": {"layer", "head"}, "q", "k", "v", "baseline": its mean}]
nlohmann::json composition_json(const Composition& result);

/// `value` to 7 significant digits, or null when it is not finite.
nlohmann::json rounded(double value);

}  // namespace lookback::lens
