// Chance levels of scores: those of a head that attends to everything equally.
#pragma once

#include <cstddef>

#include "lookback/data/repeated_blocks.h"
#include "lookback/lens/scores.h"

namespace lookback::lens {

/// Every score of scores.h for the pattern A[t,s] = 1 / (t + 1), as its mean over sequences 0 ..
/// sequences - 1 of the probe; the band is the probe's periods of training, as in evaluate.h.
/// Sequences without a query in R do not count in scores over R. REQUIRES sequences >= 1.
HeadScores chance_scores(const data::BlockSource& probe, std::size_t sequences);

}  // namespace lookback::lens
