// One process at a time in a directory. Between two descriptors of one process flock is as strict as
// between two processes.
#include "lookback/study/directory_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <string>

#include "tests/base/like.h"
#include "tests/base/temporary_directory.h"

namespace lookback::study {
namespace {

TEST(DirectoryLock, KeepsASecondOneOutUntilItIsGone) {
  const test::TemporaryDirectory directory;
  const std::filesystem::path place = directory / "new/study";
  {
    const Result<DirectoryLock> first = DirectoryLock::take(place);
    ASSERT_TRUE(first) << first.error().message;
    const Result<DirectoryLock> second = DirectoryLock::take(place);
    ASSERT_TRUE(second.fails_with(ErrorKind::busy));
    EXPECT_EQ(second.error().message.find(place.string() + ": "), 0U) << second.error().message;
    EXPECT_TRUE(DirectoryLock::take(directory / "new/other"));
  }
  EXPECT_TRUE(DirectoryLock::take(place));
}

TEST(DirectoryLock, RemovesWhatAKilledWriterLeft) {
  const test::TemporaryDirectory directory;
  const std::filesystem::path left = directory / ".summary.json.partial-999999999";
  const std::filesystem::path below = directory / "checkpoints/.512.safetensors.partial-999999999";
  const std::filesystem::path kept = directory / "summary.json";
  std::filesystem::create_directory(directory / "checkpoints");
  std::ofstream(left) << "half";
  std::ofstream(below) << "half";
  std::ofstream(kept) << "whole";
  // `lookback report` and `lookback ledger` write without the lock.
  const std::filesystem::path written =
      directory / (".report.html.partial-" + std::to_string(::getpid()));
  std::ofstream(written) << "half";
  const Result<DirectoryLock> lock = DirectoryLock::take(directory.path());
  ASSERT_TRUE(lock) << lock.error().message;
  EXPECT_TRUE(std::filesystem::exists(written)) << "by a process that is still at it";
  EXPECT_FALSE(std::filesystem::exists(left));
  EXPECT_FALSE(std::filesystem::exists(below));
  EXPECT_TRUE(std::filesystem::exists(kept));
}

TEST(DirectoryLock, NoticesThatItsFileIsGoneOrAnother) {
  const test::TemporaryDirectory directory;
  const std::filesystem::path place = directory / "study", file = place / ".lock";
  const Result<DirectoryLock> lock = DirectoryLock::take(place);
  ASSERT_TRUE(lock) << lock.error().message;
  EXPECT_TRUE(lock->check());
  std::filesystem::remove(file);
  const Status removed = lock->check();
  ASSERT_FALSE(removed);
  EXPECT_TRUE(test::like(removed.error().message, file.string() + ": *removed*"));
  const Result<DirectoryLock> second = DirectoryLock::take(place);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_TRUE(second->check());
  const Status replaced = lock->check();
  ASSERT_FALSE(replaced);
  EXPECT_TRUE(test::like(replaced.error().message, file.string() + ": *replaced*"));
  std::filesystem::rename(place, directory / "moved");
  EXPECT_FALSE(second->check()) << "writing by name would go elsewhere";
}

TEST(DirectoryLock, AFileInTheWayIsNamed) {
  const test::TemporaryDirectory directory;
  const std::filesystem::path file = directory / "file";
  std::ofstream(file) << "mine";
  const Result<DirectoryLock> lock = DirectoryLock::take(file);
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().message.rfind(file.string() + ": cannot make directory", 0), 0U)
      << lock.error().message;
}

}  // namespace
}  // namespace lookback::study
