#include "lookback/study/one_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/base/json_file.h"
#include "lookback/math/targets.h"
#include "lookback/study/evaluation.h"
#include "lookback/study/findings.h"
#include "lookback/study/longer_run.h"
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
  OneRun(const RunConfig& config, const DirectoryLock& lock, std::uint64_t tokens_after,
         model::Engine& engine, Listener& listener)
      : config_(config),
        lock_(lock),
        directory_(lock.directory()),
        tokens_after_(tokens_after),
        engine_(engine),
        listener_(listener),
        metrics_(metrics_path(), identity_of(config)) {}

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
    const std::uint64_t first = tokens_at(*state);
    const Result<Timing> before = first > 0 ? read_timing(timing_path()) : Timing{};
    if (!before) return before.error();
    const Stopwatch stopwatch(first, *before);
    const Result<train::Outcome> outcome =
        train::train(run, observer(*evaluation, stopwatch), engine_, *state);
    if (outcome || outcome.fails_with(ErrorKind::stopped)) {
      if (Status timed = write_timing(stopwatch, tokens_at(*state)); !timed) return timed;
    }
    return outcome ? end(*outcome, *program) : outcome.error();
  }

 private:
  std::uint64_t tokens_at(const train::TrainState& state) const {
    return state.step * config_.train.batch * config_.data.length;
  }

  /// Writes config.toml, or holds this configuration against the one that is there.
  Status prepare(const TrainingData& data) {
    if (Status held = lock_.check(); !held) return held;
    const Result<Standing> standing = standing_of(config_, directory_);
    if (!standing) return standing.error();
    Status written = base::write_file_atomically(directory_ / "config.toml", to_toml(config_));
    if (written && data.text) written = copy_tokenizer(*data.text);
    if (written && data.text) {
      written = base::write_file_atomically(directory_ / "data.json", data.text->data_json);
    }
    return written ? remove_shorter_end(config_, directory_) : written;
  }

  /// Beside the run, so that one can talk to it wherever it is taken.
  Status copy_tokenizer(const Text& text) const {
    const Result<std::string> bytes =
        base::read_file(text.directory / "tokenizer.json", base::largest_json);
    if (!bytes) return bytes.error();
    return base::write_file_atomically(directory_ / "tokenizer.json", *bytes);
  }

  /// The newest whole checkpoint up to which the metrics are whole, or a fresh start; the metrics are
  /// cut to match.
  Result<train::TrainState> starting_state(const model::Program& program) {
    Result<MetricsLines> metrics = read_whole_metrics(metrics_path(), identity_of(config_));
    if (!metrics) return metrics.error();
    // A run that was shorter loses its last line, where this one makes none there.
    std::erase_if(metrics->lines, [&](const nlohmann::json& line) {
      return !is_evaluated(line["step"].get<std::uint64_t>());
    });
    Result<train::ResumePoint> found =
        train::find_resume_point(directory_, last_measured_step(metrics->lines));
    if (!found) return found.error();
    train::ResumePoint& point = *found;
    if (!metrics->fault.empty()) point.warnings.push_back(metrics->fault);
    for (const std::string& warning : point.warnings) listener_.message("passed over: " + warning);
    const auto buffers = train::buffers_of(config_.train.optimizer);
    train::TrainState state = train::initial_state(program, buffers, config_.seed);
    if (point.checkpoint) {
      const train::CheckpointHeader& header = point.checkpoint->header();
      if (!leads_to(header.config, config_)) {
        return Error{fmt::format(
            "{}: its newest checkpoint, of step {}, is of another configuration{}; "
            "remove it, or use another --out",
            directory_.string(), header.step, difference_text(header.config, to_toml(config_)))};
      }
      Result<train::TrainState> read = point.checkpoint->state(program, buffers);
      if (!read) return read.error();
      state = std::move(*read);
      listener_.message(
          fmt::format("{} seed {}: going on from step {}", config_.arm, config_.seed, state.step));
      tell_instruction_set(header.instruction_set);
    }
    // Reading a large checkpoint takes a while.
    if (Status held = lock_.check(); !held) return held.error();
    if (Status cut = cut_metrics(metrics->lines, state.step); !cut) return cut.error();
    if (Status noted = note_stretch(directory_, config_, state.step); !noted) return noted.error();
    return state;
  }

  void tell_instruction_set(const std::string& before) {
    const std::string now = math::active_instruction_set();
    if (before == now) return;
    listener_.message(fmt::format(
        "{} seed {}: its checkpoint was made on {}, this is {}: the result will differ in "
        "rounding from that of a run on one (LOOKBACK_ISA chooses)",
        config_.arm, config_.seed, before, now));
  }

  /// The last step before the first evaluation that these lines lack; none where that is the first of
  /// all. A checkpoint is written after the evaluation of its step, so a run goes on from none later.
  std::optional<std::uint64_t> last_measured_step(const std::vector<nlohmann::json>& lines) const {
    auto line = lines.begin();
    for (std::uint64_t step = 0; step <= last_step(); ++step) {
      if (!is_evaluated(step)) continue;
      if (line == lines.end() || (*line)["step"] != step) {
        return step == 0 ? std::nullopt : std::optional(step - 1);
      }
      ++line;
    }
    return last_step();
  }

  /// A run that goes on from before its first step measures that again.
  Status cut_metrics(std::vector<nlohmann::json> lines, std::uint64_t step) {
    std::erase_if(lines, [&](const nlohmann::json& line) {
      return step == 0 || line["step"].get<std::uint64_t>() > step;
    });
    return metrics_.begin(lines);
  }

  std::uint64_t last_step() const { return train::step_count(config_.train, config_.data.length); }

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
  const DirectoryLock& lock_;
  std::filesystem::path directory_;
  std::uint64_t tokens_after_;
  model::Engine& engine_;
  Listener& listener_;
  MetricsWriter metrics_;
};

}  // namespace

Status reopen(const std::filesystem::path& directory) {
  const Result<bool> ended = has_ended(directory);
  if (!ended) return ended.error();
  if (!*ended) return {};
  if (Status noted = note_reopening(directory); !noted) return noted;
  return base::remove_file(findings_path(directory));
}

Status execute_run(const RunConfig& config, const DirectoryLock& lock, std::uint64_t tokens_after,
                   model::Engine& engine, Listener& listener) {
  return OneRun(config, lock, tokens_after, engine, listener).execute();
}

}  // namespace lookback::study
