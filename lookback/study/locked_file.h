// A file that one process at a time holds.
#pragma once

#include <filesystem>

#include "lookback/base/result.h"

namespace lookback::study {

/// Holds an exclusive lock (flock) on an empty file, created if necessary, for as long as it lives.
/// The lock ends with the process however that ends, so a killed one does not block the next.
class LockedFile {
 public:
  enum class Wait { no, yes };

  /// Errors: another process holds it and there is no waiting (busy); it cannot be opened, or the file
  /// system has no locks.
  static Result<LockedFile> take(const std::filesystem::path& path, Wait wait);

  LockedFile(LockedFile&& other) noexcept;
  LockedFile& operator=(LockedFile&&) = delete;
  ~LockedFile();

  /// Whether the path still names the file that is held; to be called before each write. Once the
  /// file is removed or replaced, or its directory moved, another process can take the path, and
  /// nothing keeps the two apart. Error: it does not, or this cannot be determined.
  Status check() const;

 private:
  LockedFile(std::filesystem::path path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}

  std::filesystem::path path_;
  int descriptor_;
};

}  // namespace lookback::study
