// How a model does on a task, as lm-evaluation-harness scores it.
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/data/token_source.h"
#include "lookback/language/request_windows.h"
#include "lookback/language/task.h"

namespace lookback::language {

/// A model's answer to a window.
struct Answer {
  double log_probability = 0;  ///< nats, the sum over the scored tokens
  bool greedy = false;         ///< whether it puts each of them first of all tokens
};

/// Answers windows, one answer each, in their order; they may be run in any other.
using Model = std::function<Result<std::vector<Answer>>(std::span<const Window> windows)>;

struct Metric {
  std::string name;
  double value = 0;  ///< infinite where a perplexity is beyond what a double holds
  /// Standard error of the value over documents; none for a single document or a non-finite value.
  std::optional<double> standard_error;

  bool operator==(const Metric&) const = default;
};

struct TaskScore {
  std::string name;
  std::size_t original = 0;   ///< documents the task has
  std::size_t documents = 0;  ///< documents evaluated
  std::vector<Metric> metrics;
  nlohmann::json about = nlohmann::json::object();  ///< what it was asked of: files, windows

  bool operator==(const TaskScore&) const = default;
};

/// exp of a mean loss in nats, with its standard error to first order. Above 709 nats it is
/// infinite and has no error; the loss beside it says how large it is.
Metric perplexity_of(std::string name, const Metric& loss);

/// Runs the model once on all windows of the task and scores its answers.
///   multiple choice  acc: the share of documents whose gold choice has the first of the greatest
///                    log-probabilities; acc_norm: of those divided by the choice's Unicode code
///                    points, without the space before it
///   last word        loss: -mean over documents of the log-probability of all of the word, in nats;
///                    perplexity exp(loss); acc: the share with every token greedy
///   rolling          word_loss: -sum of log-probabilities / sum of words, in nats; word_perplexity
///                    exp of it; byte_perplexity and bits_per_byte likewise over bytes
/// The standard error of a share or a mean is s / sqrt(n) with s of n - 1 degrees of freedom. Of a
/// ratio of sums L / W over documents it is the delta method's, sqrt(n / (n - 1) sum_i d_i^2) / W
/// with d_i = l_i - (L / W) w_i; of exp(x) that of x times exp(x). (The harness draws bootstrap
/// samples for perplexities.)
/// Errors: no documents; a request without a window (see request_window); a model's error, too few
/// or too many answers, one not finite. REQUIRES context >= 1.
Result<TaskScore> evaluate_task(const Task& task, const Encode& encode, std::size_t context,
                                data::Token end_of_text, const Model& model);

}  // namespace lookback::language
