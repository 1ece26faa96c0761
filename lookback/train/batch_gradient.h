// The mean gradient of a batch: a worker takes one sequence at a time through forward and backward
// while its activations stay in the core's cache, and adds to its shard's sum.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "lookback/base/aligned.h"
#include "lookback/base/workers.h"
#include "lookback/data/token_source.h"
#include "lookback/model/executor.h"

namespace lookback::train {

/// Taps for one training sequence, or null: called before each sequence, from several threads. What
/// it returns must live until the same worker calls again.
using TrainingTaps = std::function<const model::Taps<float>*(
    std::size_t worker, std::uint64_t tokens_seen, std::uint64_t sequence)>;

/// Bytes that the sums of all shards may take together. Beyond it they are made in waves of one for
/// each worker, each added to the total before the next begins: a large model may have many shards.
inline constexpr std::size_t shard_memory = std::size_t{1} << 28;

/// The bytes that a BatchGradient on so many workers takes: the sums, and of each worker that has a
/// shard the activations of one sequence of `length` tokens with their gradients.
std::uint64_t gradient_memory(const model::Program& program, std::size_t length, std::size_t shards,
                              std::size_t workers, std::size_t memory = shard_memory);

/// Sums gradients over a fixed number of shards in a fixed order, so that the bits depend neither on
/// the number of workers nor on the waves. Program, source and workers must outlive it.
class BatchGradient {
 public:
  BatchGradient(const model::Program& program, const data::TokenSource& source, std::size_t batch,
                std::size_t shards, base::Workers& workers, std::size_t memory = shard_memory);

  /// Mean loss in nats over the predictions of sequences first .. first + batch - 1; gradient()
  /// then is that loss's gradient. Nothing where `stop`, asked between waves, says so.
  std::optional<double> compute(std::span<const float> parameters, std::uint64_t first,
                                const TrainingTaps& taps, const std::function<bool()>& stop = {});

  std::span<const float> gradient() const { return sums_.front(); }

 private:
  void run_shard(std::size_t shard, std::size_t worker, std::span<const float> parameters,
                 std::uint64_t first, const TrainingTaps& taps, std::span<float> sum);
  model::Executor<float>& executor_of(std::size_t worker);

  const model::Program& program_;
  const data::TokenSource& source_;
  std::size_t batch_, shards_;
  base::Workers& workers_;
  std::size_t wave_;  // shards that have a sum each at a time
  std::vector<std::unique_ptr<model::Executor<float>>> executors_;  // by worker, once it has begun
  std::vector<std::vector<model::Token>> tokens_;                   // by worker
  std::vector<base::AlignedVector<float>> sums_;                    // the total first
  std::vector<double> losses_;                                      // by sequence of the batch
};

}  // namespace lookback::train
