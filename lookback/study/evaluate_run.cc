#include "lookback/study/evaluate_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "lookback/base/checksum.h"
#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/base/nearest.h"
#include "lookback/base/printable.h"
#include "lookback/language/read_tokenizer.h"
#include "lookback/language/task.h"
#include "lookback/language/task_model.h"
#include "lookback/language/tokenizer_json.h"
#include "lookback/lens/evaluate.h"
#include "lookback/study/manifest.h"
#include "lookback/study/opened_run.h"
#include "lookback/study/run_manifest.h"

namespace lookback::study {
namespace {

const std::string evaluation_name = "evaluation.json";

using language::TaskResults;
using language::TaskScore;

const OwnTask* find_own(std::string_view task) {
  const auto* found = std::ranges::find(own_tasks, task, &OwnTask::name);
  return found == std::end(own_tasks) ? nullptr : found;
}

Status check_task(const std::string& task) {
  const std::vector<std::string> all = evaluation_tasks();
  if (std::ranges::find(all, task) != all.end()) return {};
  const auto meant = base::nearest(task, all);
  return Error{fmt::format("found the task '{}'{}, allowed: {}", base::printable(task),
                           meant ? fmt::format("; nearest: {}", *meant) : "",
                           fmt::join(all, ", "))};
}

/// Whether everything the task needs exists. The files are read again when their turn comes, hours
/// later.
Status check_given(const std::string& task, const EvaluationRequest& request) {
  if (const OwnTask* own = find_own(task)) {
    if (!own->of_text || request.text) return {};
    return Error{
        "--text is not set; pass --text DIR, a directory made by `lookback tokens prepare`"};
  }
  if (request.task_files.empty()) {
    return Error{"--data is not set; pass --data DIR, a directory made by scripts/get-data"};
  }
  const Result<std::filesystem::file_status> found = base::status_of(request.task_files);
  if (!found) return found.error();
  if (!std::filesystem::is_directory(*found)) {
    return Error{fmt::format("found no directory {}", request.task_files.string()),
                 ErrorKind::not_found};
  }
  const auto read = language::read_task(task, request.task_files, 1);
  return read ? Status() : read.error();
}

class ModelEvaluation {
 public:
  ModelEvaluation(const SavedModel& model, const language::Tokenizer& tokenizer,
                  const EvaluationRequest& request, model::Engine& engine,
                  const EvaluationObserver& observer)
      : model_(model),
        tokenizer_(tokenizer),
        request_(request),
        engine_(engine),
        observer_(observer) {
    const std::string text = language::to_tokenizer_json(tokenizer.vocabulary());
    tokenizer_checksum_ = base::checksum_text({base::bytes_of(text)});
  }

  Result<TaskResults> evaluate() {
    TaskResults results;
    results.config = {
        {"model",
         {{"arm", model_.config.arm},
          {"seed", model_.config.seed},
          {"tokens", model_.header.tokens},
          {"parameters", model_.program.parameter_count()},
          {"context", model_.program.architecture.context}}},
        {"tokenizer", {{"tokens", tokenizer_.size()}, {"checksum", tokenizer_checksum_}}},
        {"limit", request_.limit == 0 ? nlohmann::json(nullptr) : nlohmann::json(request_.limit)}};
    for (const std::string& task : request_.tasks) {
      const Result<TaskScore> score = score_of(task, results.config);
      if (!score) return score.error().at(task);
      results.tasks.push_back(*score);
      if (!observer_.scored) continue;
      if (Status heard = observer_.scored(results); !heard) return heard.error();
    }
    return results;
  }

 private:
  lens::Model model() const { return {model_.program, model_.parameters}; }

  base::Control control_of(const std::string& task) const {
    const auto progress = [this, task](std::size_t done, std::size_t all) {
      if (observer_.progress) observer_.progress(task, done, all);
    };
    return {observer_.stop, progress};
  }

  Result<TaskScore> score_of(const std::string& task, nlohmann::json& config) {
    control_of(task).progress(0, 0);
    if (observer_.stop.stop_requested()) return base::stopped();
    return find_own(task) != nullptr ? own(task, config) : foreign(task);
  }

  /// The probes are evaluated together, when the first is requested.
  Result<TaskScore> own(const std::string& task, nlohmann::json& config) {
    if (find_own(task)->of_text) return of_text(task);
    if (!probes_.contains(task)) {
      Result<std::vector<TaskScore>> made = probe_scores(task, config);
      if (!made) return made.error();
      for (TaskScore& score : *made) probes_[score.name] = std::move(score);
    }
    return probes_.at(task);
  }

