// The gradient of a batch, whoever computes it.
#include "lookback/train/batch_gradient.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <numeric>

#include "lookback/data/task.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/model/executor.h"
#include "tests/train/small_run.h"

namespace lookback::train {
namespace {

constexpr std::size_t batch = 10;  // ten sequences in four shards: 2, 3, 2, 3
constexpr std::size_t shards = 4;
constexpr std::uint64_t first = 17;  // the batch is not the run's first

struct Computed {
  double loss = 0;
  std::vector<float> gradient;
};

Computed computed_by(std::size_t threads, std::size_t memory = shard_memory) {
  const model::Program program = spec::small_program();
  const auto source = spec::small_source();
  model::CpuEngine engine(threads);
  const std::vector<float> parameters = model::initialize(program, 5);
  BatchGradient gradient(program, *source, batch, shards, engine, memory);
  const double loss = gradient.compute(parameters, first, {}).value();
  return {loss, {gradient.gradient().begin(), gradient.gradient().end()}};
}

TEST(BatchGradient, HasTheSameBitsOnAnyNumberOfWorkers) {
  const Computed one = computed_by(1);
  for (const std::size_t threads : {2U, 3U, 8U}) {
    const Computed several = computed_by(threads);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(several.loss), std::bit_cast<std::uint64_t>(one.loss));
    EXPECT_TRUE(spec::same_bits(several.gradient, one.gradient)) << threads << " workers";
  }
}

TEST(BatchGradient, HasTheSameBitsInWavesOfFewShards) {
  const Computed at_once = computed_by(1);
  for (const std::size_t threads : {1U, 2U, 3U, 8U}) {  // waves of 1, 2, 3 and all 4 shards
    const Computed in_waves = computed_by(threads, 0);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(in_waves.loss),
              std::bit_cast<std::uint64_t>(at_once.loss));
    EXPECT_TRUE(spec::same_bits(in_waves.gradient, at_once.gradient)) << threads << " workers";
  }
}

TEST(BatchGradient, ForgetsTheBatchBefore) {
  const model::Program program = spec::small_program();
  const auto source = spec::small_source();
  model::CpuEngine engine(2);
  const std::vector<float> parameters = model::initialize(program, 5);
  BatchGradient gradient(program, *source, batch, shards, engine, 0);  // in waves
  EXPECT_TRUE(gradient.compute(parameters, 0, {}));
  EXPECT_TRUE(gradient.compute(parameters, first, {}));
  EXPECT_TRUE(spec::same_bits(gradient.gradient(), computed_by(1).gradient));
}

TEST(BatchGradient, IsLeftBetweenWavesWhereAStopIsAskedFor) {
  const model::Program program = spec::small_program();
  const auto source = spec::small_source();
  model::CpuEngine engine(1);
  const std::vector<float> parameters = model::initialize(program, 5);
  BatchGradient gradient(program, *source, batch, shards, engine, 0);
  std::stop_source stop;
  EXPECT_TRUE(gradient.compute(parameters, 0, {}, stop.get_token()));
  stop.request_stop();
  EXPECT_TRUE(gradient.compute(parameters, 0, {}, stop.get_token()).fails_with(ErrorKind::stopped));
  EXPECT_TRUE(gradient.compute(parameters, first, {}));
  EXPECT_TRUE(spec::same_bits(gradient.gradient(), computed_by(1).gradient));
}

/// The mean gradient in double precision, one executor for the whole batch, and of each tensor the
/// sum of its sequences' norms.
struct Reference {
  double loss = 0;
  std::vector<double> gradient;
  std::vector<double> norms;
};

