// lookback eval: evaluates a language model, or every run of a study, on the article's tasks.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"
#include "lookback/cli/evaluation_table.h"
#include "lookback/cli/find_tokenizer.h"
#include "lookback/language/task.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/study/directory_lock.h"
#include "lookback/study/evaluate_run.h"
#include "lookback/study/output_place.h"
#include "lookback/study/run_manifest.h"
#include "lookback/study/saved_model.h"
#include "lookback/study/study_directory.h"

namespace lookback::cli {
namespace {

namespace fs = std::filesystem;

struct EvalOptions {
  std::string path, data, text, tokenizer, out;
  std::vector<std::string> tasks;
  std::string limit;
  std::optional<std::size_t> threads;
  bool json = false;
};

/// The requested tasks or, if there are none, those that the given files allow.
std::vector<std::string> tasks_of(const EvalOptions& options) {
  if (!options.tasks.empty()) return options.tasks;
  std::vector<std::string> tasks;
  for (const study::OwnTask& own : study::own_tasks) {
    if (!own.of_text || !options.text.empty()) tasks.emplace_back(own.name);
  }
  if (options.data.empty()) return tasks;
  for (const std::string_view name : language::task_names()) tasks.emplace_back(name);
  return tasks;
}

Result<study::EvaluationRequest> request_of(const EvalOptions& options) {
  study::EvaluationRequest request;
  request.tasks = tasks_of(options);
  request.task_files = options.data;
  const auto limit = read_count("--limit", options.limit);
  if (!limit) return limit.error();
  request.limit = limit->value_or(0);
  if (!options.text.empty()) {
    Result<study::Text> text = study::open_text(options.text);
    if (!text) return text.error();
    request.text = std::move(*text);
  }
  if (Status possible = study::check_request(request); !possible) return possible.error();
  return request;
}

struct Evaluated {
  language::TaskResults results;
  std::string arm;
};

/// Whether scores go into a run's evaluation.json: only without a limit, and with its own
/// tokenizer.
bool is_kept(const fs::path& path, const EvalOptions& options) {
  std::error_code unknown;  // reading the model says what is wrong
  return fs::is_directory(path, unknown) && options.limit.empty() && options.tokenizer.empty();
}

Error stopped(const fs::path& path, const EvalOptions& options) {
  return {is_kept(path, options)
              ? "stopped; the scores of the tasks that were done are in evaluation.json"
              : "stopped; nothing is kept",
          ErrorKind::stopped};
}

/// Evaluates one model, on as many samples of its own tasks as when it was trained. Scores that are
/// kept are shown beside the run's others.
Result<Evaluated> evaluate(const fs::path& path, const EvalOptions& options,
                           study::EvaluationRequest request, model::Engine& engine,
                           ConsoleProgress& console) {
  std::optional<study::DirectoryLock> lock;
  if (is_kept(path, options)) {
    Result<study::DirectoryLock> taken = study::DirectoryLock::take(path);
    if (!taken) return taken.error();
    lock.emplace(std::move(*taken));
    if (const auto there = study::evaluation_of(path); !there) return there.error();
  }
  const Result<fs::path> file = study::find_checkpoint(path);
  if (!file) return file.error();
  const Result<study::SavedModel> model = study::read_model(*file);
  if (!model) return model.error();
  const auto tokenizer = find_tokenizer(options.tokenizer, *file, *model);
  if (!tokenizer) return tokenizer.error();
  if (lock && request.text &&
      model->config.data.is_text()) {  // whose scores a resumed study takes as its own
    if (Status same = study::check_text(*request.text, model->config); !same) return same.error();
  }
  const study::EvaluateConfig& measured = model->config.evaluate;
  request.own.windows = request.limit > 0 ? request.limit : measured.windows;
  request.own.sequences = request.limit > 0 ? request.limit : measured.sequences;
  study::EvaluationObserver observer;
  observer.stop = console.stop_token();
  observer.progress = [&](const std::string& task, std::size_t done, std::size_t all) {
    console.progress(task, done, all);
  };
  if (lock) {  // each score at once: the next task may take hours
    observer.scored = [&](const auto& scores) {
      return study::add_evaluation(*lock, scores, engine);
    };
  }
  const auto scores = study::evaluate_model(*model, *tokenizer, request, engine, observer);
  if (scores.fails_with(ErrorKind::stopped)) return stopped(path, options);
  if (!scores) return scores.error();
  Result<language::TaskResults> results = lock ? study::evaluation_of(path) : *scores;
  if (!results) return results.error();
  const std::string name = model->config.arm.empty() ? path.filename().string() : model->config.arm;
  return Evaluated{std::move(*results), name};
}

/// Signals are its own until it returns.
Result<std::vector<Evaluated>> evaluate_all(const std::vector<fs::path>& places,
                                            const EvalOptions& options,
                                            const study::EvaluationRequest& request) {
  StopSignal stop;
  model::CpuEngine engine(threads_of(options.threads));
  ConsoleProgress console(stop);
  std::vector<Evaluated> all;
  for (const fs::path& place : places) {
    if (places.size() > 1) console.message(place.string());
    Result<Evaluated> one = evaluate(place, options, request, engine, console);
    if (!one) return one.error();
    all.push_back(std::move(*one));
    if (console.stop_token().stop_requested()) return stopped(place, options);
  }
  return all;
}

/// The directories of a study's runs, arm by arm; for anything else, the path itself.
Result<std::vector<fs::path>> places_of(const fs::path& path) {
  const Result<study::DirectoryKind> kind = study::kind_of(path);
  if (!kind) return kind.error();
  if (*kind != study::DirectoryKind::study) return std::vector<fs::path>{path};
  const Result<study::Study> study = study::read_study_in(path);
  if (!study) return study.error();
  std::vector<fs::path> places;
  for (const study::RunConfig& arm : study->arms) {
    for (std::uint64_t seed = 0; seed < study->seeds; ++seed) {
      const fs::path run = study::run_directory(path, arm.arm, seed);
      const Result<bool> finished = study::has_finished(run);
      if (!finished) return finished.error();
      const Result<bool> ended = study::has_ended(run);
      if (!ended) return ended.error();
      if (*finished) {
        places.push_back(run);
      } else {
        tell(fmt::format("{}: skipped because it {}\n", run.string(),
                         *ended ? "diverged" : "has not finished"));
      }
    }
  }
  if (!places.empty()) return places;
  return Error{fmt::format("{}: found no run that has finished", path.string()),
               ErrorKind::not_found};
}

void show(const EvalOptions& options, const std::vector<Evaluated>& all) {
  std::vector<EvaluatedArm> arms;
  nlohmann::json objects = nlohmann::json::array();
  for (const Evaluated& one : all) {
    if (arms.empty() || arms.back().name != one.arm) arms.push_back({one.arm, {}});
    arms.back().runs.push_back(one.results);
    objects.push_back(language::to_json(one.results));
  }
  if (options.json) {
    fmt::print("{}\n", (all.size() == 1 ? objects.front() : objects).dump(2));
    return;
  }
  fmt::print("{}", evaluation_table(arms));
  const std::string notes = evaluation_notes(arms);
  if (!notes.empty()) fmt::print("\n{}", notes);
  if (all.size() == 1) {
    const std::string heads = head_table(all.front().results);
    if (!heads.empty()) fmt::print("\n{}", heads);
  }
}

int run(const EvalOptions& options) {
  const Result<study::EvaluationRequest> request = request_of(options);
  if (!request) return fail(request.error());
  const auto places = places_of(options.path);
  if (!places) return fail(places.error());
  if (!options.out.empty() && places->size() > 1) {
    return fail({"--out: found several runs, allowed: one model"});
  }
  if (!options.out.empty()) {
    if (Status free = study::check_json_file(options.out); !free) return fail(free.error());
  }
  const Result<std::vector<Evaluated>> all = evaluate_all(*places, options, *request);
  if (!all) return fail(all.error());
  show(options, *all);
  if (options.out.empty()) return success;
  Status written = language::write_task_results(options.out, all->front().results);
  return written ? success : fail(written.error());
}

}  // namespace

void add_eval(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<EvalOptions>();
  CLI::App* command = app.add_subcommand(
      "eval", "evaluate a language model, or every run of a study, as in the article's table");
  command->add_option("path", options->path, "checkpoint, run or study")->required();
  command
      ->add_option("--tasks", options->tasks,
                   fmt::format("any of {} (default: all that --data and --text allow)",
                               fmt::join(study::evaluation_tasks(), ",")))
      ->delimiter(',');
  command->add_option(
      "--data", options->data,
      "directory of evaluation files, such as data/evals (default: none; their tasks are skipped)");
  command->add_option(
      "--text", options->text,
      "directory made by `lookback tokens prepare`, for perplexity and value-content (default: "
      "none)");
  command->add_option(
      "--tokenizer", options->tokenizer,
      "tokenizer file or directory; the scores are then only printed (default: the run's "
      "tokenizer.json)");
  command->add_option(
      "--limit", options->limit,
      "documents, windows and sequences per task; the scores are then only printed (default: all "
      "documents, and as many windows and sequences as the run was measured on)");
  command->add_option("--threads", options->threads, "worker threads (default: every processor)")
      ->check(CLI::Range(1, most_threads));
  command->add_option("--out", options->out,
                      "also write the scores of one model to this file (default: none)");
  command->add_flag("--json", options->json, "print JSON in lm-evaluation-harness's shape");
  command->footer(
      "Example: lookback eval runs/language-small --data data/evals --text data/books-512");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace lookback::cli
