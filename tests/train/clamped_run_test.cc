// A run whose clamps begin and end on its way.
#include <gtest/gtest.h>

#include "lookback/model/cpu_engine.h"
#include "lookback/train/clamp_plans.h"
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
      model::CpuEngine engine(threads);
      ClampPlans clamps(program_, clamps_, model::initialize(program_, 4), engine);
      const train::Run run{
          program_, *source_, config_, 4, "", directory_.path(), clamps.training_plans()};
      std::uint64_t steps = 0;
      std::stop_source stop;
      const auto progress = [&](const StepReport&) {
        if (++steps == stretch) stop.request_stop();
      };
      const Result<Outcome> outcome = train(run, {{}, progress, stop.get_token()}, engine, state);
      done = !outcome.fails_with(ErrorKind::stopped);
      if (!outcome && done) ADD_FAILURE() << outcome.error().message;
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

TEST_F(ClampedRun, WithoutClampsAsksForNoPlans) {
  model::CpuEngine engine(1);
  ClampPlans none(program_, {}, {}, engine);
  EXPECT_FALSE(none.training_plans());
  EXPECT_FALSE(none.any_in_force(0));
}

}  // namespace
}  // namespace lookback::train