Reference reference() {
  const model::Program program = spec::small_program();
  const auto source = spec::small_source();
  const std::vector<float> floats = model::initialize(program, 5);
  const std::vector<double> parameters(floats.begin(), floats.end());
  const double weight = 1.0 / (batch * (spec::length - 1));
  Reference result{0, std::vector<double>(program.buffer_size),
                   std::vector<double>(program.parameters.size())};
  std::vector<model::Token> all;
  model::Executor<double> single(program, 1, spec::length);
  for (std::size_t i = 0; i < batch; ++i) {
    const std::vector<model::Token> tokens = source->sequence(first + i);
    all.insert(all.end(), tokens.begin(), tokens.end());
    std::vector<double> own(program.buffer_size);
    single.forward(parameters, tokens);
    single.backward(weight, own);
    for (std::size_t p = 0; p < program.parameters.size(); ++p) {
      const model::ParameterInfo& info = program.parameters[p];
      const auto begin = own.begin() + static_cast<std::ptrdiff_t>(info.offset);
      const auto end = begin + static_cast<std::ptrdiff_t>(info.size());
      result.norms[p] += std::sqrt(std::inner_product(begin, end, begin, 0.0));
    }
  }
  model::Executor<double> whole(program, batch, spec::length);
  whole.forward(parameters, all);
  const std::span<const double> losses = whole.backward(weight, result.gradient);
  result.loss = weight * std::accumulate(losses.begin(), losses.end(), 0.0);
  return result;
}

TEST(BatchGradient, IsTheMeanGradientOfOneLargeBatch) {
  // Roundings on the longest way from a parameter to the loss and back: the inner sizes of its
  // products (two layers of Q K^T, A V, projections; the unembedding; T rows of each weight
  // gradient; the norms) twice, then the sums over sequences and shards. Each is at most u relative
  // to what it rounds, so a tensor errs by at most this many u of the sum of its sequences' norms,
  // as long as no product is cancelled more than the random ones of a fresh model are.
  constexpr double chain = 2 * (2 * (16 + 8 + 32 + 8 + 16) + 16 + 32 + 3 * 16) + batch + shards;
  const double relative = chain * 0x1p-24;
  const model::Program program = spec::small_program();
  const Reference expected = reference();
  const Computed found = computed_by(3);
  EXPECT_NEAR(found.loss, expected.loss, relative * expected.loss);
  for (std::size_t p = 0; p < program.parameters.size(); ++p) {
    const model::ParameterInfo& info = program.parameters[p];
    double square = 0;
    for (std::size_t i = info.offset; i < info.offset + info.size(); ++i) {
      const double difference = static_cast<double>(found.gradient[i]) - expected.gradient[i];
      square += difference * difference;
    }
    EXPECT_LE(std::sqrt(square), relative * expected.norms[p]) << info.name;
    EXPECT_GT(expected.norms[p], 0) << info.name;
  }
}

TEST(BatchGradient, OfATaskThatGradesSomePredictionsIsThatOfTheirMean) {
  const model::Program program = spec::small_program();
  const auto source = data::make_task(
      base::KindConfig(data::mqar_kind()),
      {.vocabulary = program.architecture.vocabulary, .length = spec::length, .seed = 2});
  ASSERT_TRUE(source) << source.error().message;
  const std::vector<float> parameters = model::initialize(program, 5);
  model::Executor<float> executor(program, 1, spec::length);
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < batch; ++i) {
    const std::vector<data::Token> tokens = (*source)->sequence(first + i);
    executor.forward(parameters, tokens);
    const std::span<const float> losses = executor.losses();
    for (std::size_t t = spec::length / 4 * 2; t < losses.size(); t += 2, ++count) {
      sum += static_cast<double>(losses[t]);
    }
  }
  model::CpuEngine engine(2);
  BatchGradient gradient(program, **source, batch, shards, engine);
  const double loss = *gradient.compute(parameters, first, {});
  EXPECT_NEAR(loss, sum / static_cast<double>(count), 1e-6);
  // A step against the gradient lowers that mean by about its square.
  std::vector<float> moved = parameters;
  double square = 0;
  constexpr float step = 1e-3F;
  for (std::size_t i = 0; i < moved.size(); ++i) {
    moved[i] -= step * gradient.gradient()[i];
    square += std::pow(static_cast<double>(gradient.gradient()[i]), 2);
  }
  const double lower = *gradient.compute(moved, first, {});
  EXPECT_NEAR((loss - lower) / (static_cast<double>(step) * square), 1, 0.05);
}

}  // namespace
}  // namespace lookback::train
