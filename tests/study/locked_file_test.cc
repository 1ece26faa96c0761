// A lock whose file is removed while another waits for it keeps the two apart nevertheless.
#include "lookback/study/locked_file.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <optional>
#include <utility>

#include "tests/base/temporary_directory.h"

namespace lookback::study {
namespace {

using namespace std::chrono_literals;

TEST(LockedFile, KeepsOthersOutUntilItIsGone) {
  const test::TemporaryDirectory directory;
  const std::filesystem::path path = directory / ".lock";
  {
    const auto first = LockedFile::take(path, LockedFile::Wait::no);
    ASSERT_TRUE(first);
    EXPECT_TRUE(LockedFile::take(path, LockedFile::Wait::no).fails_with(ErrorKind::busy));
  }
  EXPECT_TRUE(LockedFile::take(path, LockedFile::Wait::no));
}

TEST(LockedFile, WhoWaitedForOneThatWasRemovedTakesTheOneThatIsThere) {
  const test::TemporaryDirectory directory;
  const std::filesystem::path path = directory / ".lock";
  std::optional<LockedFile> first = std::move(*LockedFile::take(path, LockedFile::Wait::yes));
  ASSERT_TRUE(first);
  auto waiting =
      std::async(std::launch::async, [&] { return LockedFile::take(path, LockedFile::Wait::yes); });
  EXPECT_EQ(waiting.wait_for(100ms), std::future_status::timeout);
  std::filesystem::remove(path);
  const auto third = LockedFile::take(path, LockedFile::Wait::yes);
  ASSERT_TRUE(third);
  EXPECT_FALSE(first->check()) << "it holds nothing any more";
  EXPECT_TRUE(third->check());
  first.reset();
  EXPECT_EQ(waiting.wait_for(100ms), std::future_status::timeout) << "the third has it";
}

}  // namespace
}  // namespace lookback::study
