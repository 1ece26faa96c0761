// Whole files, read with a limit and written so that a crash leaves the old file or the new one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "lookback/base/result.h"

namespace lookback::base {

using Bytes = std::span<const std::byte>;

/// The bytes of a text, in place.
inline Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// The whole file. Errors: it cannot be opened or read, is a directory, or has over `max_bytes`.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes);

/// Replaces `path` by the concatenation of `parts`. The bytes go to ".<name>.partial-<pid>" in the
/// same directory, are synced, and take the name in one step; then the directory is synced. On
/// failure (a full disk included) the error names path and cause, the partial file is removed and
/// what was at `path` stays. Two threads of one process must not write the same path at once.
Status write_file_atomically(const std::filesystem::path& path, std::span<const Bytes> parts);
Status write_file_atomically(const std::filesystem::path& path, Bytes bytes);
Status write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// Adds to the end of a file, making it if need be, and syncs it. A crash may leave a part of the
/// text: readers must pass over a last line without its end.
Status append_and_sync(const std::filesystem::path& path, std::string_view text);

/// Makes the directory and those above it. Fine when it exists; an error when a file is in the way.
Status make_directories(const std::filesystem::path& path);

}  // namespace lookback::base
