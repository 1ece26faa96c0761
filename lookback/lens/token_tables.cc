#include "lookback/lens/token_tables.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "lookback/base/require.h"
#include "lookback/lens/low_rank.h"

namespace lookback::lens {
namespace {

using Matrix = Eigen::MatrixXd;

/// The rows of a table are divided among this many shards, whatever the number of threads, so that
/// sums have one order.
constexpr std::size_t shards = 8;
/// Rows that are read at once.
constexpr std::size_t rows_at_a_time = 1024;

/// Calls add(first, count, sum) for ranges of rows, each shard with its own sum, and returns the
/// sums in order.
std::vector<Matrix> by_shards(std::size_t rows, base::Workers& workers,
                              const std::function<void(std::size_t, std::size_t, Matrix&)>& add) {
  std::vector<Matrix> sums(shards);
  workers.run(shards, [&](std::size_t shard, std::size_t) {
    const std::size_t end = rows * (shard + 1) / shards;
    for (std::size_t first = rows * shard / shards; first < end; first += rows_at_a_time) {
      add(first, std::min(rows_at_a_time, end - first), sums[shard]);
    }
  });
  std::erase_if(sums, [](const Matrix& sum) { return sum.size() == 0; });
  return sums;
}

Matrix stacked(const Matrix& above, const Matrix& below) {
  if (above.size() == 0) return below;
  Matrix both(above.rows() + below.rows(), below.cols());
  both << above, below;
  return both;
}

/// The triangle of a tall table, computed block by block (Demmel, Grigori, Hoemmen and Langou,
/// "Communication-optimal parallel and sequential QR", SIAM J. Sci. Comput. 34, 2012).
Matrix tall_triangle(const TokenTables& tables, Table table, base::Workers& workers) {
  const std::vector<Matrix> parts = by_shards(
      tables.vocabulary(), workers, [&](std::size_t first, std::size_t count, Matrix& upper) {
        upper = triangle(stacked(upper, tables.rows(table, first, count)));
      });
  Matrix upper;
  for (const Matrix& part : parts) upper = triangle(stacked(upper, part));
  return upper;
}

/// W_U W_E [D,D].
Matrix table_product(const TokenTables& tables, base::Workers& workers) {
  const std::vector<Matrix> parts = by_shards(
      tables.vocabulary(), workers, [&](std::size_t first, std::size_t count, Matrix& sum) {
        if (sum.size() == 0)
          sum = Matrix::Zero(eigen_index(tables.width()), eigen_index(tables.width()));
        sum += tables.rows(Table::unembedding, first, count).transpose() *
               tables.rows(Table::embedding, first, count);
      });
  Matrix sum = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i) sum += parts[i];
  return sum;
}

Weights view_of(const model::Program& program, std::span<const float> parameters,
                const char* name) {
  return *ParameterViews(program, parameters).whole(name);
}

}  // namespace

TokenTables::TokenTables(const model::Program& program, std::span<const float> parameters)
    : vocabulary_(program.architecture.vocabulary),
      width_(program.architecture.d_model),
      tied_(program.architecture.tied_embeddings),
      embedding_(view_of(program, parameters, "embed.W_E")),
      unembedding_(view_of(program, parameters, tied_ ? "embed.W_E" : "unembed.W_U")) {
  LOOKBACK_REQUIRE(parameters.size() == program.buffer_size);
}

Matrix TokenTables::rows(Table table, std::size_t first, std::size_t count) const {
  LOOKBACK_REQUIRE(first + count <= vocabulary_);
  if (table == Table::unembedding && !tied_) {
    return unembedding_.middleCols(eigen_index(first), eigen_index(count))
        .transpose()
        .cast<double>();
  }
  return embedding_.middleRows(eigen_index(first), eigen_index(count)).cast<double>();
}

Matrix TokenTables::rows(Table table, std::span<const std::size_t> chosen) const {
  Matrix result(eigen_index(chosen.size()), eigen_index(width_));
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    result.row(eigen_index(i)) = rows(table, chosen[i], 1);
  }
  return result;
}

ReducedTables::ReducedTables(const TokenTables& tables, base::Workers& workers)
    : same_(tables.same()), embedding_(tall_triangle(tables, Table::embedding, workers)) {
  if (same_) return;
  unembedding_ = tall_triangle(tables, Table::unembedding, workers);
  product_ = table_product(tables, workers);
}

Matrix ReducedTables::core(Table end, const Matrix& x, const Matrix& y) const {
  if (end == Table::unembedding && !same_) return y.transpose() * (product_ * x);
  return (embedding_ * y).transpose() * (embedding_ * x);
}

const Matrix& ReducedTables::triangle_of(Table table) const {
  return table == Table::unembedding && !same_ ? unembedding_ : embedding_;
}

}  // namespace lookback::lens
