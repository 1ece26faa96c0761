// The ideal predictor of blocks whose copies touch: Bayes over the period.
#pragma once

#include <memory>
#include <span>

#include "lookback/data/sequence_predictor.h"
#include "lookback/data/task.h"

namespace lookback::data {

/// Periods are uniform over `periods`, tokens of the block uniform over V. Having seen m tokens, a period
/// P has the likelihood V^-min(m, P) where each token from the P-th on is that of P before, and 0
/// otherwise; it says that the next is that of P before, and where P > m that any is as likely. O(periods
/// + V) a token. Uniform after what no period can give. REQUIRES V >= 2.
std::unique_ptr<SequencePredictor> make_block_predictor(std::size_t vocabulary,
                                                        std::span<const Offsets> periods);

}  // namespace lookback::data
