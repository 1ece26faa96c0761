// The files of one directory for download, and no others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "lookback/serve/descriptor.h"

namespace lookback::serve {

/// A regular file that is open for reading.
struct PlainFile {
  Descriptor file;
  std::uint64_t size = 0;       ///< when it was opened; it may grow
  std::string_view media_type;  ///< by its name
};

/// Opens the file `path` ("two-layer/seed-0/metrics.jsonl", from anybody) below `root`. Nothing
/// unless it is a regular file inside: no "..", no absolute or empty name, no name that begins
/// with a dot (locks, partial files), no directory or device, no link that leads out or to one of
/// these. What is put in the way between looking and opening is not followed either.
std::optional<PlainFile> open_plain_file(const std::filesystem::path& root, std::string_view path);

/// Reads up to `size` bytes at `offset`, 0 at the end, negative when it cannot be read.
std::ptrdiff_t read_at(const PlainFile& file, std::uint64_t offset, char* bytes, std::size_t size);

}  // namespace lookback::serve
