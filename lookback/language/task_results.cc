#include "lookback/language/task_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/base/json_file.h"
#include "lookback/base/printable.h"

namespace lookback::language {
namespace {

using nlohmann::json;

/// The harness names the filter of a task's answers after each metric; ours have none.
constexpr std::string_view no_filter = ",none";
constexpr std::string_view error_suffix = "_stderr";
constexpr std::string_view no_error = "N/A";

std::string value_key(std::string_view metric) { return fmt::format("{}{}", metric, no_filter); }
std::string error_key(std::string_view metric) {
  return fmt::format("{}{}{}", metric, error_suffix, no_filter);
}

/// The metric whose value has this key; nothing for any other key.
std::optional<std::string_view> metric_of(std::string_view key) {
  if (!key.ends_with(no_filter)) return std::nullopt;
  key.remove_suffix(no_filter.size());
  if (key.empty() || key.ends_with(error_suffix)) return std::nullopt;
  return key;
}

/// Whether its value may be infinite, and so null: only the exponential of a loss grows that large.
bool is_exponential(std::string_view metric) {
  return metric.find("perplexity") != std::string_view::npos;
}

Error error_in(std::string_view task, std::string_view key, std::string_view problem) {
  return Error{fmt::format("results of {}, \"{}\": {}", base::printable(task), base::printable(key),
                           problem)};
}

Result<std::optional<double>> read_error(const json& fields, std::string_view task,
                                         const std::string& key) {
  const json* value = base::find_value(fields, {key});
  if (value == nullptr || value->is_null() || *value == no_error) return std::optional<double>();
  const std::optional<double> error = base::find_number(fields, {key});
  if (!error || *error < 0) {
    return error_in(task, key, "must be a number of 0 or more, or \"N/A\"");
  }
  return error;
}

Result<std::vector<Metric>> read_metrics(const json& fields, std::string_view task) {
  std::vector<Metric> metrics;
  for (const auto& [key, value] : fields.items()) {
    const std::optional<std::string_view> name = metric_of(key);
    if (!name) continue;
    std::optional<double> number = base::find_number(fields, {key});
    if (value.is_null() && is_exponential(*name)) number = std::numeric_limits<double>::infinity();
    if (!number) return error_in(task, key, "must be a finite number");
    const Result<std::optional<double>> error = read_error(fields, task, error_key(*name));
    if (!error) return error.error();
    metrics.push_back({std::string(*name), *number, *error});
  }
  if (metrics.empty()) return error_in(task, "METRIC,none", "is missing; at least one is required");
  return metrics;
}

Result<TaskScore> read_score(const json& value, const std::string& task, const json& fields) {
  Result<std::vector<Metric>> metrics = read_metrics(fields, task);
  if (!metrics) return metrics.error();
  const std::optional<std::uint64_t> original =
      base::find_count(value, {"n-samples", task, "original"});
  const std::optional<std::uint64_t> effective =
      base::find_count(value, {"n-samples", task, "effective"});
  if (!original || !effective || *effective == 0 || *effective > *original) {
    return error_in(task, "n-samples",
                    "must have \"original\", and \"effective\" from 1 to as many");
  }
  TaskScore score{task, static_cast<std::size_t>(*original), static_cast<std::size_t>(*effective),
                  std::move(*metrics)};
  if (const json* about = base::find_value(value, {"configs", task})) {
    if (!about->is_object()) return error_in(task, "configs", "must be an object");
    score.about = *about;
  }
  return score;
}

}  // namespace

const TaskScore* find_score(const TaskResults& results, std::string_view task) {
  const auto found = std::ranges::find(results.tasks, task, &TaskScore::name);
  return found == results.tasks.end() ? nullptr : &*found;
}

const Metric* find_metric(const TaskResults& results, std::string_view task,
                          std::string_view metric) {
  const TaskScore* score = find_score(results, task);
  if (score == nullptr) return nullptr;
  const auto found = std::ranges::find(score->metrics, metric, &Metric::name);
  return found == score->metrics.end() ? nullptr : &*found;
}

json to_json(const TaskResults& results) {
  json value{
      {"results", json::object()}, {"n-samples", json::object()}, {"config", results.config}};
  for (const TaskScore& score : results.tasks) {
    json& fields = value["results"][score.name];
    fields["alias"] = score.name;
    for (const Metric& metric : score.metrics) {
      fields[value_key(metric.name)] =
          std::isfinite(metric.value) ? json(metric.value) : json(nullptr);
      fields[error_key(metric.name)] =
          metric.standard_error ? json(*metric.standard_error) : json(no_error);
    }
    if (!score.about.empty()) value["configs"][score.name] = score.about;
    value["n-samples"][score.name] = {{"original", score.original}, {"effective", score.documents}};
  }
  return value;
}

Result<TaskResults> parse_task_results(const json& value) {
  const json* by_task = base::find_value(value, {"results"});
  if (by_task == nullptr || !by_task->is_object()) {
    return Error{"found no object \"results\", which every evaluation has"};
  }
  TaskResults results;
  for (const auto& [task, fields] : by_task->items()) {
    if (!fields.is_object()) return error_in(task, task, "must be an object of metrics");
    Result<TaskScore> score = read_score(value, task, fields);
    if (!score) return score.error();
    results.tasks.push_back(std::move(*score));
  }
  if (results.tasks.empty()) return Error{"found no task in \"results\", required: at least one"};
  if (const json* config = base::find_value(value, {"config"})) {
    if (!config->is_object()) return Error{"\"config\" is not an object"};
    results.config = *config;
  }
  return results;
}

std::string text_of(const TaskResults& results) {
  return to_json(results).dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Status write_task_results(const std::filesystem::path& path, const TaskResults& results) {
  return base::write_json_text(path, text_of(results));
}

Result<TaskResults> read_task_results(const std::filesystem::path& path) {
  const Result<json> value = base::read_json_object(path);
  if (!value) return value.error();
  Result<TaskResults> results = parse_task_results(*value);
  if (!results) return results.error().at(path.string());
  return results;
}

}  // namespace lookback::language
