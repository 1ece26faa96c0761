#include "lookback/lens/losses.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "lookback/base/require.h"

namespace lookback::lens {
namespace {

/// What prediction t counts.
double weight_of(std::span<const float> weights, std::size_t t) {
  return weights.empty() ? 1 : static_cast<double>(weights[t]);
}

/// Over predictions first .. last - 1.
double mean(std::span<const float> losses, std::span<const float> weights, std::size_t first,
            std::size_t last) {
  Tally tally;
  for (std::size_t t = first; t < last; ++t) {
    tally.add(static_cast<double>(losses[t]), weight_of(weights, t));
  }
  return tally.mean();
}

double answered_loss(std::span<const float> losses, std::span<const float> weights,
                     const data::Structure& structure) {
  Tally tally;
  for (std::size_t t = structure.length() / 2; t < losses.size(); ++t) {
    if (!structure.is_answered(t)) continue;
    tally.add(static_cast<double>(losses[t]), weight_of(weights, t));
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

std::optional<InContextPositions> in_context_positions(const data::Task& probe) {
  const InContextPositions positions = in_context_positions(probe.length());
  const data::TaskProfile& profile = probe.profile();
  const bool early = positions.early >= profile.helped_first;
  const bool late = profile.helped_from && positions.late >= *profile.helped_from;
  if (!early || !late) return std::nullopt;
  return positions;
}

LossScores score_losses(std::span<const float> losses, const data::Structure& structure,
                        std::span<const float> weights,
                        const std::optional<InContextPositions>& compared) {
  LOOKBACK_REQUIRE(losses.size() + 1 == structure.length() && structure.length() >= 2);
  LOOKBACK_REQUIRE(!compared || std::max(compared->early, compared->late) < losses.size());
  const std::size_t half = (losses.size() + 1) / 2;
  LossScores scores{mean(losses, weights, 0, losses.size()), mean(losses, weights, 0, half),
                    mean(losses, weights, half, losses.size()),
                    answered_loss(losses, weights, structure),
                    std::numeric_limits<double>::quiet_NaN()};
  if (compared) {
    scores.in_context_learning_score =
        static_cast<double>(losses[compared->late]) - static_cast<double>(losses[compared->early]);
  }
  return scores;
}

double Tally::mean() const {
  if (weight == 0) return std::numeric_limits<double>::quiet_NaN();
  return sum / weight;
}

void tally_by_occurrence(std::span<const float> losses, std::span<const float> weights,
                         std::span<const std::optional<data::Position>> occurrence,
                         std::vector<Tally>& tallies) {
  LOOKBACK_REQUIRE(losses.size() + 1 == occurrence.size());
  for (std::size_t t = 0; t < losses.size(); ++t) {
    if (!occurrence[t + 1]) continue;
    const std::size_t which = *occurrence[t + 1];
    if (tallies.size() <= which) tallies.resize(which + 1);
    tallies[which].add(static_cast<double>(losses[t]), weight_of(weights, t));
  }
}

}  // namespace lookback::lens
