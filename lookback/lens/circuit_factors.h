// The circuits of a model as products of small factors.
//
// Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits". With row vectors, head h
// and an earlier head g, each circuit is a matrix [V,V] of scores or logits that one path makes:
//
//   ov             W_E W_V W_O W_U            source token -> logits
//   qk             W_E W_Q W_K^T W_E^T / sqrt(E)            query token x source token -> score
//   qk_before      the same where keys are smeared, and the source the token BEFORE the key
//   q_composition  W_E (W_V^g W_O^g W_Q^h) W_K^hT W_E^T / sqrt(E)   token that g attends to from
//                                                                   the query x source -> score
//   k_composition  W_E W_Q^h (W_V^g W_O^g W_K^h)^T W_E^T / sqrt(E)  query x token that g attends to
//                                                                   from the source -> score
//   v_composition  W_E W_V^g W_O^g W_V^h W_O^h W_U   token that g attends to from h's source ->
//                                                    logits: the virtual head of g and h
//
// Between these factors lie the norms of the path (stream_path.h). Smeared keys scale a QK circuit
// by s, or through the smear by 1 - s (qk_before); without OV the smeared key is also what is
// written, and scales by s again. Each circuit is one term of a sum; what other heads and MLPs
// write, positions, and biases are other terms. The notes say how each was treated.
//
// Legend: V tokens, D = d_model, E = d_head.
#pragma once

#include <Eigen/Dense>
#include <optional>
#include <span>
#include <vector>

#include "lookback/lens/low_rank.h"
#include "lookback/lens/stream_path.h"
#include "lookback/lens/token_tables.h"

namespace lookback::lens {

enum class CircuitKind { ov, qk, qk_before, q_composition, k_composition, v_composition };

struct CircuitId {
  CircuitKind kind = CircuitKind::ov;
  HeadPlace head;                 ///< h
  std::optional<HeadPlace> from;  ///< g, of a composition
};

/// A circuit W_E X Y^T W^T, W = W_E or W_U^T.
struct CircuitFactors {
  Eigen::MatrixXd x;  ///< [D,E]
  Eigen::MatrixXd y;  ///< [D,E]
  Table end = Table::embedding;
  std::vector<CircuitNote> notes;
};

/// Makes the circuits of one model. The program and the parameters must outlive it.
class CircuitMaker {
 public:
  /// Errors: a buffer that is not the program's; non-finite weights.
  static Result<CircuitMaker> make(const model::Program& program,
                                   std::span<const float> parameters);

  const TokenTables& tables() const { return tables_; }
  const std::vector<HeadWeights>& heads() const { return heads_; }
  const StreamPaths& paths() const { return paths_; }

  /// ov, qk and, with smeared keys, qk_before of every head.
  std::vector<CircuitId> direct() const;
  /// The three compositions of a pair of heads. REQUIRES that `from` comes before `to`.
  static std::vector<CircuitId> composed(HeadPlace from, HeadPlace to);

  /// REQUIRES places of this model, `from` before `head` and given for compositions only.
  CircuitFactors factors(const CircuitId& id) const;

  /// W_E X [V,E] and (W Y)^T [E,V]: 16 V E bytes.
  LowRank product(const CircuitFactors& factors) const;

  /// W_Q / sqrt(E) and W_K [D,E] applied to the stream before the head's layer.
  Eigen::MatrixXd direct_query(const HeadWeights& head) const;
  Eigen::MatrixXd direct_key(const HeadWeights& head) const;

 private:
  CircuitMaker(const model::Program& program, std::span<const float> parameters,
               std::vector<HeadWeights> heads)
      : architecture_(program.architecture),
        heads_(std::move(heads)),
        paths_(program, parameters),
        tables_(program, parameters) {}

  const HeadWeights& head(HeadPlace place) const;
  Eigen::MatrixXd direct_value(const HeadWeights& head) const;
  Eigen::MatrixXd through(const HeadWeights& from, const HeadWeights& to,
                          const Weights& reading) const;
  Eigen::MatrixXd to_logits(const HeadWeights& head) const;

  CircuitFactors ov(const CircuitId& id) const;
  CircuitFactors qk(const CircuitId& id) const;

  const model::Architecture& architecture_;
  std::vector<HeadWeights> heads_;
  StreamPaths paths_;
  TokenTables tables_;
};

}  // namespace lookback::lens
