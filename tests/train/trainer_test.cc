// A run from its first step to its last: stopped and resumed, diverged, tapped.
#include "lookback/train/trainer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <map>
#include <set>

#include "lookback/base/file.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/train/checkpoint.h"
#include "tests/base/temporary_directory.h"
#include "tests/train/small_run.h"

namespace lookback::train {
namespace {

using test::TemporaryDirectory;

using Sequences = std::span<const std::vector<data::Token>>;
const Result<std::span<const model::Plan>> no_plans = std::span<const model::Plan>();

/// A run in a directory of its own.
class TrainerTest : public testing::Test {
 protected:
  Result<Outcome> try_to_go_on(TrainState& state, const Observer& observer,
                               const TrainingPlans& plans = {}, std::size_t memory = shard_memory) {
    model::CpuEngine engine(2);
    const train::Run run{program_,          *source_, config_, seed_, "the configuration",
                         directory_.path(), plans,    memory};
    return train(run, observer, engine, state);
  }

  Outcome go_on(TrainState& state, const Observer& observer = {}, const TrainingPlans& plans = {},
                std::size_t memory = shard_memory) {
    const Result<Outcome> outcome = try_to_go_on(state, observer, plans, memory);
    if (outcome) return *outcome;
    ADD_FAILURE() << outcome.error().message;
    return {};
  }

  /// Goes on until it is stopped after `steps` steps, or has ended before.
  Result<Outcome> go_on_for(std::uint64_t steps, TrainState& state) {
    std::stop_source stop;
    const auto progress = [&](const StepReport&) {
      if (--steps == 0) stop.request_stop();
    };
    return try_to_go_on(state, {{}, progress, stop.get_token()});
  }

  TrainState fresh() const { return spec::fresh_state(program_, seed_, config_.optimizer); }

  /// What a new process would go on from.
  TrainState resumed() const {
    const ResumePoint point = std::move(find_resume_point(directory_.path()).value());
    if (!point.checkpoint) {
      ADD_FAILURE() << "nothing to resume from";
      return fresh();
    }
    const Result<TrainState> state =
        point.checkpoint->state(program_, buffers_of(config_.optimizer));
    if (state) return *state;
    ADD_FAILURE() << state.error().message;
    return fresh();
  }

  std::map<std::string, std::string> checkpoint_files() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "checkpoints")) {
      const Result<std::string> bytes = base::read_file(entry.path(), 1 << 24);
      files[entry.path().filename().string()] = bytes ? *bytes : bytes.error().message;
    }
    return files;
  }

  void start_anew() {
    std::filesystem::remove_all(directory_ / "checkpoints");
    std::filesystem::remove(resume_path(directory_.path()));
  }

  TemporaryDirectory directory_;
  model::Program program_ = spec::small_program();
  std::unique_ptr<data::BlockSource> source_ = spec::small_source();
  TrainConfig config_ = spec::small_config();
  std::uint64_t seed_ = 4;
};

TEST_F(TrainerTest, ReportsEveryStep) {
  std::vector<StepReport> reports;
  TrainState state = fresh();
  const Outcome outcome =
      go_on(state, {{}, [&](const StepReport& r) { reports.push_back(r); }, {}});
  EXPECT_EQ(outcome.kind, Outcome::Kind::finished);
  ASSERT_EQ(reports.size(), 12U);
  for (std::size_t i = 0; i < reports.size(); ++i) {
    EXPECT_EQ(reports[i].step, i + 1);
    EXPECT_EQ(reports[i].tokens, (i + 1) * 8 * 32);
    EXPECT_EQ(reports[i].learning_rate, learning_rate(config_, i, 12));
    EXPECT_GT(reports[i].gradient_norm, 0);
  }
  EXPECT_EQ(reports.front().loss, state.first_loss);
  EXPECT_EQ(outcome.last.step, 12U);
}

TEST_F(TrainerTest, EvaluatesAndKeepsCheckpointsAtLogSpacedSteps) {
  std::vector<std::uint64_t> evaluated;
  TrainState state = fresh();
  go_on(state, {[&](const StepReport& report, std::span<const float>) -> Status {
                  evaluated.push_back(report.step);
                  EXPECT_EQ(std::isnan(report.loss), report.step == 0);
                  return {};
                },
                {},
                {}});
  EXPECT_EQ(evaluated, (std::vector<std::uint64_t>{0, 1, 2, 3, 6, 10, 12}));
  std::set<std::string> names;
  for (const auto& [name, bytes] : checkpoint_files()) names.insert(name);
  const auto file = [](std::uint64_t step) { return std::to_string(step * 256) + ".safetensors"; };
  EXPECT_EQ(names, (std::set<std::string>{file(0), file(1), file(2), file(5), file(10), file(12)}));
}

