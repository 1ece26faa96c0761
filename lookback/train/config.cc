#include "lookback/train/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace lookback::train {
namespace {

const std::array<std::string, 3> decay_names = {"constant", "cosine", "linear"};

/// Sequences per step, given as such or in tokens. Gradients are summed sequence by sequence, so
/// that memory does not grow with either.
std::size_t read_batch(base::TableReader& train, std::size_t length, std::size_t fallback) {
  const std::size_t batch = train.count("batch", fallback, 1, 1 << 20);
  if (!train.has("batch_tokens")) return batch;
  const std::uint64_t tokens = train.count("batch_tokens", length, 1, std::uint64_t{1} << 40);
  if (train.has("batch")) {
    train.fail("batch_tokens", "found together with batch, allowed: only one of them");
  } else if (tokens % length != 0 || tokens / length > 1 << 20) {
    train.fail(
        "batch_tokens",
        fmt::format("found {}, allowed: a multiple of data.length = {}, of at most {} sequences",
                    tokens, length, 1 << 20));
  }
  return static_cast<std::size_t>(tokens / length);
}

/// Says where they belong, and for a directory, which version made it.
void refuse_old_places(base::TableReader& train) {
  for (const std::string& key : train.keys()) {
    if (!was_in_train(key)) continue;
    train.fail(key, "belongs in [train.optimizer]; it was here in lookback 0.2 and earlier");
  }
}

}  // namespace

TrainConfig read_train_config(base::TableReader train, std::size_t length) {
  TrainConfig c;
  c.tokens = train.count("tokens", c.tokens, 1, 1'000'000'000'000'000);
  c.batch = read_batch(train, length, c.batch);
  c.shards = train.count("shards", c.shards, 1, 1024);
  c.learning_rate = train.number("learning_rate", c.learning_rate, 0, 100);
  c.warmup_steps = train.count("warmup_steps", c.warmup_steps, 0, 1'000'000'000);
  const std::string decay = train.choice("decay", decay_names[0], decay_names);
  c.decay = static_cast<Decay>(std::ranges::find(decay_names, decay) - decay_names.begin());
  c.final_share = train.number("final_share", c.final_share, 0, 1);
  c.clip = train.number("clip", c.clip, 0, 1e9);
  c.divergence = train.number("divergence", c.divergence, 1, 1e9);
  c.evaluations_per_decade =
      train.count("evaluations_per_decade", c.evaluations_per_decade, 1, 1000);
  c.checkpoints_per_decade =
      train.count("checkpoints_per_decade", c.checkpoints_per_decade, 1, 1000);
  c.resume_seconds = train.number("resume_seconds", c.resume_seconds, 0, 1e9);
  c.optimizer = read_optimizer(train.table("optimizer"));
  refuse_old_places(train);
  return c;
}

Status validate(const TrainConfig& c) {
  if (c.shards > c.batch) {
    return Error{
        fmt::format("train.shards is {}, but a step has only train.batch = {} sequences; "
                    "each shard needs one",
                    c.shards, c.batch)};
  }
  return {};
}

std::string to_toml(const TrainConfig& c) {
  std::string text = "[train]\n";
  const auto line = [&](std::string_view key, const auto& value) {
    text += fmt::format("{} = {}\n", key, value);
  };
  line("tokens", c.tokens);
  line("batch", c.batch);
  line("shards", c.shards);
  line("learning_rate", c.learning_rate);
  line("warmup_steps", c.warmup_steps);
  line("decay", '"' + decay_names[static_cast<std::size_t>(c.decay)] + '"');
  line("final_share", c.final_share);
  line("clip", c.clip);
  line("divergence", c.divergence);
  line("evaluations_per_decade", c.evaluations_per_decade);
  line("checkpoints_per_decade", c.checkpoints_per_decade);
  line("resume_seconds", c.resume_seconds);
  return text + '\n' + to_toml(c.optimizer);
}

std::uint64_t step_count(const TrainConfig& config, std::size_t length) {
  const std::uint64_t tokens_a_step = std::uint64_t{config.batch} * length;
  return (config.tokens - 1) / tokens_a_step + 1;
}

double learning_rate(const TrainConfig& config, std::uint64_t step, std::uint64_t steps) {
  const auto at = static_cast<double>(step);
  const auto warmup = static_cast<double>(config.warmup_steps);
  if (step < config.warmup_steps) return config.learning_rate * (at + 1) / warmup;
  if (config.decay == Decay::constant) return config.learning_rate;
  const double rest = std::max(1.0, static_cast<double>(steps) - warmup);
  const double done = (at - warmup) / rest;
  const double share =
      config.decay == Decay::cosine ? 0.5 * (1.0 + std::cos(std::numbers::pi * done)) : 1.0 - done;
  return config.learning_rate * (config.final_share + (1.0 - config.final_share) * share);
}

bool is_log_spaced(std::uint64_t step, std::uint64_t steps, std::uint64_t per_decade) {
  if (step == 0 || step == steps) return true;
  const auto grid = static_cast<double>(per_decade);
  const double nearest = std::round(std::log10(static_cast<double>(step)) * grid);
  // Rounding to a whole step can move a power past the middle of the grid, so its neighbors are
  // checked too.
  for (const double k : {nearest - 1, nearest, nearest + 1}) {
    if (std::llround(std::pow(10.0, k / grid)) == static_cast<long long>(step)) return true;
  }
  return false;
}

}  // namespace lookback::train
