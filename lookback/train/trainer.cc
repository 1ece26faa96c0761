#include "lookback/train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "lookback/base/control.h"
#include "lookback/base/file.h"
#include "lookback/train/checkpoint.h"
#include "lookback/train/optimizer.h"
#include "lookback/train/slices.h"

namespace lookback::train {
namespace {

using Clock = std::chrono::steady_clock;

/// Checked by the largest exponent, which is found many values at a time.
bool all_finite(std::span<const float> values) {
  constexpr std::uint32_t infinity = 0x7F80'0000, magnitude = 0x7FFF'FFFF;
  std::uint32_t largest = 0;
  for (const float value : values) {
    largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & magnitude);
  }
  return largest < infinity;
}

class Trainer {
 public:
  Trainer(const Run& run, const Observer& observer, model::Engine& engine, TrainState& state)
      : run_(run),
        observer_(observer),
        engine_(engine.signature()),
        workers_(engine.workers()),
        state_(state),
        slices_(cut_into_slices(run.program)),
        optimizer_(make_optimizer(run.program, run.config.optimizer)),
        gradient_(run.program, run.source, run.config.batch, run.config.shards, engine, run.memory),
        steps_(step_count(run.config, run.source.length())) {}

  Result<Outcome> train() {
    if (Status made = base::make_directories(run_.directory / "checkpoints"); !made) {
      return made.error();
    }
    report_ = report_of(std::numeric_limits<double>::quiet_NaN(),
                        std::numeric_limits<double>::quiet_NaN());
    if (state_.step == 0) {
      if (Status marked = mark(); !marked) return marked.error();
    }
    const std::uint64_t begun = state_.step;
    while (state_.step < steps_) {
      const Result<Step> taken = step();
      if (taken.fails_with(ErrorKind::stopped)) return stop(begun);
      if (!taken) return taken.error();
      if (*taken == Step::diverged) return diverged();
      if (observer_.progress) observer_.progress(report_);
      if (Status marked = mark(); !marked) return marked.error();
      if (state_.step < steps_ && observer_.stop.stop_requested()) return stop(begun);
    }
    return Outcome{Outcome::Kind::finished, "", report_};
  }

 private:
  StepReport report_of(double loss, double norm) const {
    return {state_.step, state_.step * run_.config.batch * run_.source.length(), loss, norm,
            learning_rate(run_.config, state_.step == 0 ? 0 : state_.step - 1, steps_)};
  }

  enum class Step { taken, diverged };

  /// One update. If it is stopped midway, the state is unchanged and the step is repeated later.
  /// The run diverges by its loss or gradient, which leave the state unchanged too, or by the
  /// parameters that the update gives.
  Result<Step> step() {
    const Result<double> mean = gradient_.compute(
        state_.parameters, state_.step * run_.config.batch, run_.plans, observer_.stop);
    if (!mean) return mean.error();
    const double loss = *mean;
    attempted_ = state_.step + 1;
    if (state_.step == 0) state_.first_loss = loss;
    report_ = report_of(loss, std::numeric_limits<double>::quiet_NaN());
    if (!std::isfinite(loss) || loss > run_.config.divergence * state_.first_loss) {
      fault_ = fmt::format("loss {:.6g}, after {:.6g} at the first step", loss, state_.first_loss);
      return Step::diverged;
    }
    const double norm = gradient_norm(slices_, gradient_.gradient(), workers_);
    report_ = report_of(loss, norm);
    if (!std::isfinite(norm)) {
      fault_ = fmt::format("loss {:.6g}, but the gradient has norm {}", loss, norm);
      return Step::diverged;
    }
    optimizer_->update({gradient_.gradient(), clipping_scale(norm, run_.config.clip),
                        learning_rate(run_.config, state_.step, steps_)},
                       workers_, state_);
    ++state_.step;
    report_ = report_of(loss, norm);
    if (all_finite(state_.parameters)) return Step::taken;
    fault_ = fmt::format("loss {:.6g}, but the update gave non-finite parameters", loss);
    return Step::diverged;
  }

  /// The evaluation and checkpoints due after this many steps.
  Status mark() {
    const TrainConfig& config = run_.config;
    if (observer_.evaluate && is_log_spaced(state_.step, steps_, config.evaluations_per_decade)) {
      if (Status done = observer_.evaluate(report_, state_.parameters); !done) return done;
    }
    if (is_log_spaced(state_.step, steps_, config.checkpoints_per_decade)) {
      return write(checkpoint_path(run_.directory, report_.tokens));
    }
    const std::chrono::duration<double> since = Clock::now() - written_;
    if (since.count() < config.resume_seconds) return {};
    return write(resume_path(run_.directory));
  }

  Status write(const std::filesystem::path& path) {
    if (observer_.may_write) {
      if (Status may = observer_.may_write(); !may) return may;
    }
    written_ = Clock::now();
    return write_checkpoint(path, run_.program, state_,
                            {run_.config_text, run_.seed, state_.step, report_.tokens,
                             state_.step * run_.config.batch, engine_, run_.tokenizer});
  }

  /// Without a step since `begun` there is nothing new to go on from.
  Error stop(std::uint64_t begun) {
    if (state_.step > begun || begun == 0) {
      if (Status done = write(resume_path(run_.directory)); !done) return done.error();
    }
    return base::stopped();
  }

  /// The last checkpoint whose parameters were seen to give a sound loss: before those that failed.
  /// Of the log-spaced ones, so that a run that was killed and resumed names the same.
  std::string last_good() const {
    std::uint64_t step = state_.step == 0 ? 0 : state_.step - 1;
    while (!is_log_spaced(step, steps_, run_.config.checkpoints_per_decade)) --step;
    const std::uint64_t tokens = step * run_.config.batch * run_.source.length();
    return checkpoint_path("", tokens).string();
  }

  Outcome diverged() const {
    return {Outcome::Kind::diverged,
            fmt::format("diverged at step {} ({} tokens): {}; last good checkpoint: {}", attempted_,
                        report_.tokens, fault_, last_good()),
            report_};
  }

  const Run& run_;
  const Observer& observer_;
  std::string engine_;
  base::Workers& workers_;
  TrainState& state_;
  std::vector<Slice> slices_;
  std::unique_ptr<Optimizer> optimizer_;
  BatchGradient gradient_;
  std::uint64_t steps_;
  StepReport report_;
  Clock::time_point written_ = Clock::now();
  std::uint64_t attempted_ = 0;  ///< the step that is being made, from 1
  std::string fault_;            ///< of a step that diverged
};

}  // namespace

std::uint64_t training_memory(const model::Program& program, const TrainConfig& config,
                              std::size_t length, std::size_t workers) {
  return program.buffer_size * sizeof(float) +
         optimizer_memory(program, config.optimizer, workers) +
         gradient_memory(program, length, config.shards, workers);
}

Result<Outcome> train(const Run& run, const Observer& observer, model::Engine& engine,
                      TrainState& state) {
  return Trainer(run, observer, engine, state).train();
}

}  // namespace lookback::train