TEST_F(TrainerTest, StoppedAfterAnyStepAndResumedItGivesTheSameBits) {
  TrainState whole = fresh();
  go_on(whole);
  const auto whole_files = checkpoint_files();
  for (std::uint64_t stop_after = 1; stop_after < 12; ++stop_after) {
    SCOPED_TRACE(stop_after);
    start_anew();
    TrainState first = fresh();
    EXPECT_TRUE(go_on_for(stop_after, first).fails_with(ErrorKind::stopped));
    EXPECT_EQ(first.step, stop_after);
    TrainState second = resumed();
    EXPECT_EQ(second.step, stop_after);
    EXPECT_EQ(go_on(second).kind, Outcome::Kind::finished);
    spec::expect_same_bits(second, whole);
    EXPECT_EQ(checkpoint_files(), whole_files);
  }
}

TEST_F(TrainerTest, StoppedWithinAStepItDropsItAndResumedGivesTheSameBits) {
  TrainState whole = fresh();
  go_on(whole);
  const auto whole_files = checkpoint_files();
  for (std::uint64_t steps = 0; steps < 12; ++steps) {
    SCOPED_TRACE(steps);
    start_anew();
    TrainState first = fresh();
    std::stop_source stop;
    std::uint64_t begun = 0;
    const auto plans = [&](std::uint64_t, Sequences) {  // asked for at the beginning of each step
      if (begun++ == steps) stop.request_stop();
      return no_plans;
    };
    // Two waves of two shards.
    EXPECT_TRUE(
        try_to_go_on(first, {{}, {}, stop.get_token()}, plans, 0).fails_with(ErrorKind::stopped));
    EXPECT_EQ(first.step, steps);
    TrainState second = resumed();
    EXPECT_EQ(second.step, steps);
    EXPECT_EQ(go_on(second, {}, {}, 0).kind, Outcome::Kind::finished);
    spec::expect_same_bits(second, whole);
    EXPECT_EQ(checkpoint_files(), whole_files);
  }
}

TEST_F(TrainerTest, StoppedAfterEveryStepItGivesTheSameBits) {
  TrainState whole = fresh();
  go_on(whole);
  start_anew();
  TrainState state = fresh();
  int stretches = 1;
  while (go_on_for(1, state).fails_with(ErrorKind::stopped)) {
    state = resumed();
    ++stretches;
  }
  EXPECT_EQ(stretches, 12);
  spec::expect_same_bits(state, whole);
}

TEST_F(TrainerTest, ResumingAFinishedRunChangesNothing) {
  TrainState whole = fresh();
  go_on(whole);
  TrainState again = resumed();
  EXPECT_EQ(go_on(again).kind, Outcome::Kind::finished);
  spec::expect_same_bits(again, whole);
}

TEST_F(TrainerTest, AnEvaluationThatFailsEndsTheRunWithItsError) {
  model::CpuEngine engine(1);
  const train::Run run{program_, *source_, config_, seed_, "", directory_.path(), {}};
  const Observer observer{[](const StepReport& report, std::span<const float>) -> Status {
                            if (report.step < 2) return {};
                            return Error{"the disk is full"};
                          },
                          {},
                          {}};
  TrainState state = fresh();
  const Result<Outcome> outcome = train(run, observer, engine, state);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message, "the disk is full");
}

TEST_F(TrainerTest, ADivergingRunNamesTheStepAndItsLastGoodCheckpoint) {
  config_.learning_rate = 1e6;
  config_.warmup_steps = 3;  // already a third of that is far too much
  TrainState state = fresh();
  const Outcome outcome = go_on(state);
  EXPECT_EQ(outcome.kind, Outcome::Kind::diverged);
  EXPECT_EQ(outcome.message.rfind("diverged at step 2 (256 tokens): loss ", 0), 0U)
      << outcome.message;
  const std::string last = "; last good checkpoint: checkpoints/0.safetensors";
  ASSERT_GT(outcome.message.size(), last.size());
  EXPECT_EQ(outcome.message.substr(outcome.message.size() - last.size()), last);
}

TEST_F(TrainerTest, ADivergingRunLeavesNoCheckpointThatCannotBeRead) {
  for (const double rate : {3e1, 1e6, 1e30, 1e38}) {
    config_.learning_rate = rate;
    config_.warmup_steps = 0;
    start_anew();
    TrainState state = fresh();
    EXPECT_EQ(go_on(state).kind, Outcome::Kind::diverged) << "rate " << rate;
    for (const auto& [name, bytes] : checkpoint_files()) {
      const Result<Checkpoint> read = Checkpoint::read(directory_ / ("checkpoints/" + name));
      ASSERT_TRUE(read) << read.error().message;
      EXPECT_TRUE(read->state(program_, buffers_of(config_.optimizer)))
          << name << " at rate " << rate;
    }
  }
}

