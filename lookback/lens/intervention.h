// Interventions on the sequences of a probe, each measured as the change of the losses.
//
// An intervention says, for one sequence, which edits it makes. Their values come from recordings:
// of the sequence itself, of another one (resample), and of the mean over reference sequences,
// position by position. A worker holds the recordings of two sequences and one mean at a time.
//
// Other and reference sequences are drawn from the probe too, but never measured. If a sequence's
// own activation were in its mean, one nth of what should be removed would remain; a mean over the
// n - 1 others is noisy, and noise costs more the fewer they are. Either way measures would depend
// on n beyond their intervals.
//
// The interval of a measure must cover everything it is estimated from: not only the sequences it
// is measured on but also those that its replacements come from. So:
//
//   resample   each measured sequence has another one of its own. The n rises are independent.
//   mean       the measured sequences fall into K groups, and each group has `references` reference
//              sequences of its own. Within a group rises share the noise of one mean; the groups are
//              independent. So the standard error is taken between groups (estimate.h):
//              with rises x_i = G(m_k) + e_i, where m_k is the mean of the group's references, it
//              estimates Var(G(m)) / K + Var(e) / n, of which a standard error over sequences alone
//              leaves out the first term.
//
// If all sequences shared one mean, nothing in the n rises would show how far they would all move
// with another one: the first term would be Var(G(m)), and invisible. An intervention that asks its
// Context for a mean is recognized by that; no one has to declare it.
//
// Legend: T positions, D = d_model, n sequences, K groups.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "lookback/data/ideal_patterns.h"
#include "lookback/data/task.h"
#include "lookback/lens/component.h"
#include "lookback/lens/estimate.h"
#include "lookback/lens/losses.h"
#include "lookback/lens/model.h"
#include "lookback/lens/references.h"

namespace lookback::lens {

/// What replaces the removed part.
enum class Replacement {
  zero,
  mean,      ///< the mean over reference sequences of the probe, position by position
  resample,  ///< that of another sequence of the probe
};
const char* name_of(Replacement replacement);  ///< "zero", "mean", "resample"

/// What to measure on: sequences 0 .. sequences - 1 of the probe.
struct Setting {
  Model model;
  const data::Task& probe;
  std::size_t sequences;
  model::Engine& engine;
  References* references =
      nullptr;  ///< shared by measurements of one model and probe; may be absent
};

/// Whether interventions can be measured there. Errors: fewer than 2 sequences (one has no
/// interval), and what check_inputs (evaluate.h) refuses.
Status check(const Setting& setting);

/// The material for the edits of one sequence. Values that it makes live as long as it does.
class Context {
 public:
  Context(const Model& model, std::span<const model::Token> tokens, const Recording& own,
          const Recording& other, const Recording& mean)
      : model_(model), tokens_(tokens), own_(own), other_(other), mean_(mean) {}

  const Model& model() const { return model_; }
  std::span<const model::Token> tokens() const { return tokens_; }
  const Recording& own() const { return own_; }
  const Recording& mean() {
    took_mean_ = true;
    return mean_;
  }
  /// Whether a mean was asked for since the last call.
  bool took_mean() { return std::exchange(took_mean_, false); }

  /// The replacement for an activation of one head: its rows of another recording, or one row of
  /// zeros.
  math::Matrix<const float> replaced(const std::string& name, std::size_t head,
                                     Replacement replacement);
  /// The change to a stream [T,D] when a component of it is replaced: replacement - component.
  math::Matrix<const float> change(const Component& component, Replacement replacement);
  /// The ideal pattern [T,T] of this sequence's tokens.
  math::Matrix<const float> ideal(data::IdealPattern kind);
  /// One where that has any weight, otherwise zero.
  math::Matrix<const float> ideal_mask(data::IdealPattern kind);

  /// Zeros [rows,cols].
  math::Matrix<float> make(std::size_t rows, std::size_t cols);

 private:
  Model model_;
  std::span<const model::Token> tokens_;
  const Recording& own_;
  const Recording& other_;
  const Recording& mean_;
  bool took_mean_ = false;
  std::deque<std::vector<float>> memory_;
  using ChangeKey = std::tuple<Component::Kind, std::size_t, std::size_t, Replacement>;
  std::map<ChangeKey, math::Matrix<const float>> changes_;
  std::map<data::IdealPattern, math::Matrix<const float>> ideals_;
  std::map<data::IdealPattern, math::Matrix<const float>> masks_;
};

using Intervention = std::function<Edits(Context&)>;

/// Where the probe's sequences come from, so that none has two roles: measured ones start at 0,
/// references at first_reference (references.h), and the other sequences of resample ablations
/// here: sequence i gets first_other + i.
inline constexpr std::uint64_t first_other = std::uint64_t{1} << 41;

/// K: n, but at most 16. Then an interval extends 2.13 standard errors to either side (t with 15
/// degrees of freedom), where infinitely many groups would give 1.96, and references take at most
/// 1024 runs without edits.
std::size_t reference_groups(std::size_t sequences);

/// The losses of every sequence with and without each intervention.
struct Measured {
  std::vector<LossScores> baseline;              ///< [n]
  std::vector<std::vector<LossScores>> changed;  ///< [interventions][n]
  std::vector<std::size_t> groups;  ///< [interventions]: K where edits were made of means, else n

  /// The mean of a loss over sequences without any intervention.
  Estimate unedited(double LossScores::*loss = &LossScores::second_half_loss) const;
  /// What an intervention adds to a loss, for each sequence [n] compared with itself.
  std::vector<double> rises(std::size_t intervention,
                            double LossScores::*loss = &LossScores::second_half_loss) const;
  /// Their mean, with the standard error over sequences, or over groups if edits used means.
  Estimate rise(std::size_t intervention,
                double LossScores::*loss = &LossScores::second_half_loss) const;
};

/// Runs every intervention on every sequence, with the named activations recorded and averaged.
/// Sequence i is in group i mod K. The same bits for any number of threads.
/// Errors: as check, unknown names, and those of an edit (edit.h).
Result<Measured> measure(const Setting& setting, std::span<const std::string> names,
                         std::span<const Intervention> interventions);

}  // namespace lookback::lens