  Result<TaskScore> of_text(const std::string& task) {
    const Text& text = *request_.text;
    if (text.tokenizer_checksum != language::tokenizer_checksum(tokenizer_.vocabulary())) {
      return Error{
          fmt::format("{}: found tokens of another tokenizer, allowed: those of the model's",
                      text.directory.string())};
    }
    const std::size_t length = model_.config.data.length;
    if (task == "value-content") {
      return evaluate_value_content(model(), text, length, request_.own, engine_, control_of(task));
    }
    return evaluate_perplexity(model(), text, text_bytes(tokenizer_), length, request_.own, engine_,
                               control_of(task));
  }

  Result<std::vector<TaskScore>> probe_scores(const std::string& task, nlohmann::json& config) {
    auto scores =
        evaluate_probes(model(), plain_tokens(tokenizer_), request_.own, engine_, control_of(task));
    if (!scores) return scores;
    if (observer_.stop.stop_requested()) return base::stopped();
    const auto probe = probe_task(model_.config, model_.config.data.main_probe());
    if (!probe) return probe.error();
    const auto heads =
        lens::evaluate(model_.program, model_.parameters, **probe, request_.own.sequences, engine_);
    if (!heads) return heads.error();
    double best = 0;
    config["heads"] = nlohmann::json::array();
    for (const auto& head : heads->heads) {
      const double score = head.mean.induction_score;
      config["heads"].push_back({{"layer", head.place.layer},
                                 {"head", head.place.head},
                                 {"induction_score", score},
                                 {"previous_token_score", head.mean.previous_token_score}});
      best = std::max(best, score);
    }
    scores->front().metrics.push_back({"induction_score", best, std::nullopt});
    return scores;
  }

  Result<TaskScore> foreign(const std::string& name) {
    const auto task = language::read_task(name, request_.task_files, request_.limit);
    if (!task) return task.error();
    const auto end = tokenizer_.special();
    if (!end) return Error{"found a tokenizer without <|endoftext|>"};
    auto score = language::evaluate_task(
        *task, [&](std::string_view text) { return tokenizer_.encode(text); },
        model_.program.architecture.context, *end,
        language::task_model(model_.program, model_.parameters, engine_, control_of(name)));
    if (score) score->about = language::to_json(task->file);
    return score;
  }

