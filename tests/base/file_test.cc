#include "lookback/base/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
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

TEST(File, DirectoriesAreMadeWithThoseAbove) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(make_directories(directory / "a/b/c"));
  EXPECT_TRUE(fs::is_directory(directory / "a/b/c"));
  EXPECT_TRUE(make_directories(directory / "a/b/c")) << "twice is fine";
}

TEST(File, AFileInTheWayOfADirectoryIsNamed) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_file_atomically(directory / "f", "text"));
  for (const std::string name : {"f", "f/below"}) {
    const Status status = make_directories(directory / name);
    ASSERT_FALSE(status);
    expect_message(status.error(), directory / name, "cannot make directory");
  }
}

}  // namespace
}  // namespace lookback::base
