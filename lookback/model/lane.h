// How one worker runs jobs: one sequence at a time, on our own executor.
//
// Legend: T positions, V tokens.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/model/engine.h"
#include "lookback/model/executor.h"
#include "lookback/model/plan_taps.h"

namespace lookback::model {

/// One worker's memory for sequences of one length. With Keep::everything it remembers what a run
/// of the last tokens without edits computed, and runs only the steps from a plan's first on; of
/// many plans for one sequence, run those whose first step is latest first. Results do not depend
/// on what was run before. Not thread-safe. The program must outlive it. N is float or double.
template <class N>
class Lane {
 public:
  /// REQUIRES 2 <= length <= the program's context.
  Lane(const Program& program, std::size_t length, Keep keep);

  /// Runs a job whose first step is `first` (plan.h), and shows `observer` its results as job
  /// number `number`. Errors: those of a plan, before anything is run.
  Status forward(std::span<const N> parameters, const Job& job, std::size_t first,
                 std::size_t number, Observer& observer);

  /// Runs a job forward and backward, adds its gradient to `gradient` (Shard), and returns its mean loss.
  Result<double> backward(std::span<const N> parameters, const Job& job, N weight,
                          std::span<N> gradient);

  std::size_t length() const { return length_; }

  /// To be called before runs with other parameters: nothing of the last run is reused.
  void forget() { unedited_steps_ = 0; }

 private:
  Status run(std::span<const N> parameters, const Job& job, std::size_t first,
             const typename PlanTaps<N>::See& see);

  const Program& program_;
  std::size_t length_;
  Keep keep_;
  Executor<N> executor_;
  PlanTaps<N> taps_;
  std::vector<Token> tokens_;       ///< of the last run; empty before it
  std::size_t unedited_steps_ = 0;  ///< the first so many steps hold what tokens_ alone give
};

}  // namespace lookback::model
