#include "lookback/lens/circuit_corners.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lookback/lens/circuit_names.h"
#include "lookback/lens/circuits.h"
#include "lookback/lens/matching.h"

namespace lookback::lens {
namespace {

constexpr std::size_t every_row_up_to = 1024;
constexpr std::size_t rows_of_larger = 256;

/// `count` of the ids, as evenly spread as whole numbers can be, in their order.
std::vector<CircuitId> spread(const std::vector<CircuitId>& ids, std::size_t count) {
  if (count >= ids.size()) return ids;
  std::vector<CircuitId> kept;
  for (std::size_t i = 0; i < count; ++i) kept.push_back(ids[i * ids.size() / count]);
  return kept;
}

std::vector<CircuitId> key_compositions(const CircuitMaker& maker, std::size_t heads_per_step) {
  std::vector<CircuitId> ids;
  for (const HeadWeights& from : maker.heads()) {
    for (const HeadWeights& to : maker.heads()) {
      if (comes_before(from.place, to.place, heads_per_step)) {
        ids.push_back({CircuitKind::k_composition, to.place, from.place});
      }
    }
  }
  return ids;
}

std::vector<float> corner_of(const LowRank& whole, std::size_t side) {
  const Eigen::MatrixXd corner =
      whole.left().topRows(eigen_index(side)) * whole.right().leftCols(eigen_index(side));
  std::vector<float> values;
  values.reserve(side * side);
  for (Eigen::Index row = 0; row < corner.rows(); ++row) {
    for (Eigen::Index column = 0; column < corner.cols(); ++column) {
      values.push_back(static_cast<float>(corner(row, column)));
    }
  }
  return values;
}

Result<CircuitCorner> measure_corner(const CircuitMaker& maker, const CircuitId& id,
                                     std::size_t side, std::span<const std::size_t> rows) {
  const LowRank whole = maker.product(maker.factors(id));
  if (!whole.left().allFinite() || !whole.right().allFinite()) {
    return Error{"found non-finite products of weights"};
  }
  Result<Eigenvalues> eigenvalues = whole.eigenvalues();
  if (!eigenvalues) return eigenvalues.error();
  CircuitCorner found;
  found.id = id;
  found.eigenvalue_score = eigenvalue_score(*eigenvalues);
  found.eigenvalues = std::move(*eigenvalues);
  found.matching_score = matching(whole, rows).score;
  found.corner = corner_of(whole, side);
  return found;
}

}  // namespace

std::vector<CircuitId> circuits_to_show(const CircuitMaker& maker, std::size_t heads_per_step,
                                        std::size_t most) {
  const std::vector<CircuitId> direct = maker.direct();
  const std::vector<CircuitId> composed = key_compositions(maker, heads_per_step);
  const std::size_t of_heads =
      std::min(direct.size(), std::max(most - most / 4, most - std::min(most, composed.size())));
  std::vector<CircuitId> ids = spread(direct, of_heads);
  for (const CircuitId& id : spread(composed, most - of_heads)) ids.push_back(id);
  return ids;
}

Result<CircuitCorners> circuit_corners(const model::Program& program,
                                       std::span<const float> parameters,
                                       const CornerLimits& limits) {
  if (limits.side == 0 || limits.circuits == 0) {
    return Error{fmt::format("found a limit of {} tokens and {} circuits, allowed at least 1 each",
                             limits.side, limits.circuits)};
  }
  const Result<CircuitMaker> maker = CircuitMaker::make(program, parameters);
  if (!maker) return maker.error();
  const std::size_t heads_per_step = program.architecture.heads;
  const std::vector<CircuitId> ids = circuits_to_show(*maker, heads_per_step, limits.circuits);
  const std::size_t vocabulary = maker->tables().vocabulary();
  const std::vector<std::size_t> rows =
      rows_to_look_at(vocabulary, every_row_up_to, rows_of_larger);
  CircuitCorners found;
  found.side = std::min(vocabulary, limits.side);
  found.left_out =
      maker->direct().size() + key_compositions(*maker, heads_per_step).size() - ids.size();
  for (const CircuitId& id : ids) {
    Result<CircuitCorner> one = measure_corner(*maker, id, found.side, rows);
    if (!one) {
      return one.error().at(fmt::format("circuit {}", circuit_name(id)));
    }
    found.circuits.push_back(std::move(*one));
  }
  return found;
}

}  // namespace lookback::lens
