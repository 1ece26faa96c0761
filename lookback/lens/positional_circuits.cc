#include "lookback/lens/positional_circuits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "lookback/lens/circuit_notes.h"

namespace lookback::lens {
namespace {

using Matrix = Eigen::MatrixXd;
using model::Architecture;
using model::Positions;

/// keys_s <- s keys_s + (1 - s) keys_{s-1}; the first has no predecessor and stays as it is.
Matrix smeared(const Matrix& keys, double share) {
  Matrix result = keys;
  const Eigen::Index rest = keys.rows() - 1;
  result.bottomRows(rest) = share * keys.bottomRows(rest) + (1 - share) * keys.topRows(rest);
  return result;
}

/// Scores of positions as factors [T,E] and [E,T].
LowRank score_factors(const Architecture& a, const CircuitMaker& maker, const Matrix& positions,
                      const HeadWeights& head) {
  const bool in_stream = a.positions == Positions::learned;
  const double scale = 1 / std::sqrt(static_cast<double>(a.d_head));
  const Matrix query = in_stream ? maker.direct_query(head) : scale * head.query.cast<double>();
  const Matrix key = in_stream ? maker.direct_key(head) : Matrix(head.key.cast<double>());
  Matrix keys = positions * key;
  if (head.smear) keys = smeared(keys, *head.smear);
  return {positions * query, keys.transpose()};
}

/// The mean of each diagonal t - s = d of a square matrix, d = 0 .. T-1.
std::vector<double> means_by_offset(const LowRank& scores) {
  constexpr std::size_t stretch_numbers = std::size_t{1} << 18;
  std::vector<double> sums(scores.rows());
  scores.for_each_block(stretch_numbers, [&](std::size_t first, const Matrix& block) {
    for (Eigen::Index r = 0; r < block.rows(); ++r) {
      const std::size_t t = first + static_cast<std::size_t>(r);
      for (std::size_t s = 0; s <= t; ++s) sums[t - s] += block(r, eigen_index(s));
    }
  });
  for (std::size_t d = 0; d < sums.size(); ++d) sums[d] /= static_cast<double>(sums.size() - d);
  return sums;
}

std::vector<float> row_by_row(const Matrix& matrix) {
  std::vector<float> numbers;
  numbers.reserve(static_cast<std::size_t>(matrix.size()));
  for (Eigen::Index r = 0; r < matrix.rows(); ++r) {
    for (Eigen::Index c = 0; c < matrix.cols(); ++c) {
      numbers.push_back(static_cast<float>(matrix(r, c)));
    }
  }
  return numbers;
}

/// The mean row of W_E [1,D].
Matrix mean_embedding(const TokenTables& tables) {
  constexpr std::size_t rows_at_a_time = 1024;
  Matrix sum = Matrix::Zero(1, eigen_index(tables.width()));
  for (std::size_t first = 0; first < tables.vocabulary(); first += rows_at_a_time) {
    const std::size_t count = std::min(rows_at_a_time, tables.vocabulary() - first);
    sum += tables.rows(Table::embedding, first, count).colwise().sum();
  }
  return sum / static_cast<double>(tables.vocabulary());
}

/// q R_d k^T for d = 0 .. T-1. As complex numbers z_i = x_i + i x_{i+E/2}, a rotation by t is
/// multiplication with exp(i t theta_i), so q R_d k^T = Re sum_i q_i conj(k_i) exp(i d theta_i).
std::vector<double> scores_by_offset(const Architecture& a, const Matrix& query,
                                     const Matrix& key) {
  const std::size_t half = a.d_head / 2;
  std::vector<double> scores(a.context);
  for (std::size_t i = 0; i < half; ++i) {
    const auto first = eigen_index(i);
    const auto second = eigen_index(i + half);
    const double along = query(first) * key(first) + query(second) * key(second);
    const double across = query(second) * key(first) - query(first) * key(second);
    const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(a.d_head);
    const double frequency = std::pow(a.rotary_base, -exponent);
    for (std::size_t d = 0; d < a.context; ++d) {
      const double angle = static_cast<double>(d) * frequency;
      scores[d] += along * std::cos(angle) - across * std::sin(angle);
    }
  }
  return scores;
}

Status check_finite(const PositionalCircuit& circuit) {
  if (std::ranges::all_of(circuit.by_offset, [](double x) { return std::isfinite(x); })) return {};
  return Error{fmt::format("the positional scores of head {}.{} are non-finite", circuit.head.layer,
                           circuit.head.head)};
}

}  // namespace

Result<std::vector<PositionalCircuit>> positional_circuits(const model::Program& program,
                                                           std::span<const float> parameters,
                                                           const CircuitMaker& maker,
                                                           std::size_t max_dense,
                                                           base::Workers& workers) {
  const Architecture& a = program.architecture;
  std::vector<PositionalCircuit> circuits;
  if (a.positions == Positions::none) return circuits;
  const bool rotary = a.positions == Positions::rotary;
  const Matrix table =
      rotary ? mean_embedding(maker.tables())
             : Matrix(ParameterViews(program, parameters).whole("pos_embed.W_pos")->cast<double>());
  circuits.resize(maker.heads().size());
  workers.run(circuits.size(), [&](std::size_t i, std::size_t) {
    const HeadWeights& head = maker.heads()[i];
    PositionalCircuit& circuit = circuits[i];
    circuit.head = head.place;
    circuit.notes = positional_notes(a, maker.paths(), head.place);
    if (rotary) {
      circuit.by_offset =
          scores_by_offset(a, table * maker.direct_query(head), table * maker.direct_key(head));
      return;
    }
    const LowRank scores = score_factors(a, maker, table, head);
    circuit.by_offset = means_by_offset(scores);
    if (const auto dense = scores.dense(max_dense)) circuit.scores = row_by_row(*dense);
  });
  for (const PositionalCircuit& circuit : circuits) {
    if (Status status = check_finite(circuit); !status) return status.error();
  }
  return circuits;
}

}  // namespace lookback::lens
