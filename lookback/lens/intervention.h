// Interventions over the sequences of a probe, each measured as the change of the losses.
//
// An intervention says, for one sequence, which edits it makes. Their values come from recordings:
// of the sequence itself, of the next one of the probe (resample), and of the means over other
// sequences of the probe, position by position. At any time a worker holds the recordings of two
// sequences, and there are no others but the means.
//
// Means are over a fixed set of sequences that are never measured. With a sequence's own activation
// in its mean, of n sequences one part in n of what is to be removed would stay; and a mean over the
// n - 1 others is noisy by as much, which costs the more the fewer they are. Either way figures
// would hang on n beyond their intervals.
//
// Legend: T positions, D = d_model, n sequences.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "lookback/base/workers.h"
#include "lookback/data/ideal_patterns.h"
#include "lookback/data/repeated_blocks.h"
#include "lookback/lens/component.h"
#include "lookback/lens/edit.h"
#include "lookback/lens/estimate.h"
#include "lookback/lens/losses.h"
#include "lookback/lens/model.h"
#include "lookback/lens/recording.h"

namespace lookback::lens {

/// What takes the place of what is removed.
enum class Replacement {
  zero,
  mean,      ///< the mean over reference sequences of the probe, position by position
  resample,  ///< that of the next sequence of the probe (of the first one, for the last)
};
const char* name_of(Replacement replacement);  ///< "zero", "mean", "resample"

/// What is measured on: sequences 0 .. sequences - 1 of the probe.
struct Setting {
  Model model;
  const data::BlockSource& probe;
  std::size_t sequences;
  base::Workers& workers;
};

/// Whether interventions can be measured there. Errors: fewer than 2 sequences (another one is
/// needed), and what check_inputs (evaluate.h) refuses.
Status check(const Setting& setting);

/// What the edits of one sequence are made of. Values that it makes live as long as it does.
class Context {
 public:
  Context(const Model& model, std::span<const model::Token> tokens, const Recording& own,
          const Recording& other, const Recording& mean)
      : model_(model), tokens_(tokens), own_(own), other_(other), mean_(mean) {}

  const Model& model() const { return model_; }
  std::span<const model::Token> tokens() const { return tokens_; }
  const Recording& own() const { return own_; }
  const Recording& mean() const { return mean_; }

  /// What replaces an activation of one head: its rows of another recording, or one row of zeros.
  math::Matrix<const float> replaced(const std::string& name, std::size_t head,
                                     Replacement replacement);
  /// What changes a stream [T,D] when a component of it is replaced: replacement - component.
  math::Matrix<const float> change(const Component& component, Replacement replacement);
  /// The ideal pattern [T,T] of this sequence's tokens.
  math::Matrix<const float> ideal(data::IdealPattern kind);
  /// One where that has any weight, else zero.
  math::Matrix<const float> ideal_mask(data::IdealPattern kind);

  /// Zeros [rows,cols].
  math::Matrix<float> make(std::size_t rows, std::size_t cols);

 private:
  Model model_;
  std::span<const model::Token> tokens_;
  const Recording& own_;
  const Recording& other_;
  const Recording& mean_;
  std::deque<std::vector<float>> memory_;
  using ChangeKey = std::tuple<Component::Kind, std::size_t, std::size_t, Replacement>;
  std::map<ChangeKey, math::Matrix<const float>> changes_;
  std::map<data::IdealPattern, math::Matrix<const float>> ideals_;
  std::map<data::IdealPattern, math::Matrix<const float>> masks_;
};

using Intervention = std::function<Edits(Context&)>;

/// What means are over: sequences first_reference .. first_reference + references - 1 of the probe,
/// whatever is measured. So many leave a mean 1/8 of one sequence's noise.
inline constexpr std::uint64_t first_reference = std::uint64_t{1} << 40;
inline constexpr std::size_t references = 64;

/// The means over the reference sequences of the named activations: the same bits for any setting of
/// the same model and probe. Errors: as check, unknown names.
Result<Recording> mean_recording(const Setting& setting, std::span<const std::string> names);

/// The losses of every sequence with and without each intervention.
struct Measured {
  std::vector<LossScores> baseline;              ///< [n]
  std::vector<std::vector<LossScores>> changed;  ///< [interventions][n]

  /// The mean of a loss over sequences without any intervention.
  Estimate unedited(double LossScores::*loss = &LossScores::second_half_loss) const;
  /// The mean, over sequences, of what an intervention adds to a loss, with its standard error: that
  /// of the differences, for each sequence is compared with itself.
  Estimate rise(std::size_t intervention,
                double LossScores::*loss = &LossScores::second_half_loss) const;
};

/// Runs every intervention on every sequence, with the named activations recorded and `mean` as
/// made by mean_recording. The same bits for any number of threads.
/// Errors: as check, and those of an edit (edit.h).
Result<Measured> measure(const Setting& setting, std::span<const std::string> names,
                         const Recording& mean, std::span<const Intervention> interventions);

}  // namespace lookback::lens
