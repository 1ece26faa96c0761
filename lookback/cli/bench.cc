// lookback bench: how close to the machine's peak the article's setups and language models train.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>

#include "lookback/base/workers.h"
#include "lookback/cli/bench_models.h"
#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"
#include "lookback/math/peak.h"
#include "lookback/math/targets.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/model/flops.h"
#include "lookback/train/batch_gradient.h"
#include "lookback/train/optimizer.h"
#include "lookback/train/slices.h"

namespace lookback::cli {
namespace {

struct BenchOptions {
  std::string setup = "all";
  std::optional<std::string> model;
  std::optional<std::size_t> length, batch;
  std::optional<std::size_t> threads;
  double seconds = 3;
  bool json = false;
};

/// Medians over the rounds of one setup with one number of threads.
struct Measured {
  double tokens_per_second = 0;
  double gflops = 0;
  double peak_gflops = 0;
  double share = 0;
  double busy = 0;            ///< share of the threads' time that the machine gave them
  double peak_gibibytes = 0;  ///< resident memory of the process, the most so far
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The peak of all workers at once: processors that share a core or a clock share its peak too.
double measure_peak(base::Workers& workers, double seconds) {
  std::vector<double> peaks(workers.count());
  workers.run(workers.count(),
              [&](std::size_t i, std::size_t) { peaks[i] = math::measure_fma_peak(seconds); });
  double sum = 0;
  for (const double peak : peaks) sum += peak;
  return sum;
}

/// Of all threads of the process.
double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double resident_peak() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / (1 << 20);  // Linux counts KiB
}

/// Training steps as `lookback study` makes them: sequences drawn, forward, backward, AdamW.
class Bench {
 public:
  Bench(const model::Program& program, const Workload& workload, model::Engine& engine)
      : program_(program),
        source_(*workload.source),
        workers_(engine.workers()),
        slices_(train::cut_into_slices(program)),
        optimizer_(train::make_optimizer(program, config_.optimizer)),
        gradient_(program, source_, workload.batch, workload.shards, engine),
        state_(train::initial_state(program, train::buffers_of(config_.optimizer), 0)) {
    config_.batch = workload.batch;
    step();  // touches all memory
  }

  /// Tokens a second over at least `seconds`.
  double tokens_per_second(double seconds) {
    const double start = seconds_now();
    std::size_t steps = 0;
    do {
      step();
      ++steps;
    } while (seconds_now() - start < seconds);
    return static_cast<double>(steps * config_.batch * source_.length()) / (seconds_now() - start);
  }

  /// At least three rounds, for a median, however long a step takes.
  Measured measure(double seconds) {
    constexpr double round = 0.5;
    std::vector<double> tokens, peaks, shares, busy;
    const double flops = model::useful_flops(program_, source_.length()).total() /
                         static_cast<double>(source_.length());
    const double start = seconds_now();
    while (tokens.size() < 3 || seconds_now() - start < seconds) {
      peaks.push_back(measure_peak(workers_, round / 4));
      const double begin = seconds_now(), processor_begin = processor_seconds();
      tokens.push_back(tokens_per_second(round));
      busy.push_back((processor_seconds() - processor_begin) / (seconds_now() - begin) /
                     static_cast<double>(workers_.count()));
      shares.push_back(tokens.back() * flops * 1e-9 / peaks.back());
    }
    const double rate = median(tokens);
    return {rate,           rate * flops * 1e-9, median(peaks),
            median(shares), median(busy),        resident_peak()};
  }

 private:
  void step() {
    [[maybe_unused]] const auto loss =  // without plans there is nothing to refuse
        gradient_.compute(state_.parameters, state_.step * config_.batch, {});
    const double norm = train::gradient_norm(slices_, gradient_.gradient(), workers_);
    optimizer_->update(
        {gradient_.gradient(), train::clipping_scale(norm, config_.clip), config_.learning_rate},
        workers_, state_);
    ++state_.step;
  }

