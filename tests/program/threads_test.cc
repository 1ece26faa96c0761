// The number of threads changes nothing but the time.
#include <gtest/gtest.h>

#include "tests/program/studies.h"

namespace lookback::program {
namespace {

TEST(SlowThreads, OneTwoThreeAndEightGiveTheSameBytes) {
  const test::TemporaryDirectory directory;
  const std::string study = spec::write_study(directory, spec::three_arms(40) + spec::clamps);
  const auto with_threads = [&](const std::string& threads) {
    const std::string out = directory / threads;
    const spec::Ended ended =
        spec::run(spec::lookback({"study", study, "--threads", threads, "--out", out}));
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return spec::results(out);
  };
  const auto one = with_threads("1");
  EXPECT_TRUE(one.contains("sequential/seed-0/metrics.jsonl"));
  EXPECT_TRUE(one.contains("sequential/seed-0/findings.json"));
  EXPECT_TRUE(one.contains("sequential/seed-0/checkpoints/10240.safetensors"));
  for (const char* threads : {"2", "3", "8"}) {
    SCOPED_TRACE(threads);
    spec::expect_same_results(with_threads(threads), one);
  }
}

}  // namespace
}  // namespace lookback::program
