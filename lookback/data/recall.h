// Multi-query associative recall (MQAR; Arora et al. 2023, arXiv 2312.04927): keys with their values, then
// the keys again, each to be followed by its value.
//
// Legend: T positions, V symbols, p pairs. Keys are the symbols below V/2, values the others. First the
// pairs k_1 v_1 ... k_p v_p, the keys all different, values uniform; then each key with its value, in a
// random order, and in another order again until T positions are full. In the paper queries lie apart by a
// power law, with other tokens between; here they follow each other, so every second prediction counts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lookback/base/random.h"
#include "lookback/data/task.h"

namespace lookback::data {

/// Fills tokens [T] with symbols below V, and returns which pair (0 .. p - 1) each query asks for.
/// `index` tells sequences of one seed apart, as the stream does.
/// REQUIRES 1 <= p <= V/2, 2 p + 2 <= T.
std::vector<std::size_t> draw_recall(base::RandomStream& stream, std::uint64_t index,
                                     std::size_t symbols, std::size_t pairs,
                                     std::span<Token> tokens);

}  // namespace lookback::data
