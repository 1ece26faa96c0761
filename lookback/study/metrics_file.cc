#include "lookback/study/metrics_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "lookback/base/file.h"
#include "lookback/base/json_file.h"

namespace lookback::study {
namespace {

constexpr std::size_t largest_metrics = std::size_t{1} << 30;

}  // namespace

bool is_metrics_line(const nlohmann::json& line) {
  if (!line.is_object() || !line.contains("step") || !line["step"].is_number_unsigned()) {
    return false;
  }
  const nlohmann::json::json_pointer probe("/probes/repeated-blocks");
  if (!line.contains("tokens") || !line["tokens"].is_number() || !line.contains(probe)) {
    return false;
  }
  const nlohmann::json& main = line[probe];
  if (!main.contains("first_half_loss") || !main.contains("second_half_loss")) return false;
  const auto heads = main.find("heads");
  return heads != main.end() && heads->is_array() && !heads->empty() && heads->front().is_object();
}

Result<std::vector<nlohmann::json>> read_metrics(const std::filesystem::path& file,
                                                 std::uint64_t last_step) {
  std::vector<nlohmann::json> lines;
  std::error_code missing;
  if (!std::filesystem::exists(file, missing)) return lines;
  const Result<std::string> text = base::read_file(file, largest_metrics);
  if (!text) return text.error();
  std::string_view rest = *text;
  std::uint64_t step_before = 0;
  for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    nlohmann::json line = base::parse_json(rest.substr(0, end));
    if (!is_metrics_line(line)) {
      return Error{fmt::format("{}:{}: not a line of metrics", file.string(), lines.size() + 1)};
    }
    const auto step = line["step"].get<std::uint64_t>();
    if (step > last_step) break;
    if (!lines.empty() && step <= step_before) {
      return Error{fmt::format("{}:{}: found step {} after step {}, allowed: steps that rise",
                               file.string(), lines.size() + 1, step, step_before)};
    }
    step_before = step;
    lines.push_back(std::move(line));
    rest.remove_prefix(end + 1);
  }
  return lines;
}

Status write_metrics(const std::filesystem::path& file, const std::vector<nlohmann::json>& lines) {
  std::string text;
  for (const nlohmann::json& line : lines) text += line.dump() + '\n';
  return base::write_file_atomically(file, text);
}

Status append_metrics(const std::filesystem::path& file, const nlohmann::json& line) {
  return base::append_and_sync(file, line.dump() + '\n');
}

}  // namespace lookback::study