  const SavedModel& model_;
  const language::Tokenizer& tokenizer_;
  const EvaluationRequest& request_;
  model::Engine& engine_;
  const EvaluationObserver& observer_;
  std::string tokenizer_checksum_;  ///< of its tokenizer.json
  std::map<std::string, TaskScore, std::less<>> probes_;
};

/// The training tokens of the checkpoint that was scored.
nlohmann::json tokens_of(const TaskResults& results) {
  const auto* tokens = base::find_value(results.config, {"model", "tokens"});
  return tokens == nullptr ? nlohmann::json() : *tokens;
}

/// The engines that made the scores which are there.
Result<std::set<std::string>> evaluated_on(const std::filesystem::path& run) {
  const Result<OpenedRun> opened = OpenedRun::open(run);
  if (!opened) return opened.error();
  const auto file = opened->manifest().files.find(evaluation_name);
  if (file == opened->manifest().files.end()) return std::set<std::string>();
  return file->second.engines;
}

/// The run's own tasks that are missing.
std::vector<std::string> missing_tasks(const TaskResults& there) {
  std::vector<std::string> missing;
  for (const OwnTask& task : own_tasks) {
    if (language::find_score(there, task.name) == nullptr) missing.emplace_back(task.name);
  }
  return missing;
}

/// Makes the scores that are missing; each is in evaluation.json once it is made.
Status evaluate_own(const RunConfig& config, const DirectoryLock& lock, const TaskResults& there,
                    model::Engine& engine, Listener& listener) {
  const std::filesystem::path& run = lock.directory();
  const Result<std::filesystem::path> file = find_checkpoint(run);
  if (!file) return file.error();
  const Result<SavedModel> model = read_model(*file);
  if (!model) return model.error();
  const auto tokenizer = language::read_tokenizer(run / "tokenizer.json");
  if (!tokenizer) return tokenizer.error();
  Result<Text> text = open_text(config.data.directory);
  if (!text) return text.error();
  if (Status same = check_text(*text, config); !same) return same;
  EvaluationRequest request;
  const bool is_of_it = tokens_of(there) == model->header.tokens;
  request.tasks = missing_tasks(is_of_it ? there : TaskResults());
  request.text = std::move(*text);
  request.own.windows = config.evaluate.windows;
  request.own.sequences = config.evaluate.sequences;
  EvaluationObserver observer;
  observer.stop = listener.stop_token();
  observer.scored = [&](const TaskResults& results) {
    return add_evaluation(lock, results, engine);
  };
  const auto scores = evaluate_model(*model, *tokenizer, request, engine, observer);
  return scores ? Status() : scores.error();
}

}  // namespace

std::vector<std::string> evaluation_tasks() {
  std::vector<std::string> all;
  for (const OwnTask& task : own_tasks) all.emplace_back(task.name);
  for (const std::string_view name : language::task_names()) all.emplace_back(name);
  return all;
}

Status check_request(const EvaluationRequest& request) {
  for (const std::string& task : request.tasks) {
    if (Status known = check_task(task); !known) return known;
    if (std::ranges::count(request.tasks, task) > 1) {
      return Error{fmt::format("found the task {} twice, allowed: each once", task)};
    }
    if (Status given = check_given(task, request); !given) {
      return given.error().at(task);
    }
  }
  return {};
}

Result<TaskResults> evaluate_model(const SavedModel& model, const language::Tokenizer& tokenizer,
                                   const EvaluationRequest& request, model::Engine& engine,
                                   const EvaluationObserver& observer) {
  if (Status possible = check_request(request); !possible) return possible.error();
  return ModelEvaluation(model, tokenizer, request, engine, observer).evaluate();
}

Result<TaskResults> evaluation_of(const std::filesystem::path& run) {
  const Result<OpenedRun> opened = OpenedRun::open(run);
  if (!opened) return opened.error();
  const Result<nlohmann::json> value = opened->read(evaluation_name);
  if (!value) return value.error();
  if (value->is_null()) return TaskResults();
  Result<TaskResults> results = language::parse_task_results(*value);
  if (results) return results;
  return results.error().at((run / evaluation_name).string());
}

Status add_evaluation(const DirectoryLock& run, const TaskResults& results,
                      const model::Engine& engine) {
  if (Status held = run.check(); !held) return held;
  TaskResults all = results;
  const Result<TaskResults> there = evaluation_of(run.directory());
  if (!there) return there.error();
  std::set<std::string> engines = {engine.signature()};
  if (tokens_of(*there) == tokens_of(results)) {
    for (const TaskScore& score : there->tasks) {
      if (language::find_score(all, score.name) == nullptr) all.tasks.push_back(score);
    }
    const Result<std::set<std::string>> before = evaluated_on(run.directory());
    if (!before) return before.error();
    engines.insert(before->begin(), before->end());
    if (!all.config.contains("heads") && there->config.contains("heads")) {
      all.config["heads"] = there->config["heads"];
    }
  }
  return write_listed(run.directory(), evaluation_name, language::text_of(all), engines);
}

Result<bool> lacks_evaluation(const RunConfig& config, const std::filesystem::path& run) {
  if (!config.data.is_text()) return false;
  Result<bool> finished = has_finished(run);
  if (!finished || !*finished) return finished;
  const Result<TaskResults> there = evaluation_of(run);
  if (!there) return there.error();
  return !missing_tasks(*there).empty();
}

Status evaluate_run(const RunConfig& config, const DirectoryLock& lock, model::Engine& engine,
                    Listener& listener) {
  const std::filesystem::path& run = lock.directory();
  const Result<bool> lacks = lacks_evaluation(config, run);
  if (!lacks) return lacks.error();
  if (!*lacks) return {};
  const Result<TaskResults> there = evaluation_of(run);
  if (!there) return there.error();
  const std::string name = fmt::format("{} seed {}", config.arm, config.seed);
  const Status made = evaluate_own(config, lock, *there, engine, listener);
  const Result<TaskResults> results = made ? evaluation_of(run) : made.error();
  if (!results) {
    return results.error().at(fmt::format("{}: not fully evaluated", name));
  }
  const language::Metric* perplexity =
      language::find_metric(*results, "perplexity", "token_perplexity");
  const language::Metric* copy = language::find_metric(*results, "copy", "acc");
  if (perplexity != nullptr && copy != nullptr) {
    listener.message(fmt::format("{}: perplexity {:.4g}, copies {:.3f} of random tokens", name,
                                 perplexity->value, copy->value));
  }
  return {};
}

}  // namespace lookback::study
