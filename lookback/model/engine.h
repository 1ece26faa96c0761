// An engine runs programs: whoever trains, evaluates or looks inside asks one, and does not know which.
//
// What is asked for is a list of jobs, each one sequence of tokens with a plan. How many run at a time,
// in which memory and in which order is the engine's own affair; what comes of a job does not depend on
// it, nor on which other jobs there are.
//
// Legend: T positions, V tokens.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "lookback/base/go_on.h"
#include "lookback/base/result.h"
#include "lookback/base/workers.h"
#include "lookback/math/view.h"
#include "lookback/model/memory_plan.h"
#include "lookback/model/plan.h"
#include "lookback/model/program.h"
#include "lookback/model/recording.h"

namespace lookback::model {

/// One sequence, and what is done beside running it. Tokens and plan must live until it has run.
struct Job {
  std::span<const Token> tokens;  ///< [T], each below V
  const Plan* plan = nullptr;     ///< none: nothing
  /// What each prediction counts in a gradient [T-1]; empty: each 1.
  std::span<const float> weights = {};
};

/// Which matrix is shown: of one sequence and, where the activation has heads, of one head of its layer
/// over all steps (else head is 0).
struct Place {
  std::string_view name;
  std::size_t head = 0;
};

/// What a job came to. Each is computed when it is first asked for.
class Output {
 public:
  virtual ~Output() = default;
  virtual std::span<const float> losses() = 0;  ///< [T-1] in nats: of token t+1 as predicted at t
  virtual math::Matrix<const float> logits() = 0;  ///< [T,V]
};

/// Hears what jobs come to. Called from several threads; of one job, from one of them, activations in
/// the order in which they are computed and then the output. What is shown is valid during the call.
class Observer {
 public:
  virtual ~Observer() = default;
  /// One activation that the job's plan records, as it is after the edits: shapes as of a tap (taps.h).
  virtual void activation(std::size_t job, const Place& place, math::Matrix<const float> x);
  virtual void output(std::size_t job, Output& output) = 0;
};

/// The gradient of several jobs: `gradient`, a flat buffer as the program's, becomes that of
/// weight * sum(losses), each times its job's weight for it, summed over them job after job.
struct Shard {
  std::span<const Job> jobs;
  float weight = 1;
  std::span<float> gradient;
  std::span<double> losses;  ///< out: by job, its mean loss in nats, weighted
};

/// A program that an engine has made ready to run, with what memory that takes. Not for several callers
/// at a time. Errors of all: those of a plan (plan.h), parameters that are not the program's, a sequence
/// that it cannot run; the first in the order of the jobs.
class Session {
 public:
  virtual ~Session() = default;

  /// Runs every job. `go_on` hears how far it is. Error: also base::stopped().
  virtual Status forward(std::span<const float> parameters, std::span<const Job> jobs,
                         Observer& observer, const base::GoOn& go_on = {}) = 0;

  /// Runs all jobs of every shard forward and backward. REQUIRES a session that keeps everything.
  virtual Status backward(std::span<const float> parameters, std::span<const Shard> shards) = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;

  /// "cpu": goes into checkpoints and messages.
  virtual std::string_view name() const = 0;

  /// A session for the program, which must outlive it. With Keep::logits it takes a fraction of the
  /// memory; with Keep::everything several jobs in a row of one sequence share what they have in common.
  virtual std::unique_ptr<Session> open(const Program& program, Keep keep) = 0;

  /// Host threads for the work around runs.
  virtual base::Workers& workers() = 0;
};

/// Whether `parameters` is a buffer of the program, and sequences of `length` tokens below `vocabulary`
/// can be run. The error says what was found and what is allowed.
Status check_inputs(const Program& program, std::span<const float> parameters, std::size_t length,
                    std::size_t vocabulary);

/// What one job came to, kept.
struct JobResult {
  std::vector<float> losses;  ///< [T-1] in nats
  Recording recording;        ///< of what its plan records
};

/// Runs the jobs and keeps what they come to.
Result<std::vector<JobResult>> run_jobs(Session& session, std::span<const float> parameters,
                                        std::span<const Job> jobs);

}  // namespace lookback::model
