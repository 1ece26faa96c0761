// The figure of what every head does at a checkpoint.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "lookback/report/figure_arms.h"
#include "lookback/report/series.h"

namespace lookback::report {

/// The number of heads of an arm that the figure shows: those with the largest scores over all its
/// runs.
inline constexpr std::size_t most_scored_heads = 12;

/// Induction score (filled) and previous-token score (pale) of every head of every arm at the
/// checkpoint that the parameter `checkpoint` (an index into `checkpoints`, in tokens) names: bars
/// are means over seeds, dots the seeds. `cut` becomes true where an arm has more heads than are
/// shown.
nlohmann::json head_scores_figure(const FigureArms& arms,
                                  std::span<const std::uint64_t> checkpoints,
                                  std::span<const CheckpointScores> scores, bool& cut);

}  // namespace lookback::report
