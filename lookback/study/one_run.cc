#include "lookback/study/one_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/base/json_file.h"
#include "lookback/study/evaluation.h"
#include "lookback/study/findings.h"
#include "lookback/study/inspect_run.h"
#include "lookback/study/manifest.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/run_manifest.h"
#include "lookback/study/training_data.h"
#include "lookback/train/checkpoint.h"
#include "lookback/train/clamp_plans.h"
#include "lookback/train/optimizer.h"
#include "lookback/train/trainer.h"

namespace lookback::study {
namespace {

std::filesystem::path findings_path(const std::filesystem::path& run) {
  return run / "findings.json";
}

/// What timing.json says: tokens trained on and the seconds that took.
struct Timing {
  std::uint64_t tokens = 0;
  double seconds = 0;

  double rate() const { return static_cast<double>(tokens) / std::max(1e-9, seconds); }
};

/// That of a run's earlier stretches. It decides nothing, so what is damaged counts as none. Errors:
/// what may be whole and cannot be read now.
Result<Timing> read_timing(const std::filesystem::path& file) {
  const Result<std::string> text = base::read_file(file, base::largest_json);
  if (text.fails_with(ErrorKind::not_found)) return Timing{};
  if (!text) return text.error();
  const nlohmann::json json = base::parse_json(*text);
  const auto tokens = base::find_count(json, {"tokens"});
  const auto seconds = base::find_number(json, {"seconds"});
  return tokens && seconds ? Timing{*tokens, *seconds} : Timing{};
}

/// Tokens and seconds since the run was started or resumed, and with those of earlier stretches.
class Stopwatch {
 public:
  Stopwatch(std::uint64_t first_token, Timing before)
      : first_token_(first_token), before_(before) {}
  Timing stretch(std::uint64_t tokens) const {
    const std::chrono::duration<double> since = std::chrono::steady_clock::now() - start_;
    return {tokens - first_token_, since.count()};
  }
  Timing whole(std::uint64_t tokens) const {
    const Timing now = stretch(tokens);
    return {before_.tokens + now.tokens, before_.seconds + now.seconds};
  }

 private:
  std::uint64_t first_token_;
  Timing before_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

class OneRun {
 public:
  OneRun(const RunPlan& plan, const DirectoryLock& lock, std::uint64_t tokens_after,
         model::Engine& engine, Listener& listener)
      : config_(plan.config),
        from_step_(plan.from_step),
        lock_(lock),
        directory_(lock.directory()),
        tokens_after_(tokens_after),
        engine_(engine),
        listener_(listener),
        metrics_(metrics_path(), identity_of(config_)) {}

  Status execute() {
    Result<model::Program> program = model::compile(config_.architecture);
    if (!program) return program.error();
    Result<TrainingData> data = open_training_data(config_);
    if (!data) return data.error();
    if (Status ready = prepare(*data); !ready) return ready;
    Result<train::TrainState> state = starting_state(*program);
    if (!state) return state.error();
    train::ClampPlans clamps(*program, config_.clamps, model::initialize(*program, config_.seed),
                             engine_);
    Result<Evaluation> evaluation = Evaluation::make(config_, *data, *program, clamps, engine_);
    if (!evaluation) return evaluation.error();
    train::Run run{*program,         *data->source, config_.train,          config_.seed,
                   to_toml(config_), directory_,    clamps.training_plans()};
    if (data->text) run.tokenizer = fmt::format("{:016x}", data->text->tokenizer_checksum);
    const std::uint64_t first = tokens_at(state->step);
    const Result<Timing> before = first > 0 ? read_timing(timing_path()) : Timing{};
    if (!before) return before.error();
    const Stopwatch stopwatch(first, *before);
    const Result<train::Outcome> outcome =
        train::train(run, observer(*evaluation, stopwatch), engine_, *state);
    if (outcome || outcome.fails_with(ErrorKind::stopped)) {
      if (Status timed = write_timing(stopwatch, tokens_at(state->step)); !timed) return timed;
    }
    return outcome ? end(*outcome, *program) : outcome.error();
  }

