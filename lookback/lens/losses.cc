#include "lookback/lens/losses.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <optional>

#include "lookback/base/require.h"

namespace lookback::lens {
namespace {

double mean(std::span<const float> losses) {
  return Tally{std::accumulate(losses.begin(), losses.end(), 0.0), losses.size()}.mean();
}

double answered_loss(std::span<const float> losses, const data::BlockStructure& structure) {
  Tally tally;
  for (std::size_t t = structure.length / 2; t < losses.size(); ++t) {
    if (!structure.answer(t)) continue;
    tally.sum += static_cast<double>(losses[t]);
    ++tally.count;
  }
  return tally.mean();
}

/// numerator / 512 of the length, to the nearest whole number, halves up.
std::size_t share_of_512(std::size_t numerator, std::size_t length) {
  return (numerator * length + 256) / 512;
}

}  // namespace

std::span<const LossMeasure> loss_measures() {
  static constexpr std::array measures{
      LossMeasure{"loss", &LossScores::loss},
      LossMeasure{"first_half_loss", &LossScores::first_half_loss},
      LossMeasure{"second_half_loss", &LossScores::second_half_loss},
      LossMeasure{"answered_loss", &LossScores::answered_loss},
      LossMeasure{"in_context_learning_score", &LossScores::in_context_learning_score},
  };
  return measures;
}

InContextPositions in_context_positions(std::size_t length) {
  const std::size_t last = length - 2;
  return {std::min(share_of_512(50, length), last), std::min(share_of_512(500, length), last)};
}

std::optional<InContextPositions> in_context_positions(const data::BlockSource& probe) {
  const InContextPositions positions = in_context_positions(probe.length());
  const auto periods = probe.periods();
  // Copies that touch are answered from position P on, up to T - 2.
  const bool touching = probe.task().kind != data::BlockKind::broken_period;
  const bool early = positions.early >= periods.front().first;
  const bool late = positions.late >= periods.back().last;
  if (!touching || !early || !late) return std::nullopt;
  return positions;
}

LossScores score_losses(std::span<const float> losses, const data::BlockStructure& structure,
                        const std::optional<InContextPositions>& compared) {
  LOOKBACK_REQUIRE(losses.size() + 1 == structure.length && structure.length >= 2);
  LOOKBACK_REQUIRE(!compared || std::max(compared->early, compared->late) < losses.size());
  const std::size_t length = losses.size() + 1;
  LossScores scores{mean(losses), mean(losses.first(length / 2)), mean(losses.subspan(length / 2)),
                    answered_loss(losses, structure), std::numeric_limits<double>::quiet_NaN()};
  if (compared) {
    scores.in_context_learning_score =
        static_cast<double>(losses[compared->late]) - static_cast<double>(losses[compared->early]);
  }
  return scores;
}

double Tally::mean() const {
  if (count == 0) return std::numeric_limits<double>::quiet_NaN();
  return sum / static_cast<double>(count);
}

void tally_by_occurrence(std::span<const float> losses, const data::BlockStructure& structure,
                         std::vector<Tally>& tallies) {
  LOOKBACK_REQUIRE(losses.size() + 1 == structure.length);
  tallies.resize(std::max(tallies.size(), structure.starts.size()));
  for (std::size_t t = 0; t < losses.size(); ++t) {
    const std::optional<std::size_t> copy = structure.occurrence(t + 1);
    if (!copy) continue;
    tallies[*copy].sum += static_cast<double>(losses[t]);
    ++tallies[*copy].count;
  }
}

}  // namespace lookback::lens
