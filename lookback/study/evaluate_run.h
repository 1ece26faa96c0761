// Evaluates language models: a run that has ended on tasks that need only what it was trained with,
// and any model on public tasks too.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/language/task_results.h"
#include "lookback/language/tokenizer.h"
#include "lookback/model/engine.h"
#include "lookback/study/directory_lock.h"
#include "lookback/study/run_config.h"
#include "lookback/study/saved_model.h"
#include "lookback/study/study.h"
#include "lookback/study/text_evaluation.h"

namespace lookback::study {

/// What to evaluate.
struct EvaluationRequest {
  std::vector<std::string> tasks;      ///< of text_evaluation.h and of language/task.h
  std::optional<Text> text = {};       ///< for "perplexity" and "value-content"
  std::filesystem::path task_files{};  ///< directory of the tasks of language/task.h
  std::size_t limit = 0;               ///< documents of the tasks of language/task.h; 0: all
  TextEvaluationOptions own = {};      ///< how much of the others
};

/// Observers of an evaluation's progress; each may be empty. Called from the evaluating thread.
struct EvaluationObserver {
  /// How many of a task's requests (choices of documents, windows, sequences of one probe) have
  /// run, out of how many, first 0 of 0; false stops the evaluation.
  std::function<bool(const std::string& task, std::size_t done, std::size_t all)> go_on = {};
  /// The scores so far, each time a task is done; an error ends the evaluation.
  std::function<Status(const language::TaskResults&)> scored = {};
};

/// All existing tasks.
std::vector<std::string> evaluation_tasks();

/// Whether the request is valid: known tasks, each once, and the text and files that they need,
/// which are read. Whether a model can handle them is a separate question.
Status check_request(const EvaluationRequest& request);

/// The scores of a model; if it was stopped, those of the tasks before.
struct ModelScores {
  language::TaskResults results;
  Ending ending = Ending::finished;
};

/// The scores, in the order of the tasks; "config" says which model, and has the induction score of
/// every head if "induction" was requested. Errors: an unknown task, text that is missing or does
/// not fit, and those of the tasks' files and of the observer.
Result<ModelScores> evaluate_model(const SavedModel& model, const language::Tokenizer& tokenizer,
                                   const EvaluationRequest& request, model::Engine& engine,
                                   const EvaluationObserver& observer = {});

/// The contents of a run's evaluation.json; no tasks if there is none. Errors: a damaged file.
Result<language::TaskResults> evaluation_of(const std::filesystem::path& run);

/// Adds scores to evaluation.json of a locked run, keeping those of other tasks for the same
/// checkpoint.
Status add_evaluation(const DirectoryLock& run, const language::TaskResults& results);

/// At the end of a run that learned from text: evaluates its own tasks that evaluation.json lacks.
/// A run that diverged is left alone. If the listener asks for a stop, finished tasks are kept, and
/// the next call does the others. Errors: whatever prevented a task from being scored and written;
/// the run is valid without it.
Result<Ending> evaluate_run(const RunConfig& config, const DirectoryLock& lock,
                            model::Engine& engine, Listener& listener);

}  // namespace lookback::study
