// The charts of a report: pure functions from plain numbers to Vega-Lite specifications that
// contain their data, so that each works on its own in any Vega-Lite viewer. The page adds only
// fonts and colors of text and grid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/report/series.h"

namespace lookback::report {

/// Whether a loss is drawn on a linear or a logarithmic axis.
enum class LossAxis { linear, logarithmic };

/// Best head's induction score against training tokens, a color per arm and a line per run, with
/// the transitions marked and `chance`, if given, as a dashed level. `arms` fixes colors and order.
/// The specification has the parameter `cursor`: a token count to mark, or 0 for none.
nlohmann::json induction_score_figure(std::span<const std::string> arms,
                                      std::span<const Curve> curves,
                                      std::span<const Transition> transitions,
                                      std::optional<double> chance);

/// Second-half loss in nats against training tokens, drawn in the same way.
nlohmann::json second_half_loss_figure(std::span<const std::string> arms,
                                       std::span<const Curve> curves,
                                       std::span<const Transition> transitions, LossAxis axis);

/// Validation loss in nats per token against training tokens, drawn in the same way.
nlohmann::json validation_loss_figure(std::span<const std::string> arms,
                                      std::span<const Curve> curves,
                                      std::span<const Transition> transitions);

/// The measure that the figure of probes shows at the end of a run.
enum class ProbeMeasure { second_half_loss, induction_score };

/// One measure at the end of training on every held-out probe, a row per probe and a dot per run;
/// runs without the measure have no dot.
nlohmann::json probes_figure(std::span<const std::string> arms, std::span<const ProbeEnd> ends,
                             ProbeMeasure measure);

/// Loss of each prediction against its position, at the checkpoint that the parameter `checkpoint`
/// (an index into `checkpoints`, in tokens) names; a slider is bound to it, initially at the end.
nlohmann::json loss_by_position_figure(std::span<const std::string> arms,
                                       std::span<const std::uint64_t> checkpoints,
                                       std::span<const PositionLosses> losses);

}  // namespace lookback::report
