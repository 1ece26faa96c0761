#include "lookback/study/metrics_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "lookback/base/checksum.h"
#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/base/json_file.h"
#include "lookback/study/possible_values.h"

namespace lookback::study {
namespace {

using nlohmann::json;

constexpr std::string_view opening = R"({"checksum":")";
constexpr std::size_t checksum_digits = 16;

std::string link_of(const std::string& before, std::string_view rest) {
  return base::checksum_text({base::bytes_of(before), base::bytes_of(rest)});
}

/// The line as it is in the file; updates the checksum that the next one builds on.
std::string sealed(const json& line, std::string& last) {
  const std::string rest = line.dump().substr(1);
  last = link_of(last, rest);
  return fmt::format("{}{}\",{}\n", opening, last, rest);
}

/// The line without its checksum, which becomes `last`; discarded if the checksum does not follow
/// from `last`.
json opened(std::string_view text, std::string& last) {
  json none(json::value_t::discarded);
  const std::size_t rest = opening.size() + checksum_digits + 2;
  if (text.size() < rest || !text.starts_with(opening)) return none;
  const std::string checksum(text.substr(opening.size(), checksum_digits));
  if (text.substr(rest - 2, 2) != "\"," || link_of(last, text.substr(rest)) != checksum)
    return none;
  last = checksum;
  return base::parse_json("{" + std::string(text.substr(rest)));
}

}  // namespace

const json* main_probe_of(const json& line) {
  const std::string name = base::find_text(line, {"main_probe"});
  return name.empty() ? nullptr : base::find_value(line, {"probes", name});
}

const json* probe_of(const json& line, std::string_view name) {
  return name.empty() ? main_probe_of(line) : base::find_value(line, {"probes", name});
}

std::string fault_of_metrics(const json& line) {
  if (!line.is_object() || !base::find_count(line, {"step"})) return "has no step";
  if (!base::find_number(line, {"tokens"})) return "has no tokens";
  const json* main = main_probe_of(line);
  if (main == nullptr) return "has no main_probe, or not that probe";
  for (const char* loss : {"first_half_loss", "second_half_loss"}) {
    if (!main->is_object() || !main->contains(loss)) return fmt::format("has no {}", loss);
  }
  if (base::find_array(*main, {"heads"}).empty()) return "has no heads";
  for (const char* measured : {"probes", "unclamped"}) {
    const json* probes = base::find_value(line, {measured});
    if (probes == nullptr) continue;
    if (!probes->is_object()) return fmt::format("{} is not an object", measured);
    for (const auto& [name, probe] : probes->items()) {
      const bool has_heads = std::ranges::all_of(base::find_array(probe, {"heads"}),
                                                 [](const json& head) { return head.is_object(); });
      if (probe.is_object() && has_heads) continue;
      return fmt::format("{} '{}': it or one of its heads is not an object", measured, name);
    }
  }
  return fault_of_values(line);
}

Result<MetricsLines> read_whole_metrics(const std::filesystem::path& file,
                                        const std::string& identity) {
  MetricsLines found;
  const Result<std::string> text = base::read_file(file, largest_metrics);
  if (text.fails_with(ErrorKind::not_found)) return found;
  if (!text) return text.error();
  std::string last = identity;
  std::uint64_t step_before = 0;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) {
      found.torn = true;
      break;
    }
    json line = opened(rest.substr(0, end), last);
    const bool unchanged = line.is_object();
    std::string fault =
        unchanged ? fault_of_metrics(line)
                  : "was changed, belongs to another run, or follows a line that was removed";
    if (fault.empty() && !found.lines.empty() && line["step"] <= step_before) {
      fault = fmt::format("has step {} after step {}; steps must rise", line["step"].dump(),
                          step_before);
    }
    if (!fault.empty()) {
      found.fault = fmt::format("{}:{}: {}", file.string(), found.lines.size() + 1, fault);
      break;
    }
    step_before = line["step"].get<std::uint64_t>();
    found.lines.push_back(std::move(line));
    rest.remove_prefix(end + 1);
  }
  return found;
}

Result<std::vector<json>> read_metrics(const std::filesystem::path& file,
                                       const std::string& identity, std::uint64_t last_step) {
  Result<MetricsLines> found = read_whole_metrics(file, identity);
  if (!found) return found.error();
  if (!found->fault.empty()) {
    return Error{found->fault + "; --resume continues from the checkpoint before it"};
  }
  std::erase_if(found->lines, [&](const json& line) { return line["step"] > last_step; });
  return std::move(found->lines);
}

MetricsWriter::MetricsWriter(std::filesystem::path file, std::string identity,
                             std::size_t max_bytes)
    : file_(std::move(file)),
      identity_(std::move(identity)),
      max_bytes_(max_bytes),
      last_(identity_) {}

Status MetricsWriter::begin(const std::vector<json>& lines) {
  last_ = identity_;
  std::string text;
  for (const json& line : lines) text += sealed(line, last_);
  bytes_ = text.size();
  return base::write_file_atomically(file_, text);
}

Status MetricsWriter::append(const json& line) {
  std::string last = last_;
  const std::string text = sealed(line, last);
  if (bytes_ + text.size() > max_bytes_) {
    return Error{fmt::format("{}: would have {} bytes with the next line, at most {} can be read",
                             file_.string(), bytes_ + text.size(), max_bytes_),
                 ErrorKind::failed};
  }
  if (Status appended = base::append_and_sync(file_, text); !appended) return appended;
  bytes_ += text.size();
  last_ = std::move(last);
  return {};
}

}  // namespace lookback::study
