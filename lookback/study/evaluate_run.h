// Evaluates language models: a run that has ended on tasks that need only what it was trained with,
// and any model on public tasks too.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
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

/// Who hears how an evaluation goes on, and may request a stop; each may be missing. Called from the
/// thread that evaluates.
struct EvaluationObserver {
  /// Of a task, how many of all its requests (documents' choices, windows, sequences of one probe) were
  /// run, first 0 of 0.
  std::function<void(const std::string& task, std::size_t done, std::size_t all)> progress = {};
  /// The scores so far, each time a task is done; an error ends the evaluation.
  std::function<Status(const language::TaskResults&)> scored = {};
  std::stop_token stop = {};
};

/// All existing tasks.
std::vector<std::string> evaluation_tasks();

/// Whether the request is valid: known tasks, each once, and the text and files that they need,
/// which are read. Whether a model can handle them is a separate question.
Status check_request(const EvaluationRequest& request);

/// The scores, in the order of the tasks; "config" says which model, and has the induction score of
/// every head where "induction" was asked for. Errors: an unknown task, text that is not there or
/// does not fit, those of the tasks' files and of the observer, and a stop.
Result<language::TaskResults> evaluate_model(const SavedModel& model,
                                             const language::Tokenizer& tokenizer,
                                             const EvaluationRequest& request,
                                             model::Engine& engine,
                                             const EvaluationObserver& observer = {});

/// The contents of a run's evaluation.json; no tasks if there is none. Errors: a damaged file.
Result<language::TaskResults> evaluation_of(const std::filesystem::path& run);

/// Adds scores to evaluation.json of a locked run, beside those that it has of other tasks and of the
/// same checkpoint.
Status add_evaluation(const DirectoryLock& run, const language::TaskResults& results,
                      const model::Engine& engine);

/// Whether the run in a directory learned from text, finished, and lacks a score of its own tasks. Errors:
/// files of the run were changed or cannot be read.
Result<bool> lacks_evaluation(const RunConfig& config, const std::filesystem::path& run);

/// At the end of a run that learned from text: its own tasks, where evaluation.json lacks one. A run
/// that diverged is left alone. When the listener requests a stop, the tasks that are done are kept, and
/// the others come with the next call. Errors: whatever kept a task from being scored and kept, a stop
/// too; the run stands without it.
Status evaluate_run(const RunConfig& config, const DirectoryLock& lock, model::Engine& engine,
                    Listener& listener);

}  // namespace lookback::study
