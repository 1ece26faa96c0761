// Whether a file is still the one that was read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <system_error>

namespace lookback::report {

/// Size and time of the last change; all zero for a file that is not there.
struct FileStamp {
  std::uintmax_t size = 0;
  std::filesystem::file_time_type time{};
  bool there = false;

  bool operator==(const FileStamp&) const = default;
};

/// Taken before the file is read: what is written in between then counts as a change.
inline FileStamp stamp_of(const std::filesystem::path& path) {
  std::error_code size_error;
  std::error_code time_error;
  const std::uintmax_t size = std::filesystem::file_size(path, size_error);
  const auto time = std::filesystem::last_write_time(path, time_error);
  if (size_error || time_error) return {};
  return {size, time, true};
}

}  // namespace lookback::report
