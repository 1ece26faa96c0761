#include "lookback/base/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "tests/base/temporary_directory.h"

namespace lookback::base {
namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;

std::size_t entries_in(const fs::path& directory) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

void expect_message(const Error& error, const fs::path& path, const std::string& reason) {
  EXPECT_EQ(error.message.find(path.string()), 0u) << error.message;
  EXPECT_NE(error.message.find(reason), std::string::npos) << error.message;
  EXPECT_EQ(error.message.find('\n'), std::string::npos) << error.message;
}

TEST(File, WhatWasWrittenIsRead) {
  const TemporaryDirectory directory;
  const std::string text("a\0b\n", 4);
  ASSERT_TRUE(write_file_atomically(directory / "f", text));
  const auto read = read_file(directory / "f", 4);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, text);
  EXPECT_EQ(entries_in(directory.path()), 1u) << "nothing is left beside the file";
}

TEST(File, PartsAreWrittenOneAfterTheOther) {
  const TemporaryDirectory directory;
  const std::vector<Bytes> parts{bytes_of("one"), bytes_of(""), bytes_of("two")};
  ASSERT_TRUE(write_file_atomically(directory / "f", parts));
  EXPECT_EQ(*read_file(directory / "f", 100), "onetwo");
}

TEST(File, AnOldFileIsReplaced) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_file_atomically(directory / "f", "a longer text"));
  ASSERT_TRUE(write_file_atomically(directory / "f", "short"));
  EXPECT_EQ(*read_file(directory / "f", 100), "short");
}

TEST(File, AnEmptyFileIsAFile) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_file_atomically(directory / "f", ""));
  EXPECT_EQ(*read_file(directory / "f", 0), "");
}

TEST(File, ReadingNamesAMissingFile) {
  const TemporaryDirectory directory;
  const auto read = read_file(directory / "none", 100);
  ASSERT_FALSE(read);
  expect_message(read.error(), directory / "none", "No such file or directory");
}

TEST(File, ReadingRefusesADirectory) {
  const TemporaryDirectory directory;
  const auto read = read_file(directory.path(), 100);
  ASSERT_FALSE(read);
  expect_message(read.error(), directory.path(), "a directory");
}

TEST(File, ReadingRefusesADevice) {
  const auto read = read_file("/dev/zero", 100);
  ASSERT_FALSE(read);
  expect_message(read.error(), "/dev/zero", "regular file");
}

TEST(File, ReadingRefusesMoreThanTheLimit) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_file_atomically(directory / "f", "12345"));
  EXPECT_TRUE(read_file(directory / "f", 5));
  const auto read = read_file(directory / "f", 4);
  ASSERT_FALSE(read);
  expect_message(read.error(), directory / "f", "found 5 bytes, allowed at most 4");
}

// Files of /proc say that they have 0 bytes.
TEST(File, ReadingDoesNotTrustTheSize) {
  const auto read = read_file("/proc/self/status", 1 << 20);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_NE(read->find("Pid:"), std::string::npos);
  const auto limited = read_file("/proc/self/status", 10);
  ASSERT_FALSE(limited);
  expect_message(limited.error(), "/proc/self/status", "allowed at most 10");
}

TEST(File, WritingNamesAMissingDirectory) {
  const TemporaryDirectory directory;
  const Status status = write_file_atomically(directory / "none/f", "text");
  ASSERT_FALSE(status);
  expect_message(status.error(), directory / "none", "No such file or directory");
}

TEST(File, WritingOverADirectoryFailsAndLeavesNothing) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(make_directories(directory / "d/inside"));
  const Status status = write_file_atomically(directory / "d", "text");
  ASSERT_FALSE(status);
  expect_message(status.error(), directory / "d", "cannot replace");
  EXPECT_TRUE(fs::is_directory(directory / "d/inside"));
  EXPECT_EQ(entries_in(directory.path()), 1u);
}

TEST(File, WritingWithoutANameIsRefused) {
  const TemporaryDirectory directory;
  EXPECT_FALSE(write_file_atomically(directory.path() / "", "text"));
  EXPECT_FALSE(write_file_atomically("", "text"));
}

/// While it lives no file may grow beyond `bytes`: write() fails in the middle, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_limit_);
    const rlimit limit{bytes, old_limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_limit_);
    std::signal(SIGXFSZ, old_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit old_limit_{};
  void (*old_handler_)(int);
};

TEST(File, AWriteThatFailsHalfWayKeepsTheOldFile) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_file_atomically(directory / "f", "the old text"));
  Status status;
  {
    const FileSizeLimit limit(1000);
    status = write_file_atomically(directory / "f", std::string(5000, 'x'));
  }
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("cannot write: File too large"), std::string::npos)
      << status.error().message;
  EXPECT_EQ(*read_file(directory / "f", 100), "the old text");
  EXPECT_EQ(entries_in(directory.path()), 1u) << "the partial file is removed";
}

// /dev/full is a disk without room: through a link of the partial file's name it is really hit.
TEST(File, AFullDiskIsReported) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  const TemporaryDirectory directory;
  const std::string partial = ".f.partial-" + std::to_string(::getpid());
  fs::create_symlink("/dev/full", directory / partial);
  const Status status = write_file_atomically(directory / "f", "text");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message,
            (directory / "f").string() + ": cannot write: No space left on device")
      << "the file that was meant, not the partial one";
  EXPECT_EQ(entries_in(directory.path()), 0u);
}

