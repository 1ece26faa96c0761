#include "lookback/serve/plain_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace lookback::serve {
namespace {

namespace fs = std::filesystem;

/// Texts open in the browser; everything else is for the disk.
constexpr std::pair<std::string_view, std::string_view> media_types[] = {
    {".json", "application/json"},          {".jsonl", "text/plain; charset=utf-8"},
    {".toml", "text/plain; charset=utf-8"}, {".txt", "text/plain; charset=utf-8"},
    {".md", "text/plain; charset=utf-8"},
};

std::string_view media_type_of(const fs::path& path) {
  const std::string ending = path.extension().string();
  const auto found =
      std::ranges::find(media_types, ending, [](const auto& entry) { return entry.first; });
  return found == std::end(media_types) ? "application/octet-stream" : found->second;
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && !name.starts_with('.') && name.find('\0') == std::string_view::npos;
}

bool has_plain_names(std::string_view path) {
  for (;;) {
    const std::size_t end = path.find('/');
    if (!is_plain_name(path.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    path.remove_prefix(end + 1);
  }
}

/// The path of `file` below `root`, both canonical; empty when it is not below it.
fs::path below(const fs::path& root, const fs::path& file) {
  const auto differ = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
  if (differ.first != root.end()) return {};
  fs::path rest;
  for (auto name = differ.second; name != file.end(); ++name) rest /= *name;
  return rest;
}

/// Opens a canonical path name by name, following no link.
Descriptor open_without_links(const fs::path& root, const fs::path& rest) {
  Descriptor at(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (auto name = rest.begin(); name != rest.end() && at; ++name) {
    const bool last = std::next(name) == rest.end();
    // Not blocking: to open a pipe would wait for its other end.
    const int how = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (last ? 0 : O_DIRECTORY);
    at = Descriptor(::openat(at.number(), name->c_str(), how));
  }
  return at;
}

}  // namespace

std::optional<PlainFile> open_plain_file(const fs::path& root, std::string_view path) {
  if (!has_plain_names(path)) return std::nullopt;
  std::error_code error;
  const fs::path inside = fs::canonical(root, error);
  if (error) return std::nullopt;
  const fs::path found = fs::canonical(inside / fs::path(path), error);
  if (error) return std::nullopt;
  const fs::path rest = below(inside, found);
  if (rest.empty() || !has_plain_names(rest.string())) return std::nullopt;
  PlainFile opened{open_without_links(inside, rest), 0, media_type_of(rest)};
  struct stat status {};
  if (!opened.file || ::fstat(opened.file.number(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  opened.size = static_cast<std::uint64_t>(status.st_size);
  return opened;
}

std::ptrdiff_t read_at(const PlainFile& file, std::uint64_t offset, char* bytes, std::size_t size) {
  for (;;) {
    const ssize_t count = ::pread(file.file.number(), bytes, size, static_cast<off_t>(offset));
    if (count >= 0 || errno != EINTR) return count;
  }
}

}  // namespace lookback::serve