 private:
  /// Writes what training leaves as it is, and removes what is only of a run that ended sooner.
  Status prepare(const TrainingData& data) {
    if (Status held = lock_.check(); !held) return held;
    Status written = base::write_file_atomically(directory_ / "config.toml", to_toml(config_));
    if (written && data.text) written = copy_tokenizer(*data.text);
    if (written && data.text) {
      written = base::write_file_atomically(directory_ / "data.json", data.text->data_json);
    }
    return written ? remove_shorter_end() : written;
  }

  /// Its inspection and evaluation, and its last checkpoint where this run makes none there, which becomes
  /// the state to resume from. Once more, it does nothing.
  Status remove_shorter_end() const {
    for (const char* made : inspection_files) {
      if (Status removed = base::remove_file(directory_ / made); !removed) return removed;
    }
    Status removed = base::remove_file(directory_ / "evaluation.json");
    const bool keeps_checkpoint =
        !from_step_ ||
        train::is_log_spaced(*from_step_, last_step(), config_.train.checkpoints_per_decade);
    if (!removed || keeps_checkpoint) return removed;
    const std::filesystem::path last = train::checkpoint_path(directory_, tokens_at(*from_step_));
    const Result<bool> there = base::is_there(last);
    if (!there) return there.error();
    return *there ? base::rename_and_sync(last, train::resume_path(directory_)) : Status();
  }

  /// Beside the run, so that one can talk to it wherever it is taken.
  Status copy_tokenizer(const Text& text) const {
    const Result<std::string> bytes =
        base::read_file(text.directory / "tokenizer.json", base::largest_json);
    if (!bytes) return bytes.error();
    return base::write_file_atomically(directory_ / "tokenizer.json", *bytes);
  }

  /// The state of the checkpoint that was planned, or a fresh one; the metrics are cut to match.
  Result<train::TrainState> starting_state(const model::Program& program) {
    const Result<train::ResumePoint> point = train::find_resume_point(directory_, from_step_);
    if (!point) return point.error();
    const auto buffers = train::buffers_of(config_.train.optimizer);
    train::TrainState state = train::initial_state(program, buffers, config_.seed);
    if (point->checkpoint) {
      Result<train::TrainState> read = point->checkpoint->state(program, buffers);
      if (!read) return read.error();
      state = std::move(*read);
      listener_.message(
          fmt::format("{} seed {}: resuming from step {}", config_.arm, config_.seed, state.step));
      tell_engine(point->checkpoint->header().engine);
    }
    // Reading a large checkpoint takes a while.
    if (Status held = lock_.check(); !held) return held.error();
    if (Status cut = cut_metrics(state.step); !cut) return cut.error();
    if (Status noted = note_stretch(directory_, config_, state.step, engine_); !noted)
      return noted.error();
    return state;
  }

  void tell_engine(const std::string& before) {
    const std::string now = engine_.signature();
    if (before == now) return;
    listener_.message(fmt::format(
        "{} seed {}: its checkpoint was made by {}, this is {}: the result will differ in rounding "
        "from that of a run on one (LOOKBACK_ISA chooses the instruction set)",
        config_.arm, config_.seed, before, now));
  }

  /// Keeps the lines up to a step, without the last of a run that was shorter, where this one makes none.
  /// A run that starts at its first step measures that again.
  Status cut_metrics(std::uint64_t step) {
    Result<MetricsLines> metrics = read_whole_metrics(metrics_path(), identity_of(config_));
    if (!metrics) return metrics.error();
    std::erase_if(metrics->lines, [&](const nlohmann::json& line) {
      const auto at = line["step"].get<std::uint64_t>();
      return step == 0 || at > step || !is_evaluated(at);
    });
    return metrics_.begin(metrics->lines);
  }

  std::uint64_t last_step() const { return train::step_count(config_.train, config_.data.length); }

  std::uint64_t tokens_at(std::uint64_t step) const {
    return step * config_.train.batch * config_.data.length;
  }

  bool is_evaluated(std::uint64_t step) const {
    return train::is_log_spaced(step, last_step(), config_.train.evaluations_per_decade);
  }

