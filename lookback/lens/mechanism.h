// The mechanism by which a model copies, decided by interventions, not by weights or scores.
//
// 1. The head: the one whose direct path into the logits is worth most, that is, whose mean
//    ablation before ln_final alone costs most second-half loss. (What a previous-token head writes
//    is worth as much, but through other heads: it is not the head that copies.) Its COST is the rise
//    of second-half loss when what it writes is replaced by its mean for all readers. Means are over
//    reference sequences (intervention.h).
//    STAKE is that cost or, where less, the whole gain: ln V - second-half loss. (Without the head a
//    model can be confidently wrong, and lose more than ignorance would.)
// 2. Shares of the stake, each the rise of second-half loss under an intervention on this head:
//    - band: its pattern becomes a function of the offset t - s alone, the mean over sequences and
//      queries, each row summing to 1. What is NOT lost is kept by counting positions.
//    - matching: its pattern becomes the ideal one of an induction head (data/ideal_patterns.h). A
//      small or negative share says that looking up is what the head does.
//    - unsmeared: its smeared keys become the keys before smearing.
//    - K and Q of every earlier head that it reads: that head's part of its key or query input becomes
//      its mean.
//    - the earlier head's own pattern becomes the ideal previous-token or duplicate-token pattern, or
//      keeps of itself only what lies where the ideal one does. A small or negative share under
//      either says that this is all the earlier head does for it. (A head may attend to the token
//      before with a small weight, and its reader count on that weight: the ideal, sharper pattern
//      then moves too much, what is left of its own does not.)
// 3. The verdict, by the constants below.
//
// A share is a ratio of means over sequences (ratio_estimate, estimate.h). Removing an input can
// cost more than removing the head, so shares above 1 are no error. A band is recognized by what is
// not lost. It is no verdict where other heads cover for the head (ideal matching then costs
// clearly more than removing it), nor where looking up, if the head does that, is worth clearly
// more: for a short block a band explains almost everything. If the cost is not clearly above zero,
// shares mean nothing, and the verdict is `unresolved` rather than `none`: something was learned,
// though not by one indispensable head (two that do the same cover for each other).
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/lens/estimate.h"
#include "lookback/lens/intervention.h"
#include "lookback/lens/probe_result.h"

namespace lookback::lens {

enum class Mechanism {
  none,             ///< no learning in context to explain
  positional_band,  ///< a pattern of offsets alone keeps what the head gives
  k_composition,    ///< keys hold the token before, written by a previous-token head
  q_composition,    ///< queries hold where the token was, written by a duplicate-token head
  smeared_keys,     ///< keys hold the token before by smearing
  unresolved,       ///< something is learned, and none of the above explains most of it; or
                    ///< figures that decide are not numbers
};
/// "none", "positional-band", "k-composition", "q-composition", "smeared-keys", "unresolved".
const char* name_of(Mechanism mechanism);

/// Second-half loss must be this many nats below ln V, chance, before a mechanism is sought. An
/// untrained model is above ln V, and the standard error over a few sequences is near 0.01: a tenth
/// of a nat is well beyond that, and far below the gain from any copying (more than a nat).
inline constexpr double least_gain = 0.1;

/// A mechanism is named if it accounts for more than half of the effect, because then no other can
/// account for as much. The 95% interval (Estimate::lower, upper) must lie on that side, and that
/// of the cost above zero.
inline constexpr double majority = 0.5;

inline constexpr Estimate not_measured{std::numeric_limits<double>::quiet_NaN(),
                                       std::numeric_limits<double>::quiet_NaN(), 0};

/// An earlier head that the head reads; all are shares of the effect.
struct EarlierHead {
  HeadPlace head;
  /// With its part removed from the key input alone, or from the query input alone.
  Estimate k_removed = not_measured;
  Estimate q_removed = not_measured;
  /// With the ideal pattern in place of its own, or with only that part of its own.
  Estimate previous_token = not_measured;
  Estimate previous_token_only = not_measured;
  Estimate duplicate_token = not_measured;
  Estimate duplicate_token_only = not_measured;
};

struct MechanismResult {
  Mechanism verdict = Mechanism::none;
  std::string reason;  ///< the figures that decided it, +- half of 95%, and what came next
  std::size_t sequences = 0;
  Estimate loss = not_measured;  ///< second-half loss, nats
  double chance = 0;             ///< ln V
  bool learned = false;  ///< whether there is a gain to explain; else what follows is not measured
  std::optional<HeadPlace> head;        ///< found in any case
  HeadScores scores;                    ///< means over sequences, its induction score among them
  Estimate direct_cost = not_measured;  ///< nats, by the logits' path alone
  Estimate cost = not_measured;         ///< nats
  Estimate stake = not_measured;        ///< nats: the cost, or the gain where that is less
  Estimate band = not_measured;         ///< share of the stake that is LOST under a band of offsets
  Estimate matching = not_measured;     ///< share lost with the ideal matching pattern
  std::optional<Estimate> unsmeared;    ///< share lost; only where keys are smeared
  std::vector<EarlierHead> earlier;
  std::optional<EarlierHead> partner;  ///< the one that a composition verdict names
};

/// Limits for large models.
struct MechanismLimits {
  /// With more heads nothing is measured and the verdict is unresolved: finding the head takes one
  /// run per head, on every sequence.
  std::size_t heads = 48;
  /// With more earlier heads than this only the two whose removal from keys and from queries costs
  /// most have their patterns replaced; the others' shares of that are NaN.
  std::size_t pattern_heads = 16;
};

/// Decides over sequences of the probe, best repeated-blocks. The same bits for any number of
/// threads. Errors: as check (intervention.h).
Result<MechanismResult> mechanism(const Setting& setting, const MechanismLimits& limits = {});

/// The verdict and its reason from the measures of `result`, as `mechanism` fills them in.
void decide(MechanismResult& result);

}  // namespace lookback::lens
