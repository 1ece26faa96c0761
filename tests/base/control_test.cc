#include "lookback/base/control.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace lookback::base {
namespace {

TEST(RunTasks, RunsEveryTaskOnceAndReportsHowManyAreDone) {
  for (const std::size_t threads : {1U, 2U, 8U}) {
    Workers workers(threads);
    std::vector<std::atomic<int>> runs(500);
    const auto caller = std::this_thread::get_id();
    std::size_t most = 0;
    const auto progress = [&](std::size_t done, std::size_t all) {
      EXPECT_EQ(std::this_thread::get_id(), caller);
      EXPECT_EQ(all, 500U);
      EXPECT_LE(done, all);
      EXPECT_GT(done, most);
      most = done;
    };
    EXPECT_TRUE(run_tasks({{}, progress}, workers, runs.size(),
                          [&](std::size_t task, std::size_t) { ++runs[task]; }));
    for (const auto& run : runs) EXPECT_EQ(run, 1);
  }
}

TEST(RunTasks, BeginsNothingMoreOnceAStopIsRequested) {
  Workers workers(1);
  std::size_t runs = 0;
  const auto stopped_after = [&](std::size_t last) {
    std::stop_source stop;
    const auto progress = [&](std::size_t done, std::size_t) {
      if (done == last) stop.request_stop();
    };
    return run_tasks({stop.get_token(), progress}, workers, 10,
                     [&](std::size_t, std::size_t) { ++runs; });
  };
  const Status run = stopped_after(4);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().kind, ErrorKind::stopped);
  EXPECT_EQ(runs, 4U);
  EXPECT_TRUE(stopped_after(10));  // a stop after the last leaves nothing undone
  EXPECT_EQ(runs, 14U);
}

TEST(RunTasks, SeveralWorkersStopTogether) {
  Workers workers(4);
  std::atomic<std::size_t> runs = 0;
  std::stop_source stop;
  const Status run =
      run_tasks({stop.get_token(), {}}, workers, 100'000, [&](std::size_t, std::size_t) {
        if (++runs == 10) stop.request_stop();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      });
  ASSERT_FALSE(run);
  EXPECT_LT(runs, 20U);
}

TEST(RunTasks, NobodyNeedListenOrStop) {
  Workers workers(2);
  std::atomic<int> runs = 0;
  EXPECT_TRUE(run_tasks({}, workers, 5, [&](std::size_t, std::size_t) { ++runs; }));
  EXPECT_EQ(runs, 5);
  EXPECT_TRUE(run_tasks({}, workers, 0, [](std::size_t, std::size_t) { FAIL(); }));
}

}  // namespace
}  // namespace lookback::base
