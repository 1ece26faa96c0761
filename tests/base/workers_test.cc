// Threads that share out numbered tasks.
#include "lookback/base/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <vector>

namespace lookback::base {
namespace {

class WorkersOf : public testing::TestWithParam<std::size_t> {};

TEST_P(WorkersOf, RunEveryTaskOnceOnAWorkerThatExists) {
  Workers workers(GetParam());
  ASSERT_EQ(workers.count(), GetParam());
  for (const std::size_t tasks : {0U, 1U, 3U, 1000U}) {
    std::vector<std::atomic<int>> runs(tasks);
    std::atomic<bool> known = true;
    workers.run(tasks, [&](std::size_t index, std::size_t worker) {
      ++runs[index];
      if (worker >= GetParam()) known = false;
    });
    for (const auto& count : runs) EXPECT_EQ(count, 1);
    EXPECT_TRUE(known);
  }
}

TEST_P(WorkersOf, GiveTheCallerATasksExceptionAndGoOnAfterwards) {
  Workers workers(GetParam());
  for (int round = 0; round < 20; ++round) {
    EXPECT_THROW(workers.run(50,
                             [](std::size_t index, std::size_t) {
                               if (index % 7 == 3) throw std::bad_alloc();
                             }),
                 std::bad_alloc);
    std::atomic<int> done = 0;
    workers.run(50, [&](std::size_t, std::size_t) { ++done; });
    EXPECT_EQ(done, 50);
  }
}

INSTANTIATE_TEST_SUITE_P(Counts, WorkersOf, testing::Values(1U, 2U, 3U, 8U));

}  // namespace
}  // namespace lookback::base
