#include "lookback/lens/circuits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "lookback/lens/circuit_names.h"
#include "lookback/lens/composition.h"

namespace lookback::lens {
namespace {

using Matrix = Eigen::MatrixXd;

struct Pair {
  HeadPlace from, to;
};

/// All pairs, by `from`, then by `to`.
std::vector<Pair> all_pairs(const CircuitMaker& maker, std::size_t heads_per_step) {
  std::vector<Pair> pairs;
  for (const HeadWeights& from : maker.heads()) {
    for (const HeadWeights& to : maker.heads()) {
      if (comes_before(from.place, to.place, heads_per_step)) {
        pairs.push_back({from.place, to.place});
      }
    }
  }
  return pairs;
}

/// The `count` pairs with the highest composition score, in the order of all.
Result<std::vector<Pair>> strongest_pairs(const model::Program& program,
                                          std::span<const float> parameters, std::size_t count) {
  const auto scores = composition(program, parameters, {});
  if (!scores) return scores.error();
  std::vector<std::pair<double, std::size_t>> order;  // falling score, then place
  for (std::size_t i = 0; i < scores->pairs.size(); ++i) {
    const HeadComposition& pair = scores->pairs[i];
    order.emplace_back(-std::max({pair.q, pair.k, pair.v}), i);
  }
  std::ranges::sort(order);
  order.resize(count);
  std::ranges::sort(order, {}, [](const auto& entry) { return entry.second; });
  std::vector<Pair> pairs;
  pairs.reserve(count);
  for (const auto& [score, i] : order) {
    pairs.push_back({scores->pairs[i].from, scores->pairs[i].to});
  }
  return pairs;
}

/// Measures one circuit at a time; shared by all workers.
class Measurer {
 public:
  Measurer(const CircuitMaker& maker, const ReducedTables& reduced, const CircuitOptions& options)
      : maker_(maker),
        reduced_(reduced),
        options_(options),
        rows_(rows_to_look_at(maker.tables().vocabulary(), options.all_rows_up_to,
                              options.sampled_rows)),
        row_tokens_(maker.tables().rows(Table::embedding, rows_)) {}

  Result<CircuitSummary> measure(const CircuitId& id) const {
    CircuitFactors factors = maker_.factors(id);
    CircuitSummary summary;
    summary.id = id;
    if (Status status = measure_spectrum(factors, summary); !status) {
      return status.error().at(fmt::format("circuit {}", circuit_name(id)));
    }
    scan_rows(factors, summary);
    summary.notes = std::move(factors.notes);
    return summary;
  }

 private:
  Status measure_spectrum(const CircuitFactors& factors, CircuitSummary& summary) const {
    const Matrix core = reduced_.core(factors.end, factors.x, factors.y);
    Result<Eigenvalues> eigenvalues = eigenvalues_of(core);
    if (!eigenvalues) return eigenvalues.error();
    const LowRank small(reduced_.triangle_of(Table::embedding) * factors.x,
                        (reduced_.triangle_of(factors.end) * factors.y).transpose());
    summary.eigenvalues = std::move(*eigenvalues);
    const std::size_t count = std::min(summary.eigenvalues.size(), maker_.tables().vocabulary());
    summary.eigenvalues.resize(count);
    summary.frobenius_norm = small.frobenius_norm();
    if (!std::isfinite(summary.frobenius_norm)) return Error{"found a non-finite norm"};
    summary.singular_values = small.singular_values();
    summary.singular_values.resize(std::min(count, summary.singular_values.size()));
    summary.trace = core.trace();
    summary.eigenvalue_score = eigenvalue_score(summary.eigenvalues);
    return {};
  }

  void scan_rows(const CircuitFactors& factors, CircuitSummary& summary) const {
    const TokenTables& tables = maker_.tables();
    const std::size_t side = tables.vocabulary();
    const std::size_t taller = std::max(rows_.size(), tables.width());
    const std::size_t width = std::max<std::size_t>(1, block_numbers / taller);
    const Matrix left = row_tokens_ * factors.x;
    RowScan scan(rows_, side, options_.largest_entries);
    const bool keep = side <= options_.max_dense && rows_.size() == side;
    if (keep) summary.dense.resize(side * side);
    for (std::size_t first = 0; first < side; first += width) {
      const std::size_t count = std::min(width, side - first);
      const Matrix right = tables.rows(factors.end, first, count) * factors.y;
      const Matrix block = left * right.transpose();
      scan.add(block);
      if (keep) copy(block, first, side, summary.dense);
    }
    summary.matching = scan.matching();
    summary.largest = scan.largest();
  }

  static void copy(const Matrix& block, std::size_t first, std::size_t side,
                   std::vector<float>& dense) {
    for (Eigen::Index c = 0; c < block.cols(); ++c) {
      for (Eigen::Index r = 0; r < block.rows(); ++r) {
        dense[static_cast<std::size_t>(r) * side + first + static_cast<std::size_t>(c)] =
            static_cast<float>(block(r, c));
      }
    }
  }

  const CircuitMaker& maker_;
  const ReducedTables& reduced_;
  const CircuitOptions& options_;
  std::vector<std::size_t> rows_;
  Matrix row_tokens_;  // [n,D]
};

Result<std::vector<CircuitSummary>> measure_all(const Measurer& measurer,
                                                const std::vector<CircuitId>& ids,
                                                base::Workers& workers) {
  std::vector<std::optional<Result<CircuitSummary>>> results(ids.size());
  workers.run(ids.size(),
              [&](std::size_t i, std::size_t) { results[i] = measurer.measure(ids[i]); });
  std::vector<CircuitSummary> summaries;
  summaries.reserve(ids.size());
  for (auto& result : results) {
    if (!*result) return result->error();
    summaries.push_back(std::move(**result));
  }
  return summaries;
}

}  // namespace

double eigenvalue_score(const Eigenvalues& eigenvalues) {
  double real = 0;
  double modulus = 0;
  for (const std::complex<double>& value : eigenvalues) {
    real += value.real();
    modulus += std::abs(value);
  }
  return modulus > 0 ? real / modulus : 0;
}

Result<Circuits> circuits(const model::Program& program, std::span<const float> parameters,
                          const CircuitOptions& options, base::Workers& workers) {
  if (options.sampled_rows == 0) return Error{"found 0 rows to sample, allowed at least 1"};
  const Result<CircuitMaker> maker = CircuitMaker::make(program, parameters);
  if (!maker) return maker.error();
  const ReducedTables reduced(maker->tables(), workers);
  const Measurer measurer(*maker, reduced, options);
  Circuits result;
  result.vocabulary = program.architecture.vocabulary;

  auto direct = measure_all(measurer, maker->direct(), workers);
  if (!direct) return direct.error();
  result.direct = std::move(*direct);

  std::vector<Pair> pairs = all_pairs(*maker, program.architecture.heads);
  if (pairs.size() > options.max_pairs) {
    auto strongest = strongest_pairs(program, parameters, options.max_pairs);
    if (!strongest) return strongest.error();
    result.pairs_left_out = pairs.size() - strongest->size();
    pairs = std::move(*strongest);
  }
  std::vector<CircuitId> ids;
  for (const Pair& pair : pairs) {
    for (const CircuitId& id : CircuitMaker::composed(pair.from, pair.to)) ids.push_back(id);
  }
  auto composed = measure_all(measurer, ids, workers);
  if (!composed) return composed.error();
  result.composed = std::move(*composed);

  auto positional = positional_circuits(program, parameters, *maker, options.max_dense, workers);
  if (!positional) return positional.error();
  result.positional = std::move(*positional);
  return result;
}

}  // namespace lookback::lens
