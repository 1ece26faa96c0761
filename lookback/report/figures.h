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

#include "lookback/report/figure_arms.h"
#include "lookback/report/series.h"

namespace lookback::report {

/// Whether a loss is drawn on a linear or a logarithmic axis.
enum class LossAxis { linear, logarithmic };

/// Best head's induction score against training tokens, a color per arm and a line per run, with
/// the transitions marked and `chance`, if given, as a dashed level. `arms` fixes colors and order.
/// The specification has the parameter `cursor`: a token count to mark, or 0 for none.
nlohmann::json induction_score_figure(const FigureArms& arms, std::span<const Curve> curves,
                                      std::span<const Transition> transitions,
                                      std::optional<double> chance);

/// Second-half loss in nats against training tokens, drawn in the same way, and over it the least that
/// there can be, a level for each of `ideals`. A logarithmic axis leaves out one far below all losses.
nlohmann::json second_half_loss_figure(const FigureArms& arms, std::span<const Curve> curves,
                                       std::span<const Transition> transitions, LossAxis axis,
                                       std::span<const IdealLoss> ideals = {});

/// Validation loss in nats a token against training tokens, drawn in the same way.
nlohmann::json validation_loss_figure(const FigureArms& arms, std::span<const Curve> curves,
                                      std::span<const Transition> transitions);

/// KL divergence in nats of each of one arm's `predictors` from the model against training tokens: a dash
/// a predictor, a line a run. `largest` ends the axis, so that those of several arms compare.
nlohmann::json predictors_figure(std::span<const std::string> predictors,
                                 std::span<const Curve> curves, double largest);

/// What the figure of probes shows of a run's end.
enum class ProbeMeasure { second_half_loss, induction_score };

/// One measure at the end of training on every held-out probe, a row a probe and a dot a run; runs
/// without the measure give no dot.
nlohmann::json probes_figure(const FigureArms& arms, std::span<const ProbeEnd> ends,
                             ProbeMeasure measure);

/// Loss of each prediction against its position, at the checkpoint that the parameter `checkpoint`
/// (an index into `checkpoints`, in tokens) names; a slider is bound to it, at first at the end.
nlohmann::json loss_by_position_figure(const FigureArms& arms,
                                       std::span<const std::uint64_t> checkpoints,
                                       std::span<const PositionLosses> losses);

}  // namespace lookback::report
