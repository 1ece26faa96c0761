// One training run: from a state to the last step, with evaluations and checkpoints on the way.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <stop_token>
#include <string>

#include "lookback/base/result.h"
#include "lookback/data/token_source.h"
#include "lookback/model/program.h"
#include "lookback/train/batch_gradient.h"
#include "lookback/train/config.h"
#include "lookback/train/state.h"

namespace lookback::train {

/// What is known after a step. Before the first, loss and gradient_norm are NaN.
struct StepReport {
  std::uint64_t step = 0;    ///< steps done
  std::uint64_t tokens = 0;  ///< tokens seen
  double loss = 0;           ///< mean over the step's batch, before its update, in nats
  double gradient_norm = 0;  ///< before clipping
  double learning_rate = 0;
};

/// A run as data. Everything here must outlive train().
struct Run {
  const model::Program& program;
  const data::TokenSource& source;  ///< sequences of one length, at most the program's context
  TrainConfig config;
  std::uint64_t seed = 0;
  std::string config_text;            ///< goes into each checkpoint
  std::filesystem::path directory;    ///< checkpoints go below it
  TrainingPlans plans;                ///< may be empty
  std::size_t memory = shard_memory;  ///< of BatchGradient
  std::string tokenizer{};            ///< goes into each checkpoint (CheckpointHeader)
};

/// What the caller wants to know or decide during the run. Any may be empty.
struct Observer {
  /// At log-spaced steps, including the first and the last, before the checkpoint of the same step.
  std::function<Status(const StepReport&, std::span<const float> parameters)> evaluate = {};
  /// After every step.
  std::function<void(const StepReport&)> progress = {};
  /// A stop ends the run after its step, or within one whose gradient is summed in waves
  /// (batch_gradient.h), with a checkpoint of the last whole step to resume from.
  std::stop_token stop = {};
  /// Asked before a checkpoint is written; an error ends the run with it.
  std::function<Status()> may_write = {};
};

struct Outcome {
  enum class Kind { finished, diverged };
  Kind kind = Kind::finished;
  /// For a divergence: the step, the loss, the last good checkpoint (below the run's directory).
  std::string message;
  StepReport last;
};

/// Roughly the bytes that train() takes on this many workers: parameters, gradients and what the
/// optimizer needs, but not what observers take.
std::uint64_t training_memory(const model::Program& program, const TrainConfig& config,
                              std::size_t length, std::size_t workers);

/// Trains until config.tokens. `state` is fresh (initial_state) or read from a checkpoint; going on
/// from one gives the bits of a run that was never stopped. Errors: what observers and checkpoints
/// report (a full disk, for example), and base::stopped().
Result<Outcome> train(const Run& run, const Observer& observer, model::Engine& engine,
                      TrainState& state);

}  // namespace lookback::train
