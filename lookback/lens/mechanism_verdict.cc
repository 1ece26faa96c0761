#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include "lookback/lens/mechanism.h"

namespace lookback::lens {
namespace {

bool more_than_half(const Estimate& share) { return share.lower() > majority; }
bool less_than_half(const Estimate& share) { return share.upper() < majority; }

/// With half of its 95% interval, as in tables.
std::string text(const Estimate& share) {
  const double hundredths = std::round(100 * share.mean) + 0.0;  // no negative zero
  return fmt::format("{:.2f} +- {:.2f}", hundredths / 100, share.half_width());
}

/// A possible verdict, and the share of the effect that supports it.
struct Candidate {
  Mechanism mechanism;
  Estimate share;
  std::string objection;  ///< why it is no verdict whatever its share, or empty
  std::optional<EarlierHead> partner;
  std::string reason;

  bool holds() const { return objection.empty() && more_than_half(share); }
};

/// Candidates that hold come first; among them a band, because wherever a head gets its positions
/// from, it attends by positions; then the larger share.
std::tuple<bool, bool, double> rank(const Candidate& c) {
  return {c.holds(), c.holds() && c.mechanism == Mechanism::positional_band,
          std::isfinite(c.share.mean) ? c.share.mean : -std::numeric_limits<double>::infinity()};
}

/// Whether the head's own pattern does what ideal matching would, and this is worth clearly more
/// than counting positions.
bool looks_up(const MechanismResult& r) {
  const double more = (r.band.lower() - r.matching.upper()) * r.stake.mean;
  return r.matching.lower() > -majority && less_than_half(r.matching) && more > least_gain;
}

/// A band is recognized by what is NOT lost, which also happens when other heads cover for the
/// head.
Candidate band_candidate(const MechanismResult& result) {
  const Estimate kept = {1 - result.band.mean, result.band.standard_error, result.band.count};
  std::string objection;
  if (looks_up(result)) objection = "but ideal matching keeps more";
  if (!std::isfinite(result.matching.mean)) {
    objection = "but what ideal matching keeps is not known";
  } else if (result.matching.lower() * result.stake.mean > result.cost.mean) {
    objection = "but ideal matching costs more than removing the head, so other heads cover for it";
  }
  return {Mechanism::positional_band, kept, objection, std::nullopt,
          fmt::format("with a pattern of offsets alone the head loses {} of its effect",
                      text(result.band))};
}

/// An earlier head's part in one input, if one kind of attention is all it needs for that.
Candidate composition(Mechanism mechanism, const char* input, const EarlierHead& earlier,
                      const Estimate& removed, const char* pattern, const Estimate& ideal,
                      const Estimate& own) {
  const bool suffices = less_than_half(ideal) || less_than_half(own);
  return {mechanism, removed, suffices ? "" : fmt::format("but not by a {} pattern", pattern),
          earlier,
          fmt::format("without head {}.{} in its {} the head loses {} of its effect; with an ideal "
                      "{} pattern in that head it loses {}, with only that part of its own pattern "
                      "{}",
                      earlier.head.layer, earlier.head.head, input, text(removed), pattern,
                      text(ideal), text(own))};
}

std::vector<Candidate> candidates_of(const MechanismResult& result) {
  std::vector<Candidate> all{band_candidate(result)};
  if (result.unsmeared) {
    all.push_back({Mechanism::smeared_keys, *result.unsmeared, "", std::nullopt,
                   fmt::format("without smearing in its keys the head loses {} of its effect",
                               text(*result.unsmeared))});
  }
  for (const EarlierHead& e : result.earlier) {
    all.push_back(composition(Mechanism::k_composition, "keys", e, e.k_removed, "previous-token",
                              e.previous_token, e.previous_token_only));
    all.push_back(composition(Mechanism::q_composition, "queries", e, e.q_removed,
                              "duplicate-token", e.duplicate_token, e.duplicate_token_only));
  }
  std::ranges::stable_sort(all, std::ranges::greater(), rank);
  return all;
}

/// The verdict is the first candidate, if it holds; the reason also names the runner-up.
void choose(const std::vector<Candidate>& all, MechanismResult& result) {
  const bool decided = all.front().holds();
  result.reason = "no intervention removes more than half of the head's effect";
  if (decided) {
    result.verdict = all.front().mechanism;
    result.partner = all.front().partner;
    result.reason = all.front().reason;
  }
  const std::size_t next = decided ? 1 : 0;
  if (next == all.size()) return;
  const Candidate& other = all[next];
  result.reason += fmt::format("; {}: {} (support {})", decided ? "runner-up" : "nearest",
                               name_of(other.mechanism), text(other.share));
  if (more_than_half(other.share) && !other.objection.empty()) {
    result.reason += ", " + other.objection;
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
  result.verdict = Mechanism::unresolved;
  if (!std::isfinite(result.loss.mean)) {
    result.reason = "second-half loss is not a number";
    return;
  }
  if (!result.learned) {
    result.verdict = Mechanism::none;
    const double gain = result.chance - result.loss.mean;
    result.reason = fmt::format(
        "second-half loss is {:.3f} nats {} chance; a mechanism is sought only where it is at "
        "least {} below",
        std::abs(gain), gain < 0 ? "above" : "below", least_gain);
    return;
  }
  if (!(result.cost.lower() > 0)) {
    result.reason = fmt::format(
        "removing the head costs {} nats, not clearly more than zero, so shares of its effect mean "
        "nothing",
        text(result.cost));
    return;
  }
  choose(candidates_of(result), result);
}

}  // namespace lookback::lens
