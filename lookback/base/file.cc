#include "lookback/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

namespace lookback::base {
namespace {

namespace fs = std::filesystem;

Error system_error(const char* what, const fs::path& path, int code) {
  return Error{path.string() + ": cannot " + what + ": " + std::generic_category().message(code)};
}

/// A file descriptor that is closed on the way out.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  bool is_open() const { return fd_ >= 0; }
  int get() const { return fd_; }
  /// Closes now and tells the error, which some file systems keep until here.
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

/// `where` is O_TRUNC or O_APPEND; `opening` is the word for it in an error, and `meant` the path
/// that a person knows the file by.
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

/// Reads to the end, or to one byte more than allowed. `bytes` has the expected size when it comes
/// in, and what was read when it goes out.
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

}  // namespace

Result<std::string> read_file(const fs::path& path, std::size_t max_bytes) {
  const auto too_large = [&](const std::string& found) {
    return Error{path.string() + ": found " + found + " bytes, allowed at most " +
                 std::to_string(max_bytes)};
  };
  // O_NONBLOCK: opening a pipe that nobody writes to must not hang.
  const Descriptor file(open_retrying(path, O_RDONLY | O_NONBLOCK));
  if (!file.is_open()) return system_error("open", path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_error("stat", path, errno);
  if (!S_ISREG(status.st_mode)) {
    return Error{path.string() + ": cannot read: found " +
                 (S_ISDIR(status.st_mode) ? "a directory" : "a device or pipe") +
                 ", allowed: a regular file"};
  }
  const auto size = static_cast<std::uintmax_t>(status.st_size);
  if (size > max_bytes) return too_large(std::to_string(size));
  try {
    std::string bytes(static_cast<std::size_t>(size), '\0');
    if (const int code = read_to_end(file.get(), max_bytes, bytes)) {
      return system_error("read", path, code);
    }
    if (bytes.size() > max_bytes) return too_large("more than " + std::to_string(max_bytes));
    return bytes;
  } catch (const std::bad_alloc&) {
    return Error{path.string() + ": not enough memory for " + std::to_string(size) + " bytes"};
  }
}

Status write_file_atomically(const fs::path& path, std::span<const Bytes> parts) {
  const fs::path directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!path.has_filename()) return Error{path.string() + ": cannot write: no file name"};
  const fs::path partial = directory / ("." + path.filename().string() + ".partial-" +
                                        std::to_string(static_cast<long long>(::getpid())));
  Status status = write_and_sync(partial, O_TRUNC, "create", path, parts);
  if (status && ::rename(partial.c_str(), path.c_str()) != 0) {
    status = system_error("replace", path, errno);
  }
  if (!status) {
    ::unlink(partial.c_str());  // fails when it was never created, which is fine
    return status;
  }
  return sync_directory(directory);
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

Status make_directories(const fs::path& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code) return system_error("make directory", path, code.value());
  // On some systems create_directories keeps silent about a file of that name.
  if (!fs::is_directory(path, code)) {
    return Error{path.string() + ": cannot make directory: something else has this name"};
  }
  return {};
}

}  // namespace lookback::base
