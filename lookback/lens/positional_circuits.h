// The part of a head's scores that comes from positions alone.
//
//   learned      W_pos W_Q W_K^T W_pos^T / sqrt(E) [T,T], query position x source position, W_pos
//                read through the same norms as W_E (stream_path.h)
//   shortformer  the same with no norm between: W_pos is added after it
//   rotary       the mean score of all pairs of tokens as a function of the offset d = t - s:
//                mean_x(x W_Q) R_d mean_y(y W_K)^T / sqrt(E), x and y rows of W_E read through the
//                norms, and R_d the rotation by d
//
// Smeared keys are exact in both: row s of the keys is s k_s + (1 - s) k_{s-1}, and row 0 is k_0; a
// mean over tokens is unaffected by the smear.
//
// Legend: V tokens, T = context, E = d_head.
#pragma once

#include <cstddef>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/base/workers.h"
#include "lookback/lens/circuit_factors.h"

namespace lookback::lens {

struct PositionalCircuit {
  HeadPlace head;
  /// By offset d = 0 .. T-1 [T]: for rotary as above; else the mean of scores[t][t-d] over t.
  std::vector<double> by_offset;
  /// [T,T] row by row, including the part above the diagonal, which attention does not use; empty
  /// for rotary positions, and if T is above the limit.
  std::vector<float> scores;
  std::vector<CircuitNote> notes;
};

/// Of every head, in their order; none for an architecture without positions.
/// `max_dense` is the largest T for which `scores` are kept.
/// Errors: scores that are not finite.
Result<std::vector<PositionalCircuit>> positional_circuits(const model::Program& program,
                                                           std::span<const float> parameters,
                                                           const CircuitMaker& maker,
                                                           std::size_t max_dense,
                                                           base::Workers& workers);

}  // namespace lookback::lens
