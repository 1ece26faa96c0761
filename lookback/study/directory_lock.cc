#include "lookback/study/directory_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "lookback/base/file.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

/// Every partial file: of which process does not matter under the lock, and one of a file that is
/// never written again would stay for ever.
void remove_partial_files(const fs::path& directory) {
  const Result<std::vector<fs::path>> entries = base::entries_of(directory);
  if (!entries) return;
  for (const fs::path& entry : *entries) {
    const std::string name = entry.filename().string();
    std::error_code ignored;
    if (name.starts_with('.') && name.find(".partial-") != std::string::npos) {
      fs::remove(entry, ignored);
    }
  }
}

Error lock_error(const fs::path& directory, const char* what, int code) {
  return Error{
      fmt::format("{}: cannot {}: {}", (directory / ".lock").string(), what, std::strerror(code))};
}

int lock_file(int descriptor) {
  while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

}  // namespace

Result<DirectoryLock> DirectoryLock::take(const fs::path& directory) {
  if (Status made = base::make_directories(directory); !made) return made.error();
  const fs::path file = directory / ".lock";
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return lock_error(directory, "open", errno);
  DirectoryLock lock(directory, descriptor);
  const int code = lock_file(descriptor);
  if (code == EWOULDBLOCK) {
    return Error{
        fmt::format("{}: another process is at work in this directory; wait for it, or use "
                    "another --out",
                    directory.string())};
  }
  if (code != 0) return lock_error(directory, "lock", code);
  // Between opening and locking it could be removed.
  if (Status held = lock.check(); !held) return held.error();
  remove_partial_files(directory);
  remove_partial_files(directory / "checkpoints");
  return lock;
}

Status DirectoryLock::check() const {
  struct stat held {};
  struct stat named {};
  if (::fstat(descriptor_, &held) != 0) return lock_error(directory_, "stat", errno);
  const bool there = ::stat((directory_ / ".lock").c_str(), &named) == 0;
  if (!there && errno != ENOENT && errno != ENOTDIR) return lock_error(directory_, "stat", errno);
  if (there && held.st_dev == named.st_dev && held.st_ino == named.st_ino) return {};
  return Error{fmt::format(
      "{}: {} while this process was at work, so another may be at work in {} too; "
      "nothing more was written",
      (directory_ / ".lock").string(), there ? "replaced" : "removed", directory_.string())};
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept
    : directory_(std::move(other.directory_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

DirectoryLock::~DirectoryLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace lookback::study
