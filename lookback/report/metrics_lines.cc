#include "lookback/report/metrics_lines.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "lookback/base/file.h"
#include "lookback/base/json_file.h"
#include "lookback/report/json_access.h"

namespace lookback::report {
namespace {

using nlohmann::json;

constexpr std::size_t max_metrics_bytes = std::size_t{1} << 30U;

/// One complete line of metrics, or an error naming the line.
Result<json> parse_metrics_line(std::string_view line, const std::string& where,
                                std::uint64_t tokens_before) {
  json record = base::parse_json(line);
  if (record.is_discarded()) return Error{where + ": not valid JSON"};
  const std::optional<std::uint64_t> tokens = find_count(record, {"tokens"});
  if (!tokens) return Error{where + ": key 'tokens': expected a non-negative integer"};
  if (*tokens < tokens_before) {
    return Error{where + ": key 'tokens': found " + std::to_string(*tokens) + " after " +
                 std::to_string(tokens_before) + ", expected ascending counts"};
  }
  return record;
}

}  // namespace

Result<std::vector<json>> read_metrics_lines(const std::filesystem::path& path,
                                             std::vector<std::string>& notes) {
  const Result<std::string> text = base::read_file(path, max_metrics_bytes);
  if (!text) return text.error();
  std::vector<json> records;
  std::string_view rest = *text;
  std::uint64_t tokens = 0;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    const std::string where = path.string() + ":" + std::to_string(number);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.empty()) continue;
    Result<json> record = parse_metrics_line(line, where, tokens);
    if (!record) {
      // Only the last line can be torn: a run appends, and a kill cuts what it was appending.
      if (!rest.empty()) return record.error();
      notes.push_back(where + ": the last line is incomplete and was left out");
      break;
    }
    tokens = find_count(*record, {"tokens"}).value_or(tokens);
    records.push_back(std::move(*record));
  }
  return records;
}

}  // namespace lookback::report
