#include "lookback/base/memory.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "lookback/base/file.h"

namespace lookback::base {
namespace {

constexpr std::size_t largest_text = 1 << 20;
constexpr std::uint64_t kibi = 1024;

/// The number after the first `name` at the beginning of a line: "MemAvailable:   123 kB".
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    std::uint64_t number = 0;
    const auto read = std::from_chars(line.data(), line.data() + line.size(), number);
    if (read.ec == std::errc{}) return number;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> number_in(const char* file, std::string_view name) {
  const Result<std::string> text = read_file(file, largest_text);
  return text ? number_after(*text, name) : std::nullopt;
}

std::uint64_t difference(std::uint64_t whole, std::uint64_t part) {
  return whole - std::min(whole, part);
}

std::optional<std::uint64_t> of_machine() {
  const auto available = number_in("/proc/meminfo", "MemAvailable:");
  if (!available) return std::nullopt;
  return (*available + number_in("/proc/meminfo", "SwapFree:").value_or(0)) * kibi;
}

/// The limit of the control group as a container sees its own (cgroup v2). Its file cache is given
/// up when memory is needed.
std::optional<std::uint64_t> of_control_group() {
  const auto most = number_in("/sys/fs/cgroup/memory.max", "");  // "max": there is no limit
  const auto used = number_in("/sys/fs/cgroup/memory.stat", "anon ");
  if (!most || !used) return std::nullopt;
  return difference(*most, *used);
}

std::optional<std::uint64_t> of_address_space() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  const auto used = number_in("/proc/self/status", "VmSize:");
  return difference(limit.rlim_cur, used.value_or(0) * kibi);
}

}  // namespace

std::optional<std::uint64_t> available_memory() {
  std::optional<std::uint64_t> least;
  for (const auto& one : {of_machine(), of_control_group(), of_address_space()}) {
    if (one && (!least || *one < *least)) least = one;
  }
  return least;
}

std::string memory_text(std::uint64_t bytes) {
  constexpr double mebi = 1024.0 * 1024, gibi = 1024 * mebi;
  const auto size = static_cast<double>(bytes);
  if (size < 1000 * mebi) return fmt::format("{:.0f} MiB", std::max(size / mebi, 1.0));
  return fmt::format("{:.1f} GiB", size / gibi);
}

}  // namespace lookback::base
