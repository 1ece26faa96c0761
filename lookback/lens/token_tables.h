// The tables at the two ends of a model's circuits, [V,D] each: the embedding W_E and the
// unembedding W_U^T; and what is needed of them to measure a circuit without its V x V entries.
//
// Legend: V tokens, D = d_model, r = d_head, X and Y [D,r].
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <span>

#include "lookback/base/workers.h"
#include "lookback/lens/head_weights.h"
#include "lookback/model/program.h"

namespace lookback::lens {

enum class Table { embedding, unembedding };

/// Views of the tables in the parameter buffer, which must outlive this.
class TokenTables {
 public:
  /// REQUIRES a buffer of the program's size.
  TokenTables(const model::Program& program, std::span<const float> parameters);

  std::size_t vocabulary() const { return vocabulary_; }
  std::size_t width() const { return width_; }
  /// Embeddings tied: both tables are W_E.
  bool same() const { return tied_; }

  /// Some rows [count,D] of a table. REQUIRES first + count <= V, rows below V.
  Eigen::MatrixXd rows(Table table, std::size_t first, std::size_t count) const;
  Eigen::MatrixXd rows(Table table, std::span<const std::size_t> chosen) const;

 private:
  std::size_t vocabulary_, width_;
  bool tied_;
  Weights embedding_;    // [V,D]
  Weights unembedding_;  // [D,V]; [V,D] where tied
};

/// The tables reduced to what preserves lengths and angles: W_E = Q U with orthonormal columns of
/// Q, so that for a circuit C = W_E X Y^T W^T the small matrices U X and U' Y can replace W_E X and
/// W Y [V,r].
class ReducedTables {
 public:
  /// V D^2 operations per table, once for all circuits; memory for a few D x D matrices.
  ReducedTables(const TokenTables& tables, base::Workers& workers);

  /// Y^T W^T W_E X [r,r], which has the eigenvalues of C that can differ from zero.
  Eigen::MatrixXd core(Table end, const Eigen::MatrixXd& x, const Eigen::MatrixXd& y) const;
  /// U of a table [min(V,D), D].
  const Eigen::MatrixXd& triangle_of(Table table) const;

 private:
  bool same_;
  Eigen::MatrixXd embedding_, unembedding_;  // triangles
  Eigen::MatrixXd product_;                  // W_U W_E [D,D]
};

}  // namespace lookback::lens