  train::TrainConfig config_;
  const model::Program& program_;
  const data::TokenSource& source_;
  base::Workers& workers_;
  std::vector<train::Slice> slices_;
  std::unique_ptr<train::Optimizer> optimizer_;
  train::BatchGradient gradient_;
  train::TrainState state_;
};

Result<Measured> measure(const Workload& workload, std::size_t threads, double seconds) {
  const Result<model::Program> program = model::compile(workload.architecture);
  if (!program) return program.error();
  model::CpuEngine engine(threads);
  return Bench(*program, workload, engine).measure(seconds);
}

void print_head(const Workload& w) {
  const model::Architecture& a = w.architecture;
  fmt::print(
      "training at V {}, T {}, D {}, E {}, {} sequences per step, float32, {}\n"
      "useful operations: matrix products only, the causal half of attention, logits included; "
      "backward counts twice forward\n"
      "peak: float32 FMA on all threads at once, measured alternately with training\n"
      "busy: processor time the threads got; below 100%, other programs run or threads wait\n\n"
      "{:<22} {:>7} {:>12} {:>10} {:>10} {:>8} {:>6} {:>6}\n",
      a.vocabulary, w.source->length(), a.d_model, a.d_head, w.batch,
      math::active_instruction_set(), "setup", "threads", "tokens/s", "GFLOP/s", "peak", "share",
      "busy", "GiB");
}

void print(const std::string& name, std::size_t threads, const Measured& m, bool json) {
  if (json) {
    const nlohmann::json line = {{"setup", name},
                                 {"threads", threads},
                                 {"tokens_per_second", m.tokens_per_second},
                                 {"gflops", m.gflops},
                                 {"peak_gflops", m.peak_gflops},
                                 {"share_of_peak", m.share},
                                 {"busy", m.busy},
                                 {"peak_gibibytes", m.peak_gibibytes}};
    fmt::print("{}\n", line.dump());
    return;
  }
  fmt::print("{:<22} {:>7} {:>12.0f} {:>10.1f} {:>10.1f} {:>7.1f}% {:>5.0f}% {:>6.2f}\n", name,
             threads, m.tokens_per_second, m.gflops, m.peak_gflops, 100 * m.share, 100 * m.busy,
             m.peak_gibibytes);
}

Result<std::vector<Workload>> workloads(const BenchOptions& options) {
  std::vector<Workload> all;
  if (options.model) {
    Result<Workload> one = language_workload(*options.model, options.length, options.batch);
    if (!one) return one.error();
    all.push_back(std::move(*one));
    return all;
  }
  for (const std::string_view name : setup_names()) {
    if (options.setup != "all" && options.setup != name) continue;
    Result<Workload> one = article_workload(name);
    if (!one) return one.error();
    all.push_back(std::move(*one));
  }
  return all;
}

int run(const BenchOptions& options) {
  const std::size_t most = threads_of(options.threads);
  if (most > base::usable_processors()) {
    return fail(
        {fmt::format("--threads: found {}, allowed: 1 to the {} processors there are, for "
                     "the peak is measured on as many",
                     most, base::usable_processors())});
  }
  const Result<std::vector<Workload>> all = workloads(options);
  if (!all) return fail(all.error());
  if (!options.json) print_head(all->front());
  for (const Workload& workload : *all) {
    for (std::size_t threads = options.threads ? most : 1; threads <= most; ++threads) {
      const Result<Measured> measured = measure(workload, threads, options.seconds);
      if (!measured) return fail(measured.error());
      print(workload.name, threads, *measured, options.json);
    }
  }
  return success;
}

}  // namespace

void add_bench(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<BenchOptions>();
  CLI::App* command =
      app.add_subcommand("bench", "measure training speed against this machine's peak");
  std::vector<std::string> names = {"all"};
  for (const std::string_view name : setup_names()) names.emplace_back(name);
  std::vector<std::string> models;
  for (const std::string_view name : language_model_names()) models.emplace_back(name);
  CLI::Option* setup =
      command->add_option("--setup", options->setup, "one of the article's setups (default: all)")
          ->check(CLI::IsMember(names));
  CLI::Option* model = command
                           ->add_option("--model", options->model,
                                        "a language model instead of the setups (default: none)")
                           ->check(CLI::IsMember(models))
                           ->excludes(setup);
  command->add_option("--length", options->length, "tokens per sequence (default: the context)")
      ->check(CLI::Range(2, 1 << 20))
      ->needs(model);
  command
      ->add_option("--batch", options->batch,
                   "sequences per step of the language model (default: the model's own)")
      ->check(CLI::Range(1, 1 << 20))
      ->needs(model);
  command
      ->add_option("--threads", options->threads,
                   "measure with this many threads only (default: 1 up to all)")
      ->check(CLI::Range(1, most_threads));
  command
      ->add_option("--seconds", options->seconds,
                   "seconds of training to measure for each line (default: 3)")
      ->check(CLI::Range(0.1, 3600.0));
  command->add_flag("--json", options->json, "print one JSON object per line");
  command->footer("Example: lookback bench --model gpt2-small --threads 2");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace lookback::cli
