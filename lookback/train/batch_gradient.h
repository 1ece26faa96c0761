// The mean gradient of a batch: a worker takes one sequence at a time through forward and backward
// while its activations stay in the core's cache, and adds to its shard's sum.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "lookback/base/aligned.h"
#include "lookback/base/workers.h"
#include "lookback/data/token_source.h"
#include "lookback/model/executor.h"
#include "lookback/train/optimizer.h"

namespace lookback::train {

/// Taps for one training sequence, or null: called before each sequence, from several threads. What
/// it returns must live until the same worker calls again.
using TrainingTaps = std::function<const model::Taps<float>*(
    std::size_t worker, std::uint64_t tokens_seen, std::uint64_t sequence)>;

/// Sums gradients over a fixed number of shards in a fixed order, so that the bits do not depend on
/// the number of workers. Program, source and workers must outlive it.
class BatchGradient {
 public:
  BatchGradient(const model::Program& program, const data::TokenSource& source, std::size_t batch,
                std::size_t shards, base::Workers& workers);

  /// Mean loss in nats over the predictions of sequences first .. first + batch - 1; gradient()
  /// then is that loss's gradient.
  double compute(std::span<const float> parameters, std::uint64_t first,
                 std::span<const Piece> pieces, const TrainingTaps& taps);

  std::span<const float> gradient() const { return sums_.front(); }

 private:
  void run_shard(std::size_t shard, std::size_t worker, std::span<const float> parameters,
                 std::uint64_t first, const TrainingTaps& taps);

  const data::TokenSource& source_;
  std::size_t batch_;
  base::Workers& workers_;
  std::vector<model::Executor<float>> executors_;  // by worker
  std::vector<std::vector<model::Token>> tokens_;  // by worker
  std::vector<base::AlignedVector<float>> sums_;   // by shard
  std::vector<double> losses_;                     // by sequence of the batch
};

}  // namespace lookback::train
