// The mean gradient of a batch, as an engine gives it for each shard, summed in one order.
//
// Legend: B sequences of a batch, S shards.
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
#include "lookback/model/engine.h"
#include "lookback/train/clamp_plans.h"

namespace lookback::train {

/// Bytes that the sums of all shards may take together. Beyond it they are made in waves of one for
/// each worker, each added to the total before the next begins: a large model may have many shards.
inline constexpr std::size_t shard_memory = std::size_t{1} << 28;

/// The bytes that a BatchGradient on so many workers takes: the sums, and of each worker that has a
/// shard the activations of one sequence of `length` tokens with their gradients.
std::uint64_t gradient_memory(const model::Program& program, std::size_t length, std::size_t shards,
                              std::size_t workers, std::size_t memory = shard_memory);

/// The sum has one order, whatever the number of workers, the waves, or the engine's own way: shard s has
/// sequences s B / S .. (s + 1) B / S - 1 of the batch and adds them in turn; the total is shard 0, plus
/// shard 1, ... Program, source and engine must outlive it.
class BatchGradient {
 public:
  BatchGradient(const model::Program& program, const data::TokenSource& source, std::size_t batch,
                std::size_t shards, model::Engine& engine, std::size_t memory = shard_memory);

  /// Mean loss in nats over the predictions of sequences first .. first + batch - 1, weighted as the source
  /// says; gradient() then is that loss's gradient. Nothing where `stop`, asked between waves, says so. Errors: those of
  /// the engine and of the plans.
  Result<std::optional<double>> compute(std::span<const float> parameters, std::uint64_t first,
                                        const TrainingPlans& plans,
                                        const std::function<bool()>& stop = {});

  std::span<const float> gradient() const { return sums_.front(); }

 private:
  Status draw(std::uint64_t first, const TrainingPlans& plans);
  Status run_wave(std::span<const float> parameters, std::size_t begin, std::size_t count);
  std::size_t first_of(std::size_t shard) const { return shard * batch_ / shards_; }
  void add_to_total(std::size_t sums);
  double count_of(std::size_t sequence) const;
  double predictions() const;

  const data::TokenSource& source_;
  std::size_t batch_, shards_;
  base::Workers& workers_;
  std::unique_ptr<model::Session> session_;
  std::size_t wave_;                              // shards that have a sum each at a time
  std::vector<std::vector<data::Token>> tokens_;  // by sequence of the batch
  std::vector<std::vector<float>> weights_;       // the same; empty: all alike
  std::vector<model::Job> jobs_;                  // the same
  std::vector<double> losses_;                    // the same
  std::vector<base::AlignedVector<float>> sums_;  // the total first
};

}  // namespace lookback::train
