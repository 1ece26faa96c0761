#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "lookback/lens/mechanism.h"

namespace lookback::lens {
namespace {

bool more_than_half(const Estimate& share) { return share.lower() > majority; }
bool less_than_half(const Estimate& share) { return share.upper() < majority; }

std::string text(const Estimate& share) {
  const double hundredths = std::round(100 * share.mean) + 0.0;  // no negative zero
  return fmt::format("{:.2f} +- {:.2f}", hundredths / 100, share.standard_error);
}

/// The candidate that explains most so far.
struct Best {
  MechanismResult& result;
  double share = 0;

  void offer(Mechanism mechanism, const Estimate& lost, std::optional<EarlierHead> partner,
             std::string reason) {
    if (!more_than_half(lost) || lost.mean <= share) return;
    share = lost.mean;
    result.verdict = mechanism;
    result.partner = std::move(partner);
    result.reason = std::move(reason);
  }
};

void offer_compositions(const EarlierHead& earlier, Best& best) {
  const auto reason = [&](const char* input, const Estimate& removed, const char* pattern,
                          const Estimate& ideal) {
    return fmt::format(
        "without head {}.{} in its {} the head loses {} of its cost, with an ideal {} pattern in "
        "that head {}",
        earlier.head.layer, earlier.head.head, input, text(removed), pattern, text(ideal));
  };
  if (less_than_half(earlier.previous_token)) {
    best.offer(Mechanism::k_composition, earlier.k_removed, earlier,
               reason("keys", earlier.k_removed, "previous-token", earlier.previous_token));
  }
  if (less_than_half(earlier.duplicate_token)) {
    best.offer(Mechanism::q_composition, earlier.q_removed, earlier,
               reason("queries", earlier.q_removed, "duplicate-token", earlier.duplicate_token));
  }
}

}  // namespace

const char* name_of(Mechanism mechanism) {
  switch (mechanism) {
    case Mechanism::none:
      return "none";
    case Mechanism::positional_band:
      return "positional-band";
    case Mechanism::k_composition:
      return "k-composition";
    case Mechanism::q_composition:
      return "q-composition";
    case Mechanism::smeared_keys:
      return "smeared-keys";
    case Mechanism::unresolved:
      return "unresolved";
  }
  return "";
}

void decide(MechanismResult& result) {
  result.partner.reset();
  if (!result.learned) {
    result.verdict = Mechanism::none;
    result.reason =
        fmt::format("second-half loss lies {:.3f} nats below chance, at least {} are asked for",
                    result.chance - result.loss.mean, least_gain);
    return;
  }
  if (less_than_half(result.band)) {
    result.verdict = Mechanism::positional_band;
    result.reason = fmt::format("with a pattern of offsets alone the head loses {} of its cost",
                                text(result.band));
    return;
  }
  result.verdict = Mechanism::unresolved;
  result.reason = "no intervention decides what more than half of the head's cost hangs on";
  Best best{result};
  if (result.unsmeared) {
    best.offer(Mechanism::smeared_keys, *result.unsmeared, std::nullopt,
               fmt::format("without smearing in its keys the head loses {} of its cost",
                           text(*result.unsmeared)));
  }
  for (const EarlierHead& earlier : result.earlier) offer_compositions(earlier, best);
}

}  // namespace lookback::lens
