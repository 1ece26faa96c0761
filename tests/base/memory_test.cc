#include "lookback/base/memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "lookback/base/aligned.h"

namespace lookback::base {
namespace {

TEST(AvailableMemory, IsSomeOfTheMachines) {
  const auto available = available_memory();
  ASSERT_TRUE(available);
  EXPECT_GT(*available, 0U);
}

TEST(MemoryText, IsInTheUnitThatFits) {
  constexpr std::uint64_t mebi = 1 << 20, gibi = mebi << 10;
  EXPECT_EQ(memory_text(1), "1 MiB");
  EXPECT_EQ(memory_text(312 * mebi), "312 MiB");
  EXPECT_EQ(memory_text(gibi), "1.0 GiB");
  EXPECT_EQ(memory_text(6 * gibi - 200 * mebi), "5.8 GiB");
}

TEST(OutOfMemory, SaysHowMuchWasNeeded) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer ends the process that asks for too much";
#else
  constexpr std::size_t count = std::size_t{1} << 50;
  try {
    AlignedVector<float> numbers(count);
    FAIL() << "4 PiB were there";
  } catch (const OutOfMemory& error) {
    EXPECT_EQ(error.bytes(), count * sizeof(float));
  }
#endif
}

}  // namespace
}  // namespace lookback::base
