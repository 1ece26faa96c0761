// The measures that a claim may use: each has a name, a unit, and a way to read it from a run's
// files.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lookback/study/run_record.h"

namespace lookback::study {

/// The value for a run: nothing if it was not measured; a number, infinite if the run never reached
/// the event; or a word.
using Figure = std::variant<std::monostate, double, std::string>;

struct Quantity {
  std::string_view name = {};
  std::string_view unit = {};  ///< "nats", "bits", "tokens", "decades", or none
  std::string_view says = {};  ///< within a sentence: "the best head's induction score at the end"
  bool is_word = false;
  std::vector<std::string> (*words)() = nullptr;  ///< those that it can be, where it is one
  /// Compared by ratio: means and intervals are of the logarithm.
  bool logarithmic = false;
  bool may_be_never = false;  ///< it can be infinite
  /// Whether it can be read on every held-out probe, not on the main one alone.
  bool of_probe = false;
  /// `probe`: the probe's name; empty: the run's main one.
  Figure (*read)(const RunRecord& run, std::string_view probe) = nullptr;
};

/// All of them: those of findings and metrics, of predictors among them, then those of the inspection of the last checkpoint,
/// then those of a language model's evaluation.
std::span<const Quantity> quantities();

/// The one of that name, or null.
const Quantity* find_quantity(std::string_view name);

/// Those that hold a model against its task's predictors (quantities_predicted.cc).
std::span<const Quantity> predicted_quantities();

/// Those read from evaluation.json (quantities_evaluated.cc).
std::span<const Quantity> evaluated_quantities();

/// Those read from inspection.json; the rest are in quantities.cc.
std::span<const Quantity> inspected_quantities();

}  // namespace lookback::study
