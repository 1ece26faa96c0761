// A model of a few thousand parameters, its sequences, and a short run.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lookback/base/workers.h"
#include "lookback/data/repeated_blocks.h"
#include "lookback/model/program.h"
#include "lookback/train/optimizer.h"
#include "lookback/train/trainer.h"

namespace lookback::train::spec {

inline constexpr std::size_t length = 32;

inline model::Architecture small_architecture() {
  model::Architecture a;
  a.vocabulary = 16;
  a.context = length;
  a.d_model = 16;
  a.d_head = 8;
  a.layers = 2;
  return a;
}

inline model::Program compiled(const model::Architecture& architecture) {
  Result<model::Program> program = model::compile(architecture);
  if (!program) {
    ADD_FAILURE() << program.error().message;
    return {};
  }
  return std::move(*program);
}

inline model::Program small_program() { return compiled(small_architecture()); }

inline std::unique_ptr<data::BlockSource> small_source() {
  data::BlockTask task;
  task.vocabulary = 16;
  task.length = length;
  task.min_period = 3;
  task.max_period = 8;
  return std::move(*data::make_block_source(task));
}

/// Twelve steps of eight sequences.
inline TrainConfig small_config() {
  TrainConfig config;
  config.batch = 8;
  config.shards = 4;
  config.tokens = 12 * config.batch * length;
  config.learning_rate = 3e-3;
  config.warmup_steps = 4;
  config.decay = Decay::cosine;
  config.evaluations_per_decade = 4;
  config.checkpoints_per_decade = 3;
  config.resume_seconds = 1e9;
  return config;
}

/// Equality of bits: 0 differs from -0, and NaN equals itself.
inline bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

inline void expect_same_bits(const TrainState& a, const TrainState& b) {
  EXPECT_EQ(a.step, b.step);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(a.first_loss), std::bit_cast<std::uint64_t>(b.first_loss));
  EXPECT_TRUE(same_bits(a.parameters, b.parameters)) << "parameters";
  ASSERT_EQ(a.buffers.size(), b.buffers.size());
  for (const auto& [name, buffer] : a.buffers) {
    ASSERT_TRUE(b.buffers.contains(name)) << name;
    EXPECT_TRUE(same_bits(buffer, b.buffers.at(name))) << name;
  }
}

/// The state before the first step of an optimizer.
inline TrainState fresh_state(const model::Program& program, std::uint64_t seed,
                              const OptimizerConfig& optimizer = {}) {
  return initial_state(program, buffers_of(optimizer), seed);
}

/// One parameter tensor of a flat buffer.
inline std::span<const float> tensor(const model::Program& program, std::span<const float> buffer,
                                     std::string_view name) {
  const model::ParameterInfo* info = program.find_parameter(name);
  if (info == nullptr) {
    ADD_FAILURE() << "no parameter " << name;
    return {};
  }
  return buffer.subspan(info->offset, info->size());
}

}  // namespace lookback::train::spec
