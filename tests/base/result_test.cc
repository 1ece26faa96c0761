#include "lookback/base/result.h"

#include <gtest/gtest.h>

#include "lookback/base/file.h"
#include "tests/base/temporary_directory.h"

namespace lookback::base {
namespace {

TEST(Error, IsOfBadInputUnlessItSaysOtherwise) {
  EXPECT_EQ(Error{"found 3"}.kind, ErrorKind::bad_input);
}

TEST(Error, KeepsItsKindWhereWordsAreAdded) {
  const Error error{"found 3", ErrorKind::busy};
  EXPECT_EQ(error.at("a.toml").message, "a.toml: found 3");
  EXPECT_EQ(error.at("a.toml").kind, ErrorKind::busy);
  EXPECT_EQ(error.with("; use 4").message, "found 3; use 4");
  EXPECT_EQ(error.with("; use 4").kind, ErrorKind::busy);
}

TEST(Result, FailsWithTheKindOfItsError) {
  EXPECT_TRUE(Result<int>(Error{"", ErrorKind::stopped}).fails_with(ErrorKind::stopped));
  EXPECT_FALSE(Result<int>(Error{"", ErrorKind::stopped}).fails_with(ErrorKind::busy));
  EXPECT_FALSE(Result<int>(3).fails_with(ErrorKind::bad_input));
  EXPECT_TRUE(Status(Error{"", ErrorKind::failed}).fails_with(ErrorKind::failed));
  EXPECT_FALSE(Status().fails_with(ErrorKind::failed));
}

TEST(Result, OfAFileTellsAbsenceFromFailure) {
  const test::TemporaryDirectory directory;
  const auto file = directory / "absent";
  EXPECT_TRUE(read_file(file, 10).fails_with(ErrorKind::not_found));
  EXPECT_TRUE(write_file_atomically(file / "below", "text").fails_with(ErrorKind::not_found));
  ASSERT_TRUE(write_file_atomically(file, "more than ten bytes"));
  EXPECT_TRUE(read_file(file, 10).fails_with(ErrorKind::bad_input));
  EXPECT_TRUE(
      rename_and_sync(file, "/proc/version").fails_with(ErrorKind::failed));  // another disk
}

}  // namespace
}  // namespace lookback::base
