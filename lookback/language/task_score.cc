#include "lookback/language/task_score.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <utility>

#include "lookback/base/utf8.h"

namespace lookback::language {
namespace {

/// A number and its standard error.
struct Estimate {
  double value = 0;
  std::optional<double> standard_error;
};

/// sum(top) / sum(bottom), one term per document. If `bottom` is all ones, this is the mean with
/// its standard error.
Estimate ratio(std::span<const double> top, std::span<const double> bottom) {
  double top_sum = 0;
  double bottom_sum = 0;
  for (const double x : top) top_sum += x;
  for (const double x : bottom) bottom_sum += x;
  Estimate estimate{top_sum / bottom_sum, std::nullopt};
  if (top.size() < 2) return estimate;
  double squares = 0;
  for (std::size_t i = 0; i < top.size(); ++i) {
    const double difference = top[i] - estimate.value * bottom[i];
    squares += difference * difference;
  }
  const auto n = static_cast<double>(top.size());
  estimate.standard_error = std::sqrt(n / (n - 1) * squares) / bottom_sum;
  return estimate;
}

Estimate mean(std::span<const double> values) {
  return ratio(values, std::vector<double>(values.size(), 1.0));
}

Estimate scaled(Estimate x, double factor) {
  x.value *= factor;
  if (x.standard_error) *x.standard_error *= factor;
  return x;
}

Metric metric(std::string name, const Estimate& estimate) {
  return {std::move(name), estimate.value, estimate.standard_error};
}

/// All windows of a task, and how many each document has.
struct TaskWindows {
  std::vector<Window> windows;
  std::vector<std::size_t> counts;
};

Result<TaskWindows> windows_of(const Task& task, const Encode& encode, std::size_t context,
                               data::Token end_of_text) {
  TaskWindows result;
  for (std::size_t i = 0; i < task.documents.size(); ++i) {
    const std::size_t before = result.windows.size();
    for (const Request& request : task.documents[i].requests) {
      if (task.kind == TaskKind::rolling) {
        std::vector<Window> rolling =
            rolling_windows(encode(request.continuation), context, end_of_text);
        std::move(rolling.begin(), rolling.end(), std::back_inserter(result.windows));
        continue;
      }
      Result<Window> window = request_window(request, encode, context, end_of_text);
      if (!window) {
        return window.error().at(fmt::format("{}, document {}", task.name, i + 1));
      }
      result.windows.push_back(std::move(*window));
    }
    result.counts.push_back(result.windows.size() - before);
  }
  return result;
}

Result<std::vector<Answer>> ask(const Task& task, std::span<const Window> windows,
                                const Model& model) {
  Result<std::vector<Answer>> answers = model(windows);
  if (!answers) return answers;
  if (answers->size() != windows.size()) {
    return Error{fmt::format("{}: the model gave {} answers to {} windows", task.name,
                             answers->size(), windows.size())};
  }
  for (const Answer& answer : *answers) {
    if (!std::isfinite(answer.log_probability)) {
      return Error{fmt::format("{}: found the log-probability {}, allowed: finite numbers",
                               task.name, answer.log_probability)};
    }
  }
  return answers;
}

/// Code points of a choice, whose continuation has a space before it.
double choice_length(const Request& request) {
  std::string_view choice = request.continuation;
  if (choice.starts_with(' ')) choice.remove_prefix(1);
  return static_cast<double>(base::count_code_points(choice).value_or(choice.size()));
}

/// Whether the gold choice is the first with the largest log-probability, each divided by its
/// choice's length if `by_length`; a choice without characters then ranks last.
bool is_right(const Document& document, std::span<const Answer> answers, bool by_length) {
  std::vector<double> scores;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const double length = by_length ? choice_length(document.requests[i]) : 1.0;
    scores.push_back(length > 0 ? answers[i].log_probability / length : -HUGE_VAL);
  }
  return std::distance(scores.begin(), std::max_element(scores.begin(), scores.end())) ==
         static_cast<std::ptrdiff_t>(document.gold);
}

using AnswersByDocument = std::vector<std::span<const Answer>>;

std::vector<Metric> choice_metrics(const Task& task, const AnswersByDocument& answers) {
  std::vector<double> right;
  std::vector<double> right_by_length;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    right.push_back(is_right(task.documents[i], answers[i], false) ? 1 : 0);
    right_by_length.push_back(is_right(task.documents[i], answers[i], true) ? 1 : 0);
  }
  return {metric("acc", mean(right)), metric("acc_norm", mean(right_by_length))};
}

/// Nats that the answers to a document cost.
double loss_of(std::span<const Answer> answers) {
  double loss = 0;
  for (const Answer& answer : answers) loss -= answer.log_probability;
  return loss;
}

std::vector<Metric> last_word_metrics(const AnswersByDocument& answers) {
  std::vector<double> losses;
  std::vector<double> right;
  for (const auto& mine : answers) {
    losses.push_back(loss_of(mine));
    const bool greedy = std::all_of(mine.begin(), mine.end(), [](auto& a) { return a.greedy; });
    right.push_back(greedy ? 1 : 0);
  }
  const Metric loss = metric("loss", mean(losses));
  return {perplexity_of("perplexity", loss), metric("acc", mean(right)), loss};
}

std::vector<Metric> rolling_metrics(const Task& task, const AnswersByDocument& answers) {
  std::vector<double> losses;
  std::vector<double> words;
  std::vector<double> bytes;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    losses.push_back(loss_of(answers[i]));
    words.push_back(static_cast<double>(task.documents[i].words));
    bytes.push_back(static_cast<double>(task.documents[i].bytes));
  }
  const Metric word_loss = metric("word_loss", ratio(losses, words));
  const Estimate per_byte = ratio(losses, bytes);
  return {perplexity_of("word_perplexity", word_loss), word_loss,
          perplexity_of("byte_perplexity", metric("byte_loss", per_byte)),
          metric("bits_per_byte", scaled(per_byte, 1 / std::numbers::ln2))};
}

std::vector<Metric> metrics_of(const Task& task, const AnswersByDocument& answers) {
  if (task.kind == TaskKind::multiple_choice) return choice_metrics(task, answers);
  if (task.kind == TaskKind::last_word) return last_word_metrics(answers);
  return rolling_metrics(task, answers);
}

}  // namespace

Metric perplexity_of(std::string name, const Metric& loss) {
  Metric perplexity{std::move(name), std::exp(loss.value), std::nullopt};
  if (!loss.standard_error) return perplexity;
  const double error = perplexity.value * *loss.standard_error;  // the derivative of exp is exp
  if (std::isfinite(error)) perplexity.standard_error = error;
  return perplexity;
}

Result<TaskScore> evaluate_task(const Task& task, const Encode& encode, std::size_t context,
                                data::Token end_of_text, const Model& model) {
  if (task.documents.empty()) return Error{fmt::format("{}: found no documents", task.name)};
  const Result<TaskWindows> windows = windows_of(task, encode, context, end_of_text);
  if (!windows) return windows.error();
  const Result<std::vector<Answer>> answers = ask(task, windows->windows, model);
  if (!answers) return answers.error();
  AnswersByDocument by_document;
  std::span<const Answer> rest = *answers;
  for (const std::size_t count : windows->counts) {
    by_document.push_back(rest.first(count));
    rest = rest.subspan(count);
  }
  return TaskScore{task.name, task.original, task.documents.size(), metrics_of(task, by_document)};
}

}  // namespace lookback::language
