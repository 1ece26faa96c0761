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
                             std::size_t batch, std::size_t shards, model::Engine& engine,
                             std::size_t memory)
    : source_(source),
      batch_(batch),
      shards_(shards),
      workers_(engine.workers()),
      session_(engine.open(program, model::Keep::everything)),
      wave_(
          shards_at_a_time(shards, workers_.count(), program.buffer_size * sizeof(float), memory)),
      tokens_(batch, std::vector<data::Token>(source.length())),
      weights_(batch),
      losses_(batch),
      sums_(sum_count(shards, wave_), base::AlignedVector<float>(program.buffer_size)) {
  for (const auto& tokens : tokens_) jobs_.push_back({tokens});
}

Result<std::optional<double>> BatchGradient::compute(std::span<const float> parameters,
                                                     std::uint64_t first,
                                                     const TrainingPlans& plans,
                                                     const std::function<bool()>& stop) {
  if (Status drawn = draw(first, plans); !drawn) return drawn.error();
  for (std::size_t begin = 0; begin < shards_; begin += wave_) {
    if (begin > 0 && stop && stop()) return std::optional<double>();
    const std::size_t count = std::min(wave_, shards_ - begin);
    if (Status ran = run_wave(parameters, begin, count); !ran) return ran.error();
    add_to_total(begin == 0 ? count : count + 1);
  }
  // Where all count alike, the plain mean: dividing by counts could round otherwise.
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < batch_; ++i) {
    const double own = weights_[i].empty() ? 1 : count_of(i);
    sum += own * losses_[i];
    count += own;
  }
  return std::optional(sum / count);
}

Status BatchGradient::draw(std::uint64_t first, const TrainingPlans& plans) {
  workers_.run(batch_, [&](std::size_t i, std::size_t) {
    source_.draw(first + i, tokens_[i]);
    weights_[i] = source_.weights(first + i);
  });
  std::span<const model::Plan> made;
  if (plans) {
    const auto all = plans(first * source_.length(), tokens_);
    if (!all) return all.error();
    made = *all;
  }
  for (std::size_t i = 0; i < batch_; ++i) {
    jobs_[i].plan = made.empty() ? nullptr : &made[i];
    jobs_[i].weights = weights_[i];
  }
  return {};
}

/// Shards begin .. begin + count - 1. The first of all is the total's beginning.
Status BatchGradient::run_wave(std::span<const float> parameters, std::size_t begin,
                               std::size_t count) {
  const auto weight = static_cast<float>(1.0 / predictions());
  const std::size_t place = begin == 0 ? 0 : 1;
  std::vector<model::Shard> shards;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t from = first_of(begin + i), size = first_of(begin + i + 1) - from;
    shards.push_back({std::span(jobs_).subspan(from, size), weight, sums_[place + i],
                      std::span(losses_).subspan(from, size)});
  }
  return session_->backward(parameters, shards);
}

/// What the predictions of a sequence count together.
double BatchGradient::count_of(std::size_t sequence) const {
  const std::vector<float>& weights = weights_[sequence];
  if (weights.empty()) return static_cast<double>(source_.length() - 1);
  return std::accumulate(weights.begin(), weights.end(), 0.0);
}

/// What all predictions of the batch count together.
double BatchGradient::predictions() const {
  double count = 0;
  for (std::size_t i = 0; i < batch_; ++i) count += count_of(i);
  return count;
}

/// Adds sums 1 .. sums - 1 to the first, one after another.
void BatchGradient::add_to_total(std::size_t sums) {
  const std::size_t size = sums_.front().size();
  workers_.run((size + stretch - 1) / stretch, [&](std::size_t i, std::size_t) {
    const std::size_t from = i * stretch, count = std::min(stretch, size - from);
    const std::span<float> total = std::span(sums_.front()).subspan(from, count);
    for (std::size_t sum = 1; sum < sums; ++sum) {
      math::simd::add_to(std::span<const float>(sums_[sum]).subspan(from, count), total);
    }
  });
}

}  // namespace lookback::train