/// The number of a process that has just ended.
pid_t ended_process() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return child;
}

TEST(File, WritingRemovesWhatKilledProcessesLeftOfTheSameFile) {
  const TemporaryDirectory directory;
  const std::string dead = std::to_string(ended_process());
  const std::string alive = std::to_string(::getppid());
  for (const std::string& name :
       std::vector<std::string>{".f.partial-" + dead, ".f.partial-" + alive,
                                ".other.partial-" + dead, ".f.partial-", ".f.partial-x"}) {
    std::ofstream(directory / name) << "half";
  }
  ASSERT_TRUE(write_file_atomically(directory / "f", "text"));
  EXPECT_FALSE(fs::exists(directory / (".f.partial-" + dead)));
  EXPECT_TRUE(fs::exists(directory / (".f.partial-" + alive))) << "it may still be written";
  EXPECT_TRUE(fs::exists(directory / (".other.partial-" + dead))) << "it is of another file";
  EXPECT_EQ(entries_in(directory.path()), 5U) << "what only looks like it stays";
}

TEST(File, WhatKilledProcessesLeftOfAnyFileCanBeRemovedAtOnce) {
  const TemporaryDirectory directory;
  const std::string dead = std::to_string(ended_process());
  const std::string alive = std::to_string(::getppid());
  for (const std::string& name : std::vector<std::string>{
           ".f.partial-" + dead, ".other.partial-" + dead, ".f.partial-" + alive, "f", ".lock"}) {
    std::ofstream(directory / name) << "half";
  }
  remove_stale_partials_in(directory.path());
  EXPECT_EQ(entries_in(directory.path()), 3U);
  EXPECT_TRUE(fs::exists(directory / (".f.partial-" + alive))) << "it may still be written";
}

TEST(File, OnlyANameThatNothingHasIsAbsent) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_file_atomically(directory / "f", "text"));
  EXPECT_TRUE(*is_there(directory / "f"));
  EXPECT_TRUE(*is_there(directory.path()));
  EXPECT_FALSE(*is_there(directory / "none"));
  EXPECT_FALSE(*is_there(directory / "none/below"));
  EXPECT_FALSE(*is_there(directory / "f/below"));
  fs::create_symlink("itself", directory / "itself");
  for (const fs::path& path : {directory / "itself", directory / std::string(1000, 'x')}) {
    const auto unknown = is_there(path);
    ASSERT_FALSE(unknown);
    expect_message(unknown.error(), path, "cannot look at");
  }
}

TEST(File, TheEntriesOfADirectoryAreSorted) {
  const TemporaryDirectory directory;
  for (const char* name : {"b", "c", "a"}) {
    ASSERT_TRUE(write_file_atomically(directory / name, ""));
  }
  EXPECT_EQ(*entries_of(directory.path()),
            (std::vector<fs::path>{directory / "a", directory / "b", directory / "c"}));
  EXPECT_TRUE(entries_of(directory / "none")->empty());
  EXPECT_TRUE(entries_of(directory / "a")->empty());
  fs::create_symlink("itself", directory / "itself");
  const auto unknown = entries_of(directory / "itself");
  ASSERT_FALSE(unknown);
  expect_message(unknown.error(), directory / "itself", "cannot list");
}

TEST(File, RemovingIsFineTwiceAndNamesADirectory) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_file_atomically(directory / "f", "text"));
  EXPECT_TRUE(remove_file(directory / "f"));
  EXPECT_FALSE(fs::exists(directory / "f"));
  EXPECT_TRUE(remove_file(directory / "f"));
  const Status refused = remove_file(directory.path());
  ASSERT_FALSE(refused);
  expect_message(refused.error(), directory.path(), "cannot remove");
}

TEST(File, RenamingReplacesAndNamesTheNewPlace) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_file_atomically(directory / "f", "new"));
  ASSERT_TRUE(write_file_atomically(directory / "g", "old"));
  ASSERT_TRUE(rename_and_sync(directory / "f", directory / "g"));
  EXPECT_EQ(*read_file(directory / "g", 10), "new");
  const Status none = rename_and_sync(directory / "f", directory / "g");
  ASSERT_FALSE(none);
  expect_message(none.error(), directory / "g", "No such file or directory");
}

TEST(File, DirectoriesAreMadeWithThoseAbove) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(make_directories(directory / "a/b/c"));
  EXPECT_TRUE(fs::is_directory(directory / "a/b/c"));
  EXPECT_TRUE(make_directories(directory / "a/b/c")) << "twice is fine";
  EXPECT_TRUE(make_directories(directory / "d/./e/../f/"));
  EXPECT_TRUE(fs::is_directory(directory / "d/f"));
  EXPECT_FALSE(make_directories(""));
}

TEST(File, AFileInTheWayOfADirectoryIsNamed) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_file_atomically(directory / "f", "text"));
  for (const std::string name : {"f", "f/below"}) {
    const Status status = make_directories(directory / name);
    ASSERT_FALSE(status);
    expect_message(status.error(), directory / name, "cannot make directory");
  }
  fs::create_symlink("nowhere", directory / "link");
  EXPECT_FALSE(make_directories(directory / "link"));
}

}  // namespace
}  // namespace lookback::base
