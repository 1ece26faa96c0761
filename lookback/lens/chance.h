// Chance levels of scores: those of a head that attends to everything equally.
#pragma once

#include <cstddef>

#include "lookback/data/task.h"
#include "lookback/lens/scores.h"

namespace lookback::lens {

/// Every score of scores.h for the pattern A[t,s] = 1 / (t + 1), as its mean over sequences
/// 0 .. sequences - 1 of the probe; the
/// habit is the probe's. Sequences without a query of R are left out of the scores over R. REQUIRES sequences >= 1.
HeadScores chance_scores(const data::Task& probe, std::size_t sequences);

}  // namespace lookback::lens