  train::Observer observer(Evaluation& evaluation, const Stopwatch& stopwatch) {
    train::Observer observer;
    observer.evaluate = [&](const train::StepReport& report,
                            std::span<const float> parameters) -> Status {
      const Result<nlohmann::json> line = evaluation.measure(report, parameters);
      if (!line) return line.error();
      if (Status held = lock_.check(); !held) return held;
      Status appended = metrics_.append(*line);
      return appended ? write_timing(stopwatch, report.tokens) : appended;
    };
    observer.progress = [&](const train::StepReport& report) {
      const double rate = stopwatch.stretch(report.tokens).rate();
      const std::uint64_t all = config_.train.tokens;
      const double left =
          static_cast<double>((all > report.tokens ? all - report.tokens : 0) + tokens_after_);
      listener_.progress(
          {config_.arm, config_.seed, report.tokens, all, report.loss, rate, left / rate});
    };
    observer.stop = listener_.stop_token();
    observer.may_write = [&] { return lock_.check(); };
    return observer;
  }

  std::filesystem::path timing_path() const { return directory_ / "timing.json"; }
  std::filesystem::path metrics_path() const { return directory_ / "metrics.jsonl"; }

  /// At every evaluation, so that a run that is killed loses little of what it took.
  Status write_timing(const Stopwatch& stopwatch, std::uint64_t tokens) const {
    if (Status held = lock_.check(); !held) return held;
    const Timing whole = stopwatch.whole(tokens);
    const nlohmann::json timing = {{"tokens", whole.tokens},
                                   {"seconds", whole.seconds},
                                   {"tokens_per_second", whole.rate()},
                                   {"threads", engine_.workers().count()}};
    return base::write_json_text(timing_path(), timing.dump(2) + '\n');
  }

  Status end(const train::Outcome& outcome, const model::Program& program) {
    const auto lines = read_metrics(metrics_path(), identity_of(config_));
    if (!lines) return lines.error();
    const RunEnd run_end{outcome.kind == train::Outcome::Kind::diverged, outcome.message,
                         outcome.last.tokens, program.parameter_count()};
    if (run_end.diverged) {
      listener_.message(fmt::format("{} seed {}: {}", config_.arm, config_.seed, outcome.message));
    }
    const nlohmann::json findings = make_findings(config_, run_end, *lines);
    if (Status held = lock_.check(); !held) return held;
    // First, so that no ended run keeps it; killed in between, the run goes on from the checkpoint
    // before.
    if (Status removed = base::remove_file(train::resume_path(directory_)); !removed)
      return removed;
    Status written = base::write_json_text(findings_path(directory_), findings.dump(2) + '\n');
    if (written) written = note_end(directory_, config_);
    if (written && !run_end.diverged) listener_.message(line_of(findings));
    return written;
  }

  const RunConfig& config_;
  std::optional<std::uint64_t> from_step_;
  const DirectoryLock& lock_;
  std::filesystem::path directory_;
  std::uint64_t tokens_after_;
  model::Engine& engine_;
  Listener& listener_;
  MetricsWriter metrics_;
};

/// Removes what does not count any more. Killed in between, the next plan finds the rest.
Status clear(const RunPlan& plan, const DirectoryLock& lock) {
  const std::filesystem::path& run = plan.directory;
  const bool ends_again = plan.forgets_manifest || plan.reopens;
  if (!ends_again && plan.lost_results.empty()) return {};
  if (Status held = lock.check(); !held) return held;
  if (Status removed = remove_listed(run, plan.lost_results); !removed) return removed;
  // While they are listed, so that those that a kill leaves are still known to be lost.
  for (const std::string& name : plan.lost_checkpoints) {
    if (Status removed = base::remove_file(run / name); !removed) return removed;
  }
  if (!ends_again) return {};
  Status reopened =
      plan.forgets_manifest ? base::remove_file(run / manifest_name) : note_reopening(run);
  return reopened ? base::remove_file(findings_path(run)) : reopened;
}

}  // namespace

Status carry_out(const RunPlan& plan, const DirectoryLock& lock, std::uint64_t tokens_after,
                 model::Engine& engine, Listener& listener) {
  for (const std::string& note : plan.notes) {
    listener.message(fmt::format("{} seed {}: {}", plan.config.arm, plan.config.seed, note));
  }
  if (Status cleared = clear(plan, lock); !cleared) return cleared;
  if (!plan.trains) return {};
  return OneRun(plan, lock, tokens_after, engine, listener).execute();
}

}  // namespace lookback::study
