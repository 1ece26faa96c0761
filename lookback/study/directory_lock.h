// One process at a time in the directory of a study or run.
#pragma once

#include <filesystem>

#include "lookback/base/result.h"

namespace lookback::study {

/// Holds an exclusive lock (flock) on DIRECTORY/.lock for as long as it lives. The lock goes with the
/// process however that ends, so a killed one leaves nothing in the way of the next.
class DirectoryLock {
 public:
  /// Makes the directory if need be, and removes what killed writers left in it and in its
  /// checkpoints/. Errors: it cannot be made or written to, another process holds the lock, or the
  /// file system has no locks.
  static Result<DirectoryLock> take(const std::filesystem::path& directory);

  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

  const std::filesystem::path& directory() const { return directory_; }

  /// Whether DIRECTORY/.lock is still the file that is held; to be asked before each write. Once it is
  /// removed or replaced, or the directory moved, another process can be at work there and nothing
  /// keeps the two apart. Error: it is not, or that cannot be known.
  Status check() const;

 private:
  DirectoryLock(std::filesystem::path directory, int descriptor)
      : directory_(std::move(directory)), descriptor_(descriptor) {}

  std::filesystem::path directory_;
  int descriptor_;
};

}  // namespace lookback::study
