#include "lookback/study/directory_lock.h"

#include <fmt/format.h>

#include "lookback/base/file.h"

namespace lookback::study {

Result<DirectoryLock> DirectoryLock::take(const std::filesystem::path& directory) {
  if (Status made = base::make_directories(directory); !made) return made.error();
  Result<LockedFile> file = LockedFile::take(directory / ".lock", LockedFile::Wait::no);
  if (file.fails_with(ErrorKind::busy)) {
    return Error{
        fmt::format("{}: another process is at work in this directory; wait for it, or use "
                    "another --out",
                    directory.string()),
        ErrorKind::busy};
  }
  if (!file) return file.error();
  base::remove_stale_partials_in(directory);
  base::remove_stale_partials_in(directory / "checkpoints");
  return DirectoryLock(directory, std::move(*file));
}

}  // namespace lookback::study
