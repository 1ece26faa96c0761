#include "lookback/lens/circuit_factors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "lookback/base/require.h"
#include "lookback/lens/circuit_notes.h"

namespace lookback::lens {
namespace {

using Matrix = Eigen::MatrixXd;

Status check_finite(const model::Program& program, std::span<const float> parameters) {
  for (const model::ParameterInfo& info : program.parameters) {
    const auto numbers = parameters.subspan(info.offset, info.size());
    if (std::ranges::all_of(numbers, [](float x) { return std::isfinite(x); })) continue;
    return Error{"found a non-finite number in " + info.name + ", allowed: finite weights"};
  }
  return {};
}

/// How much of the token that the circuit reads is in a smeared key or value.
double smear_share(const HeadWeights& head, CircuitKind kind) {
  if (!head.smear) return 1;
  return kind == CircuitKind::qk_before ? 1 - *head.smear : *head.smear;
}

}  // namespace

Result<CircuitMaker> CircuitMaker::make(const model::Program& program,
                                        std::span<const float> parameters) {
  Result<std::vector<HeadWeights>> heads = find_heads(program, parameters);
  if (!heads) return heads.error();
  if (Status status = check_finite(program, parameters); !status) return status.error();
  return CircuitMaker(program, parameters, std::move(*heads));
}

std::vector<CircuitId> CircuitMaker::direct() const {
  std::vector<CircuitId> ids;
  for (const HeadWeights& head : heads_) {
    ids.push_back({CircuitKind::ov, head.place, std::nullopt});
    ids.push_back({CircuitKind::qk, head.place, std::nullopt});
    if (head.smear) ids.push_back({CircuitKind::qk_before, head.place, std::nullopt});
  }
  return ids;
}

std::vector<CircuitId> CircuitMaker::composed(HeadPlace from, HeadPlace to) {
  LOOKBACK_REQUIRE(from.comes_before(to));
  return {{CircuitKind::q_composition, to, from},
          {CircuitKind::k_composition, to, from},
          {CircuitKind::v_composition, to, from}};
}

CircuitFactors CircuitMaker::factors(const CircuitId& id) const {
  const bool logits = id.kind == CircuitKind::ov || id.kind == CircuitKind::v_composition;
  CircuitFactors made = logits ? ov(id) : qk(id);
  made.notes = circuit_notes(architecture_, paths_, id);
  return made;
}

LowRank CircuitMaker::product(const CircuitFactors& factors) const {
  constexpr std::size_t rows_at_a_time = 1024;
  const std::size_t rows = tables_.vocabulary();
  Matrix left(static_cast<Eigen::Index>(rows), factors.x.cols());
  Matrix right(factors.y.cols(), static_cast<Eigen::Index>(rows));
  for (std::size_t first = 0; first < rows; first += rows_at_a_time) {
    const std::size_t count = std::min(rows_at_a_time, rows - first);
    const auto start = static_cast<Eigen::Index>(first);
    const auto height = static_cast<Eigen::Index>(count);
    left.middleRows(start, height) = tables_.rows(Table::embedding, first, count) * factors.x;
    right.middleCols(start, height) =
        (tables_.rows(factors.end, first, count) * factors.y).transpose();
  }
  return {std::move(left), std::move(right)};
}

Matrix CircuitMaker::direct_query(const HeadWeights& head) const {
  const double scale = 1 / std::sqrt(static_cast<double>(architecture_.d_head));
  return scale * paths_.from_stream(head.place).read_by(head.query.cast<double>());
}

Matrix CircuitMaker::direct_key(const HeadWeights& head) const {
  return paths_.from_stream(head.place).read_by(head.key.cast<double>());
}

const HeadWeights& CircuitMaker::head(HeadPlace place) const {
  return heads_[place.layer * architecture_.heads_per_layer() + place.head];
}

/// W_V of a head applied to the stream before its layer; without OV the head writes smeared keys.
Matrix CircuitMaker::direct_value(const HeadWeights& head) const {
  const double share = architecture_.no_ov ? smear_share(head, CircuitKind::ov) : 1;
  return share * paths_.from_stream(head.place).read_by(head.value.cast<double>());
}

/// W_V W_O of `from` and what `to` reads from it: [D,E].
Matrix CircuitMaker::through(const HeadWeights& from, const HeadWeights& to,
                             const Weights& reading) const {
  const Matrix read = paths_.between(from.place, to.place).read_by(reading.cast<double>());
  return direct_value(from) * from.through_output(read);
}

/// (W_O F)^T of a head [D,E], F the final norm.
Matrix CircuitMaker::to_logits(const HeadWeights& head) const {
  return paths_.to_logits().passed_by(head.written()).transpose();
}

CircuitFactors CircuitMaker::ov(const CircuitId& id) const {
  const HeadWeights& to = head(id.head);
  CircuitFactors made;
  made.end = Table::unembedding;
  made.y = to_logits(to);
  if (!id.from) {
    made.x = direct_value(to);
    return made;
  }
  const double share = architecture_.no_ov ? smear_share(to, CircuitKind::ov) : 1;
  made.x = share * through(head(*id.from), to, to.value);
  return made;
}

CircuitFactors CircuitMaker::qk(const CircuitId& id) const {
  const HeadWeights& to = head(id.head);
  const double scale = 1 / std::sqrt(static_cast<double>(architecture_.d_head));
  CircuitFactors made;
  made.end = Table::embedding;
  made.x = id.kind == CircuitKind::q_composition
               ? Matrix(scale * through(head(*id.from), to, to.query))
               : direct_query(to);
  made.y =
      id.kind == CircuitKind::k_composition ? through(head(*id.from), to, to.key) : direct_key(to);
  made.y *= smear_share(to, id.kind);
  return made;
}

}  // namespace lookback::lens
