// Detects whether a file has changed since it was read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <system_error>

namespace lookback::report {

/// Size and time of the last change; all zero for a missing file. A file without accessible status
/// counts as existing, without size and time; reading it reports why.
struct FileStamp {
  std::uintmax_t size = 0;
  std::filesystem::file_time_type time{};
  bool there = false;

  bool operator==(const FileStamp&) const = default;
};

/// To be taken before the file is read, so that anything written in between counts as a change.
inline FileStamp stamp_of(const std::filesystem::path& path) {
  std::error_code size_error;
  std::error_code time_error;
  const std::uintmax_t size = std::filesystem::file_size(path, size_error);
  const auto time = std::filesystem::last_write_time(path, time_error);
  const auto is_absence = [](const std::error_code& error) {
    return error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
  };
  if (is_absence(size_error) || is_absence(time_error)) return {};
  if (size_error || time_error) return {0, {}, true};
  return {size, time, true};
}

}  // namespace lookback::report
