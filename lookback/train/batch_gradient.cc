#include "lookback/train/batch_gradient.h"

#include <algorithm>
#include <numeric>

#include "lookback/math/simd.h"
#include "lookback/model/memory_plan.h"

namespace lookback::train {
namespace {

/// Numbers of a sum that one worker adds at a time.
constexpr std::size_t stretch = 1 << 15;

/// All shards where their sums fit into `memory`; else as many as there are workers.
std::size_t shards_at_a_time(std::size_t shards, std::size_t workers, std::size_t bytes,
                             std::size_t memory) {
  return shards <= memory / std::max<std::size_t>(bytes, 1) ? shards : std::min(shards, workers);
}

/// The total, and the shards of a wave; shard 0 is the total's beginning.
std::size_t sum_count(std::size_t shards, std::size_t wave) {
  return wave == shards ? shards : wave + 1;
}

}  // namespace

std::uint64_t gradient_memory(const model::Program& program, std::size_t length, std::size_t shards,
                              std::size_t workers, std::size_t memory) {
  const std::size_t bytes = program.buffer_size * sizeof(float);
  const std::size_t wave = shards_at_a_time(shards, workers, bytes, memory);
  const std::size_t numbers = model::plan_values(program, 1, length, model::Keep::everything).size +
                              model::plan_gradients(program, 1, length).size;
  return sum_count(shards, wave) * bytes + std::min(workers, wave) * numbers * sizeof(float);
}

BatchGradient::BatchGradient(const model::Program& program, const data::TokenSource& source,
                             std::size_t batch, std::size_t shards, base::Workers& workers,
                             std::size_t memory)
    : program_(program),
      source_(source),
      batch_(batch),
      shards_(shards),
      workers_(workers),
      wave_(shards_at_a_time(shards, workers.count(), program.buffer_size * sizeof(float), memory)),
      executors_(workers.count()),
      tokens_(workers.count(), std::vector<model::Token>(source.length())),
      sums_(sum_count(shards, wave_), base::AlignedVector<float>(program.buffer_size)),
      losses_(batch) {}

std::optional<double> BatchGradient::compute(std::span<const float> parameters, std::uint64_t first,
                                             const TrainingTaps& taps,
                                             const std::function<bool()>& stop) {
  for (std::size_t begin = 0; begin < shards_; begin += wave_) {
    if (begin > 0 && stop && stop()) return std::nullopt;
    const std::size_t count = std::min(wave_, shards_ - begin);
    const std::size_t place = begin == 0 ? 0 : 1;
    workers_.run(count, [&](std::size_t i, std::size_t worker) {
      run_shard(begin + i, worker, parameters, first, taps, sums_[place + i]);
    });
    const std::size_t size = program_.buffer_size;
    workers_.run((size + stretch - 1) / stretch, [&](std::size_t i, std::size_t) {
      const std::size_t offset = i * stretch;
      const std::size_t numbers = std::min(stretch, size - offset);
      const std::span<float> total = std::span(sums_.front()).subspan(offset, numbers);
      for (std::size_t sum = 1; sum < place + count; ++sum) {
        math::simd::add_to(std::span<const float>(sums_[sum]).subspan(offset, numbers), total);
      }
    });
  }
  return std::accumulate(losses_.begin(), losses_.end(), 0.0) / static_cast<double>(batch_);
}

/// Made by the worker itself: its memory is then near the core that uses it.
model::Executor<float>& BatchGradient::executor_of(std::size_t worker) {
  std::unique_ptr<model::Executor<float>>& executor = executors_[worker];
  if (!executor) {
    executor = std::make_unique<model::Executor<float>>(program_, 1, source_.length());
  }
  return *executor;
}

void BatchGradient::run_shard(std::size_t shard, std::size_t worker,
                              std::span<const float> parameters, std::uint64_t first,
                              const TrainingTaps& taps, std::span<float> sum) {
  const std::size_t begin = shard * batch_ / shards_;
  const std::size_t end = (shard + 1) * batch_ / shards_;
  const std::size_t predictions = source_.length() - 1;
  const auto weight = static_cast<float>(1.0 / static_cast<double>(batch_ * predictions));
  model::Executor<float>& executor = executor_of(worker);
  std::ranges::fill(sum, 0.0F);
  for (std::size_t i = begin; i < end; ++i) {
    const std::uint64_t sequence = first + i;
    source_.draw(sequence, tokens_[worker]);
    const model::Taps<float>* sequence_taps =
        taps ? taps(worker, first * source_.length(), sequence) : nullptr;
    executor.forward(parameters, tokens_[worker], sequence_taps);
    const std::span<const float> losses = executor.backward(weight, sum);
    losses_[i] =
        std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(predictions);
  }
}

}  // namespace lookback::train
