#include "lookback/base/go_on.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace lookback::base {
namespace {

using Heard = std::vector<std::pair<std::size_t, std::size_t>>;

TEST(RunWhile, RunsEveryTaskOnceAndTellsHowManyAreDone) {
  for (const std::size_t threads : {1U, 3U}) {
    Workers workers(threads);
    std::vector<int> runs(100);
    Heard heard;
    const GoOn go_on = [&](std::size_t done, std::size_t all) {
      heard.emplace_back(done, all);
      EXPECT_EQ(std::accumulate(runs.begin(), runs.end(), 0), static_cast<int>(done));
      return true;
    };
    EXPECT_TRUE(run_while(go_on, workers, runs.size(),
                          [&](std::size_t task, std::size_t) { ++runs[task]; }));
    EXPECT_EQ(runs, std::vector<int>(100, 1));
    ASSERT_GT(heard.size(), 2U);
    EXPECT_EQ(heard.back(), std::pair(std::size_t{100}, std::size_t{100}));
  }
}

TEST(RunWhile, BeginsNothingMoreOnceItIsNotToGoOn) {
  Workers workers(2);
  std::vector<int> runs(100);
  std::size_t last = 0;
  const Status run = run_while(
      [&](std::size_t done, std::size_t) {
        last = done;
        return done < 40;
      },
      workers, runs.size(), [&](std::size_t task, std::size_t) { ++runs[task]; });
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().message, stopped().message);
  EXPECT_GE(last, 40U);
  EXPECT_LT(last, 100U);
  EXPECT_EQ(std::accumulate(runs.begin(), runs.end(), 0), static_cast<int>(last));
}

TEST(RunWhile, NobodyNeedListen) {
  Workers workers(2);
  std::vector<int> runs(5);
  EXPECT_TRUE(run_while({}, workers, 5, [&](std::size_t task, std::size_t) { ++runs[task]; }));
  EXPECT_EQ(runs, std::vector<int>(5, 1));
  EXPECT_TRUE(run_while({}, workers, 0, [](std::size_t, std::size_t) { FAIL(); }));
}

}  // namespace
}  // namespace lookback::base
