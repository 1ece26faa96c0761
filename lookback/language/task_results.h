// The scores of a model as a file in the format of lm-evaluation-harness's results.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/language/task_score.h"

namespace lookback::language {

struct TaskResults {
  std::vector<TaskScore> tasks;                      ///< no two of one name
  nlohmann::json config = nlohmann::json::object();  ///< an object: what was evaluated, and how
};

/// The score of a task, and one metric of it; null where it was not evaluated.
const TaskScore* find_score(const TaskResults& results, std::string_view task);
const Metric* find_metric(const TaskResults& results, std::string_view task,
                          std::string_view metric);

/// {"results": {TASK: {"alias": TASK, "METRIC,none": value, "METRIC_stderr,none": error or "N/A"}},
///  "n-samples": {TASK: {"original": documents there are, "effective": evaluated}},
///  "configs": {TASK: what it was asked of}, where something is known,
///  "config": config}
/// An infinite perplexity is null, because JSON has no infinity.
nlohmann::json to_json(const TaskResults& results);

/// The inverse; tasks and metrics come in the order of their names. Unknown fields and filters are
/// ignored. Errors name the task and the field: it is missing, not a finite number (or null, if it
/// is not a perplexity), a negative error, or inconsistent counts.
Result<TaskResults> parse_task_results(const nlohmann::json& value);

/// The contents of a file: to_json, indented. Text that is not UTF-8 becomes the replacement
/// character.
std::string text_of(const TaskResults& results);

/// Writes and reads the file. Errors, which name the file: it cannot be written or read, has over
/// base::largest_json bytes, is not JSON, or is not such an object.
Status write_task_results(const std::filesystem::path& path, const TaskResults& results);
Result<TaskResults> read_task_results(const std::filesystem::path& path);

}  // namespace lookback::language
