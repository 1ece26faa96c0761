#include "lookback/base/go_on.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace lookback::base {
namespace {

TEST(RunWhile, RunsEveryTaskOnceAndTellsHowManyAreDone) {
  for (const std::size_t threads : {1U, 2U, 8U}) {
    Workers workers(threads);
    std::vector<std::atomic<int>> runs(500);
    const auto caller = std::this_thread::get_id();
    std::size_t most = 0;
    const GoOn go_on = [&](std::size_t done, std::size_t all) {
      EXPECT_EQ(std::this_thread::get_id(), caller);
      EXPECT_EQ(all, 500U);
      EXPECT_LE(done, all);
      EXPECT_GT(done, most);
      most = done;
      return true;
    };
    EXPECT_TRUE(run_while(go_on, workers, runs.size(),
                          [&](std::size_t task, std::size_t) { ++runs[task]; }));
    for (const auto& run : runs) EXPECT_EQ(run, 1);
  }
}

TEST(RunWhile, BeginsNothingMoreOnceItIsNotToGoOn) {
  Workers workers(1);
  std::size_t runs = 0;
  const auto until = [&](std::size_t last) {
    return run_while([&](std::size_t done, std::size_t) { return done < last; }, workers, 10,
                     [&](std::size_t, std::size_t) { ++runs; });
  };
  const Status run = until(4);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().message, stopped().message);
  EXPECT_EQ(runs, 4U);
  EXPECT_TRUE(until(10));  // a stop after the last leaves nothing undone
  EXPECT_EQ(runs, 14U);
}

TEST(RunWhile, SeveralWorkersStopTogether) {
  Workers workers(4);
  std::atomic<std::size_t> runs = 0;
  const Status run = run_while([](std::size_t, std::size_t) { return false; }, workers, 100'000,
                               [&](std::size_t, std::size_t) {
                                 ++runs;
                                 std::this_thread::sleep_for(std::chrono::milliseconds(1));
                               });
  ASSERT_FALSE(run);
  EXPECT_LT(runs, 1000U);
}

TEST(RunWhile, NobodyNeedListen) {
  Workers workers(2);
  std::atomic<int> runs = 0;
  EXPECT_TRUE(run_while({}, workers, 5, [&](std::size_t, std::size_t) { ++runs; }));
  EXPECT_EQ(runs, 5);
  EXPECT_TRUE(run_while({}, workers, 0, [](std::size_t, std::size_t) { FAIL(); }));
}

}  // namespace
}  // namespace lookback::base
