// The attention patterns that the heads of an induction circuit have when they do their part
// perfectly, from the tokens alone: what an intervention puts in a head's place, and what training
// may pin it to.
//
// Legend: T positions. A pattern [T,T] is query by source: row t is the attention of query t.
#pragma once

#include <span>

#include "lookback/data/token_source.h"
#include "lookback/math/view.h"

namespace lookback::data {

enum class IdealPattern {
  previous_token,   ///< row t on t - 1; row 0 on 0
  matching,         ///< uniform over the s in 1..t with x_{s-1} = x_t; none: on t itself
  duplicate_token,  ///< uniform over the s < t with x_s = x_t; none: on t itself
};

/// Fills pattern [T,T]. Rows sum to 1 and are zero above the diagonal. `matching` is what an
/// induction head attends to: a perfect one has an induction score of 1 (lens/scores.h). In row t a
/// source s = t counts (x_{t-1} = x_t): the token before the query is its own earlier occurrence.
/// REQUIRES tokens.size() == pattern.rows == pattern.cols.
void ideal_pattern(IdealPattern kind, std::span<const Token> tokens, math::Matrix<float> pattern);

}  // namespace lookback::data
