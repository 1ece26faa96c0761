// A run whose clamps begin and end on its way.
#include <gtest/gtest.h>

#include "lookback/train/clamp_taps.h"
#include "tests/base/temporary_directory.h"
#include "tests/train/clamped.h"
#include "tests/train/small_run.h"

namespace lookback::train {
namespace {

/// A run whose clamps of every kind begin and end on its way.
class ClampedRun : public testing::Test {
 protected:
  /// Trains to the end in stretches of `stretch` steps, each by a process of its own as it were.
  TrainState trained(std::size_t threads, std::uint64_t stretch = 100) {
    TrainState state = spec::fresh_state(program_, 4);
    for (bool done = false; !done;) {
      base::Workers workers(threads);
      RunClamps clamps(program_, clamps_, 4, spec::length, threads);
      const train::Run run{
          program_, *source_, config_, 4, "", directory_.path(), clamps.training_taps(*source_)};
      std::uint64_t steps = 0;
      const Result<Outcome> outcome =
          train(run, {{}, {}, [&] { return ++steps == stretch; }}, workers, state);
      if (!outcome) ADD_FAILURE() << outcome.error().message;
      done = !outcome || outcome->kind != Outcome::Kind::stopped;
    }
    return state;
  }

  test::TemporaryDirectory directory_;
  model::Program program_ = spec::small_program();
  std::unique_ptr<data::BlockSource> source_ = spec::small_source();
  TrainConfig config_ = spec::small_config();
  std::vector<Clamp> clamps_ = {
      {"look-back", ClampKind::previous_token, 0, 0, "", {}, 0, 0, 1000},
      {"match", ClampKind::matching, 1, 0, "", {}, 0, 1000, 2000},
      {"copy", ClampKind::copying, 1, 0, "", {}, 5, 300, 1500},
      {"start", ClampKind::freeze, 0, {}, "hook_embed", FreezeTo::initial, 0, 500, 1800},
      {"still", ClampKind::freeze, 0, 0, "blocks.1.attn.hook_q", FreezeTo::no_gradient, 0, 0, 700}};
};

TEST_F(ClampedRun, HasTheSameBitsOnAnyNumberOfThreadsAndHoweverOftenItIsStopped) {
  const Status valid = validate(clamps_, program_, config_.tokens);
  ASSERT_TRUE(valid) << valid.error().message;
  const TrainState one = trained(1);
  for (const std::size_t threads : {2U, 3U, 8U}) {
    SCOPED_TRACE(threads);
    spec::expect_same_bits(trained(threads), one);
  }
  for (const std::uint64_t stretch : {1U, 5U}) {
    SCOPED_TRACE(stretch);
    spec::expect_same_bits(trained(2, stretch), one);
  }
}

TEST_F(ClampedRun, IsNotTheRunWithoutClamps) {
  const TrainState clamped = trained(2);
  clamps_.clear();
  EXPECT_FALSE(spec::same_bits(trained(2).parameters, clamped.parameters));
}

TEST_F(ClampedRun, WithoutClampsAsksForNoTaps) {
  RunClamps none(program_, {}, 4, spec::length, 2);
  EXPECT_FALSE(none.training_taps(*source_));
  EXPECT_FALSE(none.any_in_force(0));
}

TEST_F(ClampedRun, AFrozenStartIsThatOfTheRunsSeed) {
  RunClamps clamps(program_, {spec::frozen("hook_embed", FreezeTo::initial)}, 4, spec::length, 1);
  const std::vector<float> starting = model::initialize(program_, 4);
  const std::vector<float> later = model::initialize(program_, 5);
  const std::vector<model::Token> tokens = source_->sequence(0);
  model::Taps<float> watched = *clamps.prepare(0, 0, tokens);
  bool same = true;
  const Status set =
      watched.on_forward("hook_embed", [&](const model::Tapped&, math::Matrix<float> value) {
        const std::span<const float> table = spec::tensor(program_, starting, "embed.W_E");
        for (std::size_t t = 0; t < value.rows; ++t) {
          same &= spec::same_bits({value.row(t), value.cols},
                                  table.subspan(tokens[t] * value.cols, value.cols));
        }
      });
  ASSERT_TRUE(set) << set.error().message;
  model::Executor<float>(program_, 1, spec::length).forward(later, tokens, &watched);
  EXPECT_TRUE(same);
}

}  // namespace
}  // namespace lookback::train
