// One process at a time in the directory of a study or run.
#pragma once

#include <filesystem>

#include "lookback/base/result.h"

namespace lookback::study {

/// Removes what processes that were killed while writing a file left beside it (base/file.h).
/// REQUIRES the lock of the run or study that it belongs to: another's file may be in the making.
void remove_partial_files(const std::filesystem::path& directory);

/// Holds an exclusive lock (flock) on DIRECTORY/.lock as long as it lives. It goes with the process
/// however that ends, so a killed one leaves nothing behind that would be in the way.
class DirectoryLock {
 public:
  /// Makes the directory where it is not there, and removes partial files. Errors: it cannot be made or written to, or another
  /// process holds the lock. A file system that has no locks is used without.
  static Result<DirectoryLock> take(const std::filesystem::path& directory);

  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace lookback::study
