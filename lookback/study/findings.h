// What a run found, computed from its metrics.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "lookback/study/run_config.h"

namespace lookback::study {

/// How a run ended.
struct RunEnd {
  bool diverged = false;
  std::string message;  ///< of a divergence
  std::uint64_t tokens = 0;
  std::size_t parameters = 0;
};

/// The run's findings, a pure function of its arguments:
///   arm, seed, status ("finished" or "diverged"), message (of a divergence), tokens, parameters,
///   induction_score (of the best head at the last evaluation; null where no head has one: none was
///   finite, or clamps set every pattern), induction_score_peak (of the best head at any; null if at
///   none) and its peak_tokens, induction_chance (null where it was not finite),
///   first_half_loss, second_half_loss, transition (null,
///   or {tokens, interval [after, by], sharpness, low_score, peak_score, peak_tokens}),
///   transition_tokens (null or a count), later_transitions (of the same form), and `last`, the
///   whole last line of metrics.
/// Scores and losses are those of each line's main probe. REQUIRES lines that metrics_file.h finds no
/// fault with. An evaluation without a score is left
/// out of the curve that peak and transitions are read from.
nlohmann::json make_findings(const RunConfig& config, const RunEnd& end,
                             std::span<const nlohmann::json> metrics);

/// {"transition", "later_transitions"} of these lines of metrics, as above.
nlohmann::json transitions_of(std::span<const nlohmann::json> metrics);

/// The findings in one line for a person: arm, seed, scores, loss, transition.
std::string line_of(const nlohmann::json& findings);

/// The findings that summary.json repeats: all but `last`.
nlohmann::json summary_of(const nlohmann::json& findings);

}  // namespace lookback::study
