// Whole files, read with a limit and written so that a crash leaves the old file or the new one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"

namespace lookback::base {

using Bytes = std::span<const std::byte>;

/// The bytes of a text, in place.
inline Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// "PATH: cannot WHAT: ..." for an errno; not_found or failed.
Error system_error(const char* what, const std::filesystem::path& path, int code);

/// What has this name, links followed; file_type::not_found where nothing has. Errors: the system does
/// not say (no permission, a disk that fails), which is not the same as absence.
Result<std::filesystem::file_status> status_of(const std::filesystem::path& path);

/// Whether anything has this name. Errors: as above.
Result<bool> is_there(const std::filesystem::path& path);

/// The entries of a directory, sorted; none if there is no such directory. Errors: it cannot be
/// listed to its end.
Result<std::vector<std::filesystem::path>> entries_of(const std::filesystem::path& directory);

/// The whole file. Errors: it cannot be opened or read, is a directory, or has over `max_bytes`.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes);

/// Hands a regular file of any size to `take`, at most one mebibyte at a time. Errors as above.
Status read_in_pieces(const std::filesystem::path& path, const std::function<void(Bytes)>& take);

/// Where this process writes what is to become `path`: ".<name>.partial-<pid>" beside it.
std::filesystem::path partial_path(const std::filesystem::path& path);

/// Removes the partial files and directories of `path` left by processes that have ended. What
/// cannot be removed stays, and does no harm.
void remove_stale_partials(const std::filesystem::path& path);

/// The same for every path in a directory: a file that is never written again would otherwise keep
/// its partial file forever.
void remove_stale_partials_in(const std::filesystem::path& directory);

/// Replaces `path` by the concatenation of `parts`. The bytes are written to partial_path(path),
/// synced, and renamed in one step; then the directory is synced. What killed processes left beside
/// `path` is removed first. On failure (a full disk included) the error names path and cause, the
/// partial file is removed and what was at `path` stays. Two threads of one process must not write
/// the same path at once.
Status write_file_atomically(const std::filesystem::path& path, std::span<const Bytes> parts);
Status write_file_atomically(const std::filesystem::path& path, Bytes bytes);
Status write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// Appends to a file, creating it if necessary, and syncs it. A crash may leave part of the text:
/// readers must skip an incomplete last line.
Status append_and_sync(const std::filesystem::path& path, std::string_view text);

/// Renames `from` to `to`, replacing a file of that name, and syncs the directory of `to`.
Status rename_and_sync(const std::filesystem::path& from, const std::filesystem::path& to);

/// Removes a file and syncs its directory. No error if there is none; an error for a directory.
Status remove_file(const std::filesystem::path& path);

/// Makes the directory and its parents, and syncs the parent of each one made, so that what is
/// written below survives a power cut. No error if it exists; an error if a file is in the way.
Status make_directories(const std::filesystem::path& path);

}  // namespace lookback::base