TEST_F(TrainerTest, TellsTheSameOfADivergenceWhenResumed) {
  config_.learning_rate = 0.7;
  config_.warmup_steps = 0;
  config_.decay = Decay::constant;
  config_.divergence = 1.2;
  TrainState state = fresh();
  const Outcome whole = go_on(state);
  ASSERT_EQ(whole.kind, Outcome::Kind::diverged);
  ASSERT_GE(whole.last.step, 1U);
  start_anew();
  TrainState stopped = fresh();
  EXPECT_TRUE(go_on_for(1, stopped).fails_with(ErrorKind::stopped));
  TrainState second = resumed();
  EXPECT_EQ(go_on(second).message, whole.message);
}

/// Every head of layer 0 looks at the token before, whatever it learns.
class LookingBack {
 public:
  explicit LookingBack(std::size_t length) : numbers_(length * length) {
    for (std::size_t t = 0; t < length; ++t) numbers_[t * length + (t == 0 ? 0 : t - 1)] = 1;
    const math::Matrix<const float> pattern{numbers_.data(), length, length, length};
    plan_.edits = {model::set("blocks.0.attn.hook_pattern", std::nullopt, pattern)};
  }
  Result<std::span<const model::Plan>> of(std::size_t sequences) {
    plans_.assign(sequences, plan_);
    return std::span<const model::Plan>(plans_);
  }

 private:
  std::vector<float> numbers_;
  model::Plan plan_;
  std::vector<model::Plan> plans_;
};

TEST_F(TrainerTest, AFrozenPatternLeavesItsQueriesAndKeysUntrained) {
  config_.optimizer.values["weight_decay"] = 0.0;
  LookingBack back(source_->length());
  TrainState state = fresh();
  go_on(state, {}, [&](std::uint64_t, Sequences sequences) { return back.of(sequences.size()); });
  const TrainState start = fresh();
  const auto untouched = [&](std::string_view name) {
    return spec::same_bits(spec::tensor(program_, state.parameters, name),
                           spec::tensor(program_, start.parameters, name));
  };
  EXPECT_TRUE(untouched("blocks.0.attn.W_Q"));
  EXPECT_TRUE(untouched("blocks.0.attn.W_K"));
  EXPECT_FALSE(untouched("blocks.0.attn.W_V"));
  EXPECT_FALSE(untouched("blocks.1.attn.W_Q"));
}

TEST_F(TrainerTest, PlansAreAskedForOnceAStepWithItsSequences) {
  std::vector<std::uint64_t> asked;
  TrainState state = fresh();
  go_on(state, {}, [&](std::uint64_t tokens, Sequences sequences) {
    asked.push_back(tokens);
    EXPECT_EQ(sequences.size(), 8U);
    EXPECT_EQ(sequences.back(), source_->sequence(tokens / 32 + 7));
    return no_plans;
  });
  ASSERT_GE(asked.size(), 2U);
  for (std::size_t step = 0; step < asked.size(); ++step) EXPECT_EQ(asked[step], step * 8 * 32);
}

TEST_F(TrainerTest, NoPlansGiveTheSameBits) {
  TrainState without = fresh();
  go_on(without);
  start_anew();
  TrainState none = fresh();
  go_on(none, {}, [](std::uint64_t, Sequences) { return no_plans; });
  spec::expect_same_bits(none, without);
  start_anew();
  TrainState empty = fresh();
  std::vector<model::Plan> plans;
  go_on(empty, {}, [&](std::uint64_t, Sequences sequences) {
    plans.resize(sequences.size());
    return Result<std::span<const model::Plan>>(std::span<const model::Plan>(plans));
  });
  spec::expect_same_bits(empty, without);
}

TEST_F(TrainerTest, PlansCanEndInTheMiddleOfTraining) {
  config_.optimizer.values["weight_decay"] = 0.0;
  LookingBack back(source_->length());
  const auto first_half = [&](std::uint64_t tokens, Sequences sequences) {
    return tokens < 6 * 256 ? back.of(sequences.size()) : no_plans;
  };
  TrainState state = fresh();
  std::map<std::uint64_t, bool> moved;
  const TrainState start = fresh();
  go_on(state,
        {[&](const StepReport& report, std::span<const float> parameters) -> Status {
           const std::string_view name = "blocks.0.attn.W_Q";
           moved[report.step] = !spec::same_bits(spec::tensor(program_, parameters, name),
                                                 spec::tensor(program_, start.parameters, name));
           return {};
         },
         {},
         {}},
        first_half);
  EXPECT_FALSE(moved[6]);
  EXPECT_TRUE(moved[10]);
}

}  // namespace
}  // namespace lookback::train
