// One process at a time in the directory of a study or run.
#pragma once

#include <filesystem>
#include <utility>

#include "lookback/base/result.h"
#include "lookback/study/locked_file.h"

namespace lookback::study {

/// Holds DIRECTORY/.lock (locked_file.h) for as long as it lives.
class DirectoryLock {
 public:
  /// Makes the directory if necessary, and removes what killed writers left in it and in its
  /// checkpoints/. Errors: it cannot be made or written to, another process holds the lock, or the
  /// file system has no locks.
  static Result<DirectoryLock> take(const std::filesystem::path& directory);

  const std::filesystem::path& directory() const { return directory_; }

  /// Whether the lock still keeps others out (LockedFile::check); to be called before each write.
  Status check() const { return file_.check(); }

 private:
  DirectoryLock(std::filesystem::path directory, LockedFile file)
      : directory_(std::move(directory)), file_(std::move(file)) {}

  std::filesystem::path directory_;
  LockedFile file_;
};

}  // namespace lookback::study
