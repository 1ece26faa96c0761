#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "lookback/lens/mechanism.h"

namespace lookback::lens {
namespace {

bool more_than_half(const Estimate& share) { return share.lower() > majority; }
bool less_than_half(const Estimate& share) { return share.upper() < majority; }

/// With half of its interval of 95%, as in tables.
std::string text(const Estimate& share) {
  const double hundredths = std::round(100 * share.mean) + 0.0;  // no negative zero
  return fmt::format("{:.2f} +- {:.2f}", hundredths / 100, share.half_width());
}

/// The candidate that explains most so far.
struct Best {
  MechanismResult& result;
  double share = 0;

  void offer(Mechanism mechanism, const Estimate& lost, const std::optional<EarlierHead>& partner,
             std::string reason) {
    if (!more_than_half(lost) || lost.mean <= share) return;
    share = lost.mean;
    result.verdict = mechanism;
    result.partner = partner;
    result.reason = std::move(reason);
  }
};

/// An earlier head's part in one input, if its attention of one kind is all that it takes.
void offer_composition(Mechanism mechanism, const char* input, const EarlierHead& earlier,
                       const Estimate& removed, const char* pattern, const Estimate& ideal,
                       const Estimate& own, Best& best) {
  if (!less_than_half(ideal) && !less_than_half(own)) return;
  best.offer(
      mechanism, removed, earlier,
      fmt::format("without head {}.{} in its {} the head loses {} of its cost; with an ideal "
                  "{} pattern in that head {}, with that part of its own pattern alone {}",
                  earlier.head.layer, earlier.head.head, input, text(removed), pattern, text(ideal),
                  text(own)));
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
  result.verdict = Mechanism::unresolved;
  if (!std::isfinite(result.loss.mean)) {
    result.reason = "second-half loss is not a number";
    return;
  }
  if (!result.learned) {
    result.verdict = Mechanism::none;
    const double gain = result.chance - result.loss.mean;
    result.reason = fmt::format(
        "second-half loss lies {:.3f} nats {} chance, to look for a mechanism it must lie {} below "
        "it",
        std::abs(gain), gain < 0 ? "above" : "below", least_gain);
    return;
  }
  if (!(result.cost.lower() > 0)) {
    result.reason = fmt::format(
        "what the head writes is worth {} nats, not clearly more than nothing: there is "
        "no cost to take shares of",
        text(result.cost));
    return;
  }
  if (less_than_half(result.band)) {
    result.verdict = Mechanism::positional_band;
    result.reason = fmt::format("with a pattern of offsets alone the head loses {} of its cost",
                                text(result.band));
    return;
  }
  result.reason = "no intervention decides what more than half of the head's cost hangs on";
  Best best{result};
  if (result.unsmeared) {
    best.offer(Mechanism::smeared_keys, *result.unsmeared, std::nullopt,
               fmt::format("without smearing in its keys the head loses {} of its cost",
                           text(*result.unsmeared)));
  }
  for (const EarlierHead& e : result.earlier) {
    offer_composition(Mechanism::k_composition, "keys", e, e.k_removed, "previous-token",
                      e.previous_token, e.previous_token_only, best);
    offer_composition(Mechanism::q_composition, "queries", e, e.q_removed, "duplicate-token",
                      e.duplicate_token, e.duplicate_token_only, best);
  }
}

}  // namespace lookback::lens
