// How a run trains, as the table [train] of a study file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "lookback/base/result.h"
#include "lookback/base/toml_table.h"
#include "lookback/train/optimizer_config.h"

namespace lookback::train {

/// How the learning rate changes after the warm-up.
enum class Decay { constant, cosine, linear };

struct TrainConfig {
  std::uint64_t tokens = 40'000'000;  ///< the run ends at the first step that reaches them
  std::size_t batch = 64;             ///< sequences a step
  std::size_t shards = 16;            ///< sums of gradients a step: a fixed number, so that any
                                      ///< number of threads adds in the same order
  double learning_rate = 1e-3;
  std::uint64_t warmup_steps = 100;
  Decay decay = Decay::constant;
  double final_share = 0.1;  ///< of the learning rate, where cosine and linear end
  OptimizerConfig optimizer;
  double clip = 1.0;        ///< largest norm of the gradient; 0: none
  double divergence = 3.0;  ///< stop when the loss passes this multiple of the first step's
  std::uint64_t evaluations_per_decade = 12;  ///< log-spaced in tokens
  std::uint64_t checkpoints_per_decade = 4;
  double resume_seconds = 60;  ///< between checkpoints kept only for --resume

  bool operator==(const TrainConfig&) const = default;
};

/// Reads [train] and [train.optimizer]; the reader's finish() reports errors. A batch may be given
/// in tokens, `batch_tokens`, a multiple of the `length` of a sequence.
TrainConfig read_train_config(base::TableReader train, std::size_t length);

/// Refuses contradictions, with the reason.
Status validate(const TrainConfig& config);

/// The tables [train] and [train.optimizer], every key with its value.
std::string to_toml(const TrainConfig& config);

/// Steps of a run: tokens / (batch * length), rounded up.
std::uint64_t step_count(const TrainConfig& config, std::size_t length);

/// The learning rate of step `step` (from 0) of `steps`: linear warm-up, then the decay.
double learning_rate(const TrainConfig& config, std::uint64_t step, std::uint64_t steps);

/// Whether something that happens `per_decade` times per tenfold of steps happens after `step`
/// steps: at 0, at the last, and in between at the rounded powers 10^(k / per_decade).
bool is_log_spaced(std::uint64_t step, std::uint64_t steps, std::uint64_t per_decade);

}  // namespace lookback::train
