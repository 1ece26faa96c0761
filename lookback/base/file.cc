#include "lookback/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <new>
#include <system_error>
#include <utility>
#include <vector>

namespace lookback::base {
namespace {

namespace fs = std::filesystem;

/// A file descriptor that is closed on the way out.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;

  bool is_open() const { return fd_ >= 0; }
  int get() const { return fd_; }
  /// Closes now and returns the error, which some file systems report only here.
  int close() { return ::close(std::exchange(fd_, -1)) == 0 ? 0 : errno; }

 private:
  int fd_;
};

int open_retrying(const fs::path& path, int flags, mode_t mode = 0) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

/// Writes all bytes; 0 or errno.
int write_all(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

/// `where` is O_TRUNC or O_APPEND; `opening` is its word in an error, and `meant` the path by which
/// a person knows the file.
Status write_and_sync(const fs::path& path, int where, const char* opening, const fs::path& meant,
                      std::span<const Bytes> parts) {
  Descriptor file(open_retrying(path, O_WRONLY | O_CREAT | where, 0666));
  if (!file.is_open()) return system_error(opening, meant, errno);
  for (const Bytes part : parts) {
    if (const int code = write_all(file.get(), part)) return system_error("write", meant, code);
  }
  if (::fsync(file.get()) != 0) return system_error("sync", meant, errno);
  if (const int code = file.close()) return system_error("close", meant, code);
  return {};
}

Status sync_directory(const fs::path& directory) {
  const Descriptor handle(open_retrying(directory, O_RDONLY | O_DIRECTORY));
  if (!handle.is_open()) return system_error("open", directory, errno);
  // EINVAL: a file system that cannot sync a directory; there is nothing more to do on it.
  if (::fsync(handle.get()) != 0 && errno != EINVAL) {
    return system_error("sync", directory, errno);
  }
  return {};
}

/// Reads to the end, or one byte more than allowed. `bytes` has the expected size on entry and the
/// contents on return.
int read_to_end(int fd, std::size_t max_bytes, std::string& bytes) {
  std::size_t filled = 0;
  for (;;) {
    if (filled == bytes.size()) {
      // The expected size may be wrong: a file that grows, or one of /proc that says 0.
      std::array<char, 4096> more{};
      const ssize_t got = ::read(fd, more.data(), more.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno;
      if (got == 0) return 0;
      bytes.append(more.data(), static_cast<std::size_t>(got));
      filled = bytes.size();
      if (filled > max_bytes) return 0;
      continue;
    }
    const ssize_t got = ::read(fd, bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    filled += static_cast<std::size_t>(got);
    if (got == 0) bytes.resize(filled);
  }
}

fs::path directory_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

constexpr std::string_view partial_mark = ".partial-";

std::string partial_prefix(const fs::path& path) {
  return "." + path.filename().string() + std::string(partial_mark);
}

/// Whether `text` is the number of a process that has ended. A process of another machine or
/// container that shares the directory counts as ended too: it loses the file it is writing, and
/// reports that.
bool is_dead(std::string_view text) {
  pid_t pid = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (code != std::errc() || stop != text.data() + text.size() || pid <= 0) return false;
  return ::kill(pid, 0) != 0 && errno == ESRCH;
}

/// Removes entries that begin with `prefix` and are partial files or directories of processes that
/// have ended.
void remove_stale(const fs::path& directory, std::string_view prefix) {
  const Result<std::vector<fs::path>> entries = entries_of(directory);
  if (!entries) return;
  for (const fs::path& entry : *entries) {
    const std::string name = entry.filename().string();
    const std::size_t mark = name.rfind(partial_mark);
    if (mark == std::string::npos || !name.starts_with(prefix)) continue;
    if (!is_dead(std::string_view(name).substr(mark + partial_mark.size()))) continue;
    std::error_code ignored;
    fs::remove_all(entry, ignored);
  }
}

/// Makes one directory and syncs the one above. It is no error if another process has made it by
/// now.
Status make_directory(const fs::path& path) {
  if (::mkdir(path.c_str(), 0777) == 0) return sync_directory(directory_of(path));
  const int code = errno;
  std::error_code unknown;
  if (code == EEXIST && fs::is_directory(path, unknown)) return {};
  return system_error("make directory", path, code);
}

/// A regular file to read, and its status.
Result<Descriptor> open_regular(const fs::path& path, struct stat& status) {
  // O_NONBLOCK: opening a pipe that nobody writes to must not hang.
  Descriptor file(open_retrying(path, O_RDONLY | O_NONBLOCK));
  if (!file.is_open()) return system_error("open", path, errno);
  if (::fstat(file.get(), &status) != 0) return system_error("stat", path, errno);
  if (S_ISREG(status.st_mode)) return file;
  return Error{path.string() + ": cannot read: found " +
               (S_ISDIR(status.st_mode) ? "a directory" : "a device or pipe") +
               ", allowed: a regular file"};
}

}  // namespace

Error system_error(const char* what, const fs::path& path, int code) {
  const bool absent = code == ENOENT || code == ENOTDIR;
  return {path.string() + ": cannot " + what + ": " + std::generic_category().message(code),
          absent ? ErrorKind::not_found : ErrorKind::failed};
}

Result<fs::file_status> status_of(const fs::path& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (!fs::status_known(status)) return system_error("look at", path, code.value());
  return status;
}

Result<bool> is_there(const fs::path& path) {
  const Result<fs::file_status> status = status_of(path);
  if (!status) return status.error();
  return fs::exists(*status);
}

Result<std::vector<fs::path>> entries_of(const fs::path& directory) {
  std::vector<fs::path> entries;
  std::error_code code;
  for (fs::directory_iterator entry(directory, code), end; !code && entry != end;
       entry.increment(code)) {
    entries.push_back(entry->path());
  }
  const bool absent =
      code == std::errc::no_such_file_or_directory || code == std::errc::not_a_directory;
  if (code && !absent) return system_error("list", directory, code.value());
  std::ranges::sort(entries);
  return entries;
}

Result<std::string> read_file(const fs::path& path, std::size_t max_bytes) {
  const auto too_large = [&](const std::string& found) {
    return Error{path.string() + ": found " + found + " bytes, allowed at most " +
                 std::to_string(max_bytes)};
  };
  struct stat status {};
  const Result<Descriptor> file = open_regular(path, status);
  if (!file) return file.error();
  const auto size = static_cast<std::uintmax_t>(status.st_size);
  if (size > max_bytes) return too_large(std::to_string(size));
  try {
    std::string bytes(static_cast<std::size_t>(size), '\0');
    if (const int code = read_to_end(file->get(), max_bytes, bytes)) {
      return system_error("read", path, code);
    }
    if (bytes.size() > max_bytes) return too_large("more than " + std::to_string(max_bytes));
    return bytes;
  } catch (const std::bad_alloc&) {
    return Error{path.string() + ": not enough memory for " + std::to_string(size) + " bytes",
                 ErrorKind::failed};
  }
}

fs::path partial_path(const fs::path& path) {
  return directory_of(path) /
         (partial_prefix(path) + std::to_string(static_cast<long long>(::getpid())));
}

void remove_stale_partials(const fs::path& path) {
  remove_stale(directory_of(path), partial_prefix(path));
}

void remove_stale_partials_in(const fs::path& directory) { remove_stale(directory, "."); }

Status read_in_pieces(const fs::path& path, const std::function<void(Bytes)>& take) {
  struct stat status {};
  const Result<Descriptor> file = open_regular(path, status);
  if (!file) return file.error();
  std::vector<std::byte> piece(std::size_t{1} << 20U);
  for (;;) {
    const ssize_t got = ::read(file->get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", path, errno);
    if (got == 0) return {};
    take(Bytes(piece).first(static_cast<std::size_t>(got)));
  }
}

Status write_file_atomically(const fs::path& path, std::span<const Bytes> parts) {
  if (!path.has_filename()) return Error{path.string() + ": cannot write: no file name"};
  remove_stale_partials(path);
  const fs::path partial = partial_path(path);
  Status status = write_and_sync(partial, O_TRUNC, "create", path, parts);
  if (status && ::rename(partial.c_str(), path.c_str()) != 0) {
    status = system_error("replace", path, errno);
  }
  if (!status) {
    ::unlink(partial.c_str());  // fails when it was never created, which is fine
    return status;
  }
  return sync_directory(directory_of(path));
}

Status rename_and_sync(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return sync_directory(directory_of(to));
  return system_error("rename to", to, errno);
}

Status write_file_atomically(const fs::path& path, Bytes bytes) {
  return write_file_atomically(path, std::span<const Bytes>(&bytes, 1));
}

Status write_file_atomically(const fs::path& path, std::string_view text) {
  return write_file_atomically(path, bytes_of(text));
}

Status append_and_sync(const fs::path& path, std::string_view text) {
  const Bytes bytes = bytes_of(text);
  return write_and_sync(path, O_APPEND, "open", path, std::span<const Bytes>(&bytes, 1));
}

Status remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) == 0) return sync_directory(directory_of(path));
  const int code = errno;
  if (code == ENOENT || code == ENOTDIR) return {};
  return system_error("remove", path, code);
}

Status make_directories(const fs::path& path) {
  if (path.empty()) return Error{"cannot make a directory without a name"};
  std::vector<fs::path> missing;
  for (fs::path at = path; !at.empty(); at = at.parent_path()) {
    const Result<fs::file_status> status = status_of(at);
    if (!status) return status.error();
    if (fs::is_directory(*status)) break;
    if (fs::exists(*status)) {
      return Error{path.string() + ": cannot make directory: " + at.string() +
                   " exists and is not a directory"};
    }
    missing.push_back(at);
  }
  for (auto at = missing.rbegin(); at != missing.rend(); ++at) {
    if (Status made = make_directory(*at); !made) return made;
  }
  return {};
}

}  // namespace lookback::base
