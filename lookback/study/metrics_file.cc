#include "lookback/study/metrics_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include "lookback/base/file.h"

namespace lookback::study {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 30;

Error system_error(const std::filesystem::path& file, const char* what) {
  return {fmt::format("{}: {}: {}", file.string(), what, std::strerror(errno))};
}

Status write_all(int descriptor, std::string_view bytes, const std::filesystem::path& file) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error(file, "cannot write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fdatasync(descriptor) != 0) return system_error(file, "cannot sync");
  return {};
}

/// What findings are made from; the rest is for other readers.
bool is_metrics(const nlohmann::json& line) {
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

}  // namespace

Result<std::vector<nlohmann::json>> read_metrics(const std::filesystem::path& file,
                                                 std::uint64_t last_step) {
  std::vector<nlohmann::json> lines;
  std::error_code missing;
  if (!std::filesystem::exists(file, missing)) return lines;
  const Result<std::string> text = base::read_file(file, largest_file);
  if (!text) return text.error();
  std::string_view rest = *text;
  for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    nlohmann::json line = nlohmann::json::parse(rest.substr(0, end), nullptr, false);
    if (!is_metrics(line)) {
      return Error{fmt::format("{}:{}: not a line of metrics", file.string(), lines.size() + 1)};
    }
    if (line["step"].get<std::uint64_t>() > last_step) break;
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
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) return system_error(file, "cannot open");
  Status written = write_all(descriptor, line.dump() + '\n', file);
  if (::close(descriptor) != 0 && written) return system_error(file, "cannot close");
  return written;
}

}  // namespace lookback::study
