// The circuits of a model as a page follows them over many checkpoints: the corner of the first
// tokens, and what the factors say about the whole circuit. Nothing of size V x V is made.
//
// Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits"; circuit_factors.h says
// what each circuit is.
//
// Legend: V tokens, E = d_head, S = side of a corner.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/lens/circuit_factors.h"
#include "lookback/model/program.h"

namespace lookback::lens {

struct CornerLimits {
  std::size_t side = 64;      ///< S = min(V, side)
  std::size_t circuits = 32;  ///< in all
};

struct CircuitCorner {
  CircuitId id;
  Eigenvalues eigenvalues;      ///< of the whole circuit: the min(E,V) that can differ from zero
  double eigenvalue_score = 0;  ///< sum Re l / sum |l| (circuits.h)
  double matching_score = 0;    ///< matching.h, of the whole circuit (of 256 rows where V > 1024)
  std::vector<float> corner;    ///< [S,S] row by row: the first S tokens by the first S tokens
};

struct CircuitCorners {
  std::size_t side = 0;  ///< S
  std::vector<CircuitCorner> circuits;
  std::size_t left_out = 0;  ///< circuits beyond the limit
};

/// Which circuits of a model are shown, a function of its architecture only, so that they are the
/// same at every checkpoint: ov, qk (and qk_before) of every head, then the K-composition of every
/// pair of heads. If there are more than `most`, three quarters are of heads and the rest of pairs
/// (each takes what the other leaves), spread evenly over the model.
std::vector<CircuitId> circuits_to_show(const CircuitMaker& maker, std::size_t heads_per_step,
                                        std::size_t most);

/// Errors: a buffer that is not the program's; non-finite weights or products of weights; a limit
/// of 0.
Result<CircuitCorners> circuit_corners(const model::Program& program,
                                       std::span<const float> parameters,
                                       const CornerLimits& limits);

}  // namespace lookback::lens
