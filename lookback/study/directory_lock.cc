#include "lookback/study/directory_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "lookback/base/file.h"

namespace lookback::study {

void remove_partial_files(const std::filesystem::path& directory) {
  std::error_code error;
  std::vector<std::filesystem::path> left;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.') && name.find(".partial-") != std::string::npos) {
      left.push_back(entry.path());
    }
  }
  for (const std::filesystem::path& file : left) std::filesystem::remove(file, error);
}

Result<DirectoryLock> DirectoryLock::take(const std::filesystem::path& directory) {
  if (Status made = base::make_directories(directory); !made) return made.error();
  const std::filesystem::path file = directory / ".lock";
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    return Error{fmt::format("{}: cannot open: {}", file.string(), std::strerror(errno))};
  }
  DirectoryLock lock(descriptor);
  int locked = ::flock(descriptor, LOCK_EX | LOCK_NB);
  while (locked != 0 && errno == EINTR) locked = ::flock(descriptor, LOCK_EX | LOCK_NB);
  if (locked != 0 && errno != EWOULDBLOCK) {
    return Error{fmt::format("{}: cannot lock: {}", file.string(), std::strerror(errno))};
  }
  if (locked != 0) {
    return Error{
        fmt::format("{}: another process is at work in this directory; wait for it, or use "
                    "another --out",
                    directory.string())};
  }
  remove_partial_files(directory);
  return lock;
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

DirectoryLock::~DirectoryLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace lookback::study
