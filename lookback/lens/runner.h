// Runs one sequence at a time with edits, and records activations of a run.
//
// Legend: T positions, V tokens.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/lens/edit.h"
#include "lookback/lens/model.h"
#include "lookback/lens/recording.h"
#include "lookback/model/executor.h"

namespace lookback::lens {

/// One worker's memory for runs with edits. It remembers what an unedited run of the last tokens
/// computed, and runs only the steps from the first edit on: of many edits of one sequence, make the
/// latest in the model first. The results do not depend on what was run before. Not thread-safe.
class Runner {
 public:
  /// The model must outlive the object. REQUIRES what check_inputs (evaluate.h) accepts for
  /// sequences of `length` tokens.
  Runner(const Model& model, std::size_t length);
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// The losses [T-1] in nats of a run in which `edits` are made; they are valid until the next run.
  /// Errors: those of check (edit.h), before anything is run. REQUIRES tokens [T], each below V.
  Result<std::span<const float>> run(std::span<const model::Token> tokens, const Edits& edits = {});

  /// Adds the named activations, all their heads, of the same run to `recording`, as they are after
  /// the edits. Errors: also a name that the program does not have.
  Result<std::span<const float>> record(std::span<const model::Token> tokens,
                                        std::span<const std::string> names, Recording& recording,
                                        const Edits& edits = {});

  /// Log-probability in nats that the last run gave to `token` after position t. REQUIRES a run.
  double log_probability(std::size_t t, model::Token token);

  const Model& model() const { return model_; }
  std::size_t length() const { return length_; }

 private:
  Status connect(const Edits& edits, model::Taps<float>& taps);
  void forward(std::span<const model::Token> tokens, const model::Taps<float>& taps,
               std::size_t first);

  Model model_;
  std::size_t length_;
  model::Executor<float> executor_;
  std::vector<model::Token> tokens_;  ///< of the last run; empty before it
  std::size_t unedited_steps_ = 0;    ///< the first so many steps hold what tokens_ alone give
  Recording sources_;                 ///< what edits of the current run copy from
};

}  // namespace lookback::lens
