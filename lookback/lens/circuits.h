// Every circuit of a model, measured.
//
// Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits". circuit_factors.h and
// stream_path.h say what each circuit is and what its notes mean. Nothing of size V x V is made
// unless requested: eigenvalues, singular values, norm and trace come from d_head x d_head
// products, the diagonal and its rows from blocks.
//
// Legend: V tokens, T = context, E = d_head.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/base/workers.h"
#include "lookback/lens/circuit_factors.h"
#include "lookback/lens/matching.h"
#include "lookback/lens/positional_circuits.h"
#include "lookback/model/program.h"

namespace lookback::lens {

struct CircuitOptions {
  /// V (and T) up to which circuits are also given as whole matrices: 4 V^2 bytes each. 0: never.
  std::size_t max_dense = 512;
  /// Pairs of heads whose compositions are measured. With more pairs, those with the highest
  /// composition score (composition.h; the highest of Q, K and V) are taken.
  std::size_t max_pairs = 64;
  /// Up to this V all rows are examined for the diagonal, above it `sampled_rows` of them.
  std::size_t all_rows_up_to = 4096;
  std::size_t sampled_rows = 256;
  /// How many of the largest entries in the examined rows are returned.
  std::size_t largest_entries = 10;
};

struct CircuitSummary {
  CircuitId id;
  Eigenvalues eigenvalues;              ///< the min(E, V) that can differ from zero
  std::vector<double> singular_values;  ///< as many, falling
  double frobenius_norm = 0;
  double trace = 0;
  /// sum Re l / sum |l| over the eigenvalues, in [-1,1]: the copying score of an OV circuit, and
  /// for a QK circuit the sign of matching (Elhage et al. 2021). 0 if all eigenvalues are zero.
  double eigenvalue_score = 0;
  Matching matching;
  std::vector<MatrixEntry> largest;  ///< of the rows looked at, by falling value
  std::vector<float> dense;          ///< [V,V] row by row, or empty: V above the limit
  std::vector<CircuitNote> notes;
};

struct Circuits {
  std::size_t vocabulary = 0;
  std::vector<CircuitSummary> direct;    ///< ov, qk (, qk_before) of every head, head by head
  std::vector<CircuitSummary> composed;  ///< q, k, v of every pair taken, by `from`, then by `head`
  std::size_t pairs_left_out = 0;
  std::vector<PositionalCircuit> positional;
};

/// sum Re l / sum |l|; 0 where all are zero.
double eigenvalue_score(const Eigenvalues& eigenvalues);

/// Measures all circuits of a model. The same bits on any number of workers. Memory beyond the
/// result: a few D x D matrices (if V > D), and some 40 MiB per worker. Errors: a buffer that is
/// not the program's; non-finite weights or products of weights; no rows to sample.
Result<Circuits> circuits(const model::Program& program, std::span<const float> parameters,
                          const CircuitOptions& options, base::Workers& workers);

}  // namespace lookback::lens
