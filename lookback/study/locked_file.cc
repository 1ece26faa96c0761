#include "lookback/study/locked_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "lookback/base/file.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

/// 0, or the number of the error.
int lock_descriptor(int descriptor, LockedFile::Wait wait) {
  const int how = wait == LockedFile::Wait::yes ? LOCK_EX : LOCK_EX | LOCK_NB;
  while (::flock(descriptor, how) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

/// Whether a path still names the file that is open.
enum class Named { same, nothing, another };
Result<Named> named_by(const fs::path& path, int descriptor) {
  struct stat held {};
  struct stat named {};
  if (::fstat(descriptor, &held) != 0) return base::system_error("stat", path, errno);
  if (::stat(path.c_str(), &named) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) return base::system_error("stat", path, errno);
    return Named::nothing;
  }
  const bool same = held.st_dev == named.st_dev && held.st_ino == named.st_ino;
  return same ? Named::same : Named::another;
}

}  // namespace

Result<LockedFile> LockedFile::take(const fs::path& path, Wait wait) {
  for (;;) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) return base::system_error("open", path, errno);
    LockedFile file(path, descriptor);
    const int code = lock_descriptor(descriptor, wait);
    if (code == EWOULDBLOCK) {
      return Error{path.string() + ": another process holds it", ErrorKind::busy};
    }
    if (code != 0) return base::system_error("lock", path, code);
    const Result<Named> named = named_by(path, descriptor);
    if (!named) return named.error();
    if (*named == Named::same) return file;
    // Removed between opening and locking it, or while waiting: what is there now is another lock.
  }
}

Status LockedFile::check() const {
  const Result<Named> named = named_by(path_, descriptor_);
  if (!named) return named.error();
  if (*named == Named::same) return {};
  return Error{
      fmt::format("{}: was {} while this process was at work, so another may be at work in {} too; "
                  "nothing more was written",
                  path_.string(), *named == Named::another ? "replaced" : "removed",
                  path_.parent_path().string()),
      ErrorKind::failed};
}

LockedFile::LockedFile(LockedFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

LockedFile::~LockedFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace lookback::study
