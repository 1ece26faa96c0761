// A tiny run with each optimizer: it learns, and a run that was stopped comes to the same bits.
#include <gtest/gtest.h>

#include <stop_token>

#include "lookback/model/cpu_engine.h"
#include "lookback/train/checkpoint.h"
#include "lookback/train/trainer.h"
#include "tests/base/temporary_directory.h"
#include "tests/train/small_run.h"

namespace lookback::train {
namespace {

/// A learning rate that suits each: Muon's and SGD's steps are not divided by a gradient's size.
double rate_of(const std::string& kind) {
  if (kind == "sgd") return 0.1;
  return kind == "muon" ? 0.03 : 3e-3;
}

class RunWith : public testing::TestWithParam<std::string> {
 protected:
  RunWith() {
    config_.optimizer = OptimizerConfig(GetParam());
    config_.learning_rate = rate_of(GetParam());
    config_.tokens = 40 * config_.batch * spec::length;
  }

  /// The loss of the last step, and in `state` what came of it. Stops after `steps` steps.
  double train_for(std::uint64_t steps, std::size_t threads, TrainState& state) {
    model::CpuEngine engine(threads);
    const train::Run run{program_,          *source_, config_, 4, "the configuration",
                         directory_.path(), {}};
    double loss = 0;
    std::stop_source stop;
    const auto progress = [&](const StepReport& report) {
      loss = report.loss;
      if (report.step >= steps) stop.request_stop();
    };
    const Result<Outcome> outcome = train(run, {{}, progress, stop.get_token()}, engine, state);
    EXPECT_TRUE(outcome || outcome.fails_with(ErrorKind::stopped)) << outcome.error().message;
    return loss;
  }

  test::TemporaryDirectory directory_;
  model::Program program_ = spec::small_program();
  std::unique_ptr<data::BlockSource> source_ = spec::small_source();
  TrainConfig config_ = spec::small_config();
};

std::vector<std::string> names_of_kinds() {
  std::vector<std::string> names;
  for (const OptimizerKind& kind : optimizer_kinds()) names.push_back(kind.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Each, RunWith, testing::ValuesIn(names_of_kinds()),
                         [](const auto& param) { return param.param; });

TEST_P(RunWith, LowersTheLoss) {
  TrainState state = spec::fresh_state(program_, 4, config_.optimizer);
  const double loss = train_for(40, 2, state);
  EXPECT_EQ(state.step, 40U);
  EXPECT_LT(loss, state.first_loss - 0.15) << "from " << state.first_loss;
}

TEST_P(RunWith, StoppedAndResumedOnOtherThreadsComesToTheSameBits) {
  TrainState whole = spec::fresh_state(program_, 4, config_.optimizer);
  train_for(40, 2, whole);
  for (const std::uint64_t stop : {1U, 7U, 39U}) {
    SCOPED_TRACE(stop);
    std::filesystem::remove_all(directory_ / "checkpoints");
    TrainState first = spec::fresh_state(program_, 4, config_.optimizer);
    train_for(stop, 3, first);
    const ResumePoint point = std::move(find_resume_point(directory_.path()).value());
    ASSERT_TRUE(point.checkpoint);
    Result<TrainState> resumed = point.checkpoint->state(program_, buffers_of(config_.optimizer));
    ASSERT_TRUE(resumed) << resumed.error().message;
    EXPECT_EQ(resumed->step, stop);
    train_for(40, 1, *resumed);
    spec::expect_same_bits(*resumed, whole);
  }
}

}  // namespace
}  // namespace lookback::train
