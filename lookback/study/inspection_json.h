// An inspection as JSON and as arrays in a safetensors file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/study/inspection.h"

namespace lookback::study {

/// In format 1, shares of a mechanism were relative to the head's cost; in format 2, intervals
/// ignored the noise of reference means, and blocks to patch could be longer than any trained on.
inline constexpr const char* inspection_format = "lookback inspection 3";

/// {"format": "lookback inspection 3", "arm", "seed", "step", "tokens", "parameters", "config": the
///  run's configuration as TOML,
///  "probes": {name: {"periods", "sequences", "losses": {measure: estimate},
///             "in_context_positions", "loss_by_position", "loss_by_occurrence",
///             "chance": {score: value},
///             "heads": [{"layer", "head", score: estimate}], "head_similarity"}},
///  "composition", "circuits", "ablation", "patching": [one a corruption], "mechanism",
///  "skipped": [one line each]}: the forms of lens/*_json.h. An estimate is {"mean",
/// "standard_error", "interval": [low, high] of 95%} over sequences, or over groups of them
/// (lens/intervention.h). What is not finite is null, and so are "in_context_positions" and
/// "in_context_learning_score" of a probe where they say nothing (lens/losses.h).
nlohmann::json inspection_json(const SavedModel& model, const Inspection& inspection);

/// A named array, row-major: the product of `shape` is the number of values.
struct InspectionArray {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

/// The purely numerical results: heads are named layer.head, and circuits "circuits/KIND/HEAD" or
/// "circuits/KIND/FROM-HEAD". Complex numbers have a last axis of 2, real and imaginary part.
///   sequence [T]; attention/HEAD [T,T]
///   PROBE/losses [n,T-1]; PROBE/SCORE [n,heads]
///   circuits/.../eigenvalues [r,2], /singular_values [r], /matrix [V,V] where V is small enough
///   positional/HEAD/by_offset [T], /scores [T,T]
///   patching/CORRUPTION/ACTIVATION/HEAD [T]
std::vector<InspectionArray> inspection_arrays(const Inspection& inspection);

/// Writes these arrays as a safetensors file, atomically, the same bytes for the same input. Its
/// metadata say what the arrays belong to: "format" (inspection_format), "arm", "seed", "step",
/// "tokens", and "version" of lookback. Errors: those of the file system.
Status write_inspection_arrays(const std::filesystem::path& file, const SavedModel& model,
                               const Inspection& inspection);

/// Refuses a path with something that arrays must not replace: anything but a file of
/// write_inspection_arrays, of this format or another.
Status check_arrays_file(const std::filesystem::path& file);

}  // namespace lookback::study
