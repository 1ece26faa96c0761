#include "lookback/train/batch_gradient.h"

#include <algorithm>
#include <numeric>

#include "lookback/math/simd.h"

namespace lookback::train {

BatchGradient::BatchGradient(const model::Program& program, const data::TokenSource& source,
                             std::size_t batch, std::size_t shards, base::Workers& workers)
    : source_(source),
      batch_(batch),
      workers_(workers),
      tokens_(workers.count(), std::vector<model::Token>(source.length())),
      sums_(shards, base::AlignedVector<float>(program.buffer_size)),
      losses_(batch) {
  for (std::size_t worker = 0; worker < workers.count(); ++worker) {
    executors_.emplace_back(program, 1, source.length());
  }
}

double BatchGradient::compute(std::span<const float> parameters, std::uint64_t first,
                              std::span<const Piece> pieces, const TrainingTaps& taps) {
  workers_.run(sums_.size(), [&](std::size_t shard, std::size_t worker) {
    run_shard(shard, worker, parameters, first, taps);
  });
  workers_.run(pieces.size(), [&](std::size_t i, std::size_t) {
    const auto [offset, size, decays] = pieces[i];
    const std::span<float> total = std::span(sums_.front()).subspan(offset, size);
    for (std::size_t shard = 1; shard < sums_.size(); ++shard) {
      math::simd::add_to(std::span<const float>(sums_[shard]).subspan(offset, size), total);
    }
  });
  return std::accumulate(losses_.begin(), losses_.end(), 0.0) / static_cast<double>(batch_);
}

void BatchGradient::run_shard(std::size_t shard, std::size_t worker,
                              std::span<const float> parameters, std::uint64_t first,
                              const TrainingTaps& taps) {
  const std::size_t begin = shard * batch_ / sums_.size();
  const std::size_t end = (shard + 1) * batch_ / sums_.size();
  const std::size_t predictions = source_.length() - 1;
  const auto weight = static_cast<float>(1.0 / static_cast<double>(batch_ * predictions));
  std::ranges::fill(sums_[shard], 0.0F);
  for (std::size_t i = begin; i < end; ++i) {
    const std::uint64_t sequence = first + i;
    source_.draw(sequence, tokens_[worker]);
    const model::Taps<float>* sequence_taps =
        taps ? taps(worker, first * source_.length(), sequence) : nullptr;
    executors_[worker].forward(parameters, tokens_[worker], sequence_taps);
    const std::span<const float> losses = executors_[worker].backward(weight, sums_[shard]);
    losses_[i] =
        std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(predictions);
  }
}

}  // namespace lookback::train
