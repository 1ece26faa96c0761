// Composition scores: how much of what one head writes another head's query, key or value reads.
//
// Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits": for an earlier head 1
// and a later head 2, with row vectors (y = x W),
//   score = |W_OV^1 M|_F / (|W_OV^1|_F |M|_F),
//   M = W_QK = W_Q W_K^T of head 2 (Q-composition), W_QK^T (K-composition), W_OV^2 (V-composition),
// W_OV = W_V W_O. It is in [0,1], and 0 when what head 1 writes is not read at all.
//
// Only the four weight matrices enter. Gains and biases of the norms between the heads, biases of
// the heads, rotary positions and smeared keys are ignored: the score is about subspaces of the
// stream as the weights see it, not about a particular input.
//
// Without OV a head writes its keys into its own columns of the stream, so that
// W_V = W_K and W_O = the head's rows of the identity.
//
// Legend: D = d_model, E = d_head.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/lens/probe_result.h"
#include "lookback/model/program.h"

namespace lookback::lens {

/// The scores of random matrices: every weight of both heads i.i.d. N(0,1), in the shapes (and for
/// no-OV with the identity rows) of the architecture. The same for Q, K and V, near 1 / sqrt(D).
struct CompositionBaseline {
  double mean = 0;
  double deviation = 0;  ///< standard deviation of one draw
  std::size_t draws = 0;
};

/// From a head to a later one: of a later layer, or of a later step of the same layer. (With shared
/// weights that may be the same weights a step later.)
struct HeadComposition {
  HeadPlace from;
  HeadPlace to;
  double q = 0;
  double k = 0;
  double v = 0;
};

struct Composition {
  CompositionBaseline baseline;
  std::vector<HeadComposition> pairs;  ///< ordered by `from`, then by `to`; empty for a single step
};

/// The baseline of an architecture is a pure function of its sizes, so it is computed once for all
/// checkpoints. Stream: (seed 0, StreamPurpose::baseline, number of the draw).
CompositionBaseline composition_baseline(const model::Architecture& architecture);

/// Scores of all pairs, computed from E x E factors in D E^2 operations per pair: GPT-2 small has
/// 9,504 pairs and takes some ten seconds. The score of a matrix of zeros is 0. Errors: a buffer
/// that is not the program's.
Result<Composition> composition(const model::Program& program, std::span<const float> parameters,
                                const CompositionBaseline& baseline);

}  // namespace lookback::lens
