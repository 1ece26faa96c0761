// The number of threads changes nothing but the time.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/program/studies.h"

namespace lookback::program {
namespace {

/// What `lookback study` leaves with so many threads.
std::map<std::string, std::string> results_of_threads(const test::TemporaryDirectory& directory,
                                                      const std::string& study,
                                                      const std::string& threads) {
  const std::string out = directory / threads;
  const spec::Ended ended =
      spec::run(spec::lookback({"study", study, "--threads", threads, "--out", out}));
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  return spec::results(out);
}

TEST(SlowThreads, OneTwoThreeAndEightGiveTheSameBytes) {
  const test::TemporaryDirectory directory;
  const std::string study = spec::write_study(directory, spec::three_arms(40) + spec::clamps);
  const auto one = results_of_threads(directory, study, "1");
  EXPECT_TRUE(one.contains("sequential/seed-0/metrics.jsonl"));
  EXPECT_TRUE(one.contains("sequential/seed-0/findings.json"));
  EXPECT_TRUE(one.contains("sequential/seed-0/checkpoints/10240.safetensors"));
  for (const char* threads : {"2", "3", "8"}) {
    SCOPED_TRACE(threads);
    spec::expect_same_results(results_of_threads(directory, study, threads), one);
  }
}

TEST(SlowThreads, OneTwoAndThreeGiveTheSameBytesOfText) {
  const test::TemporaryDirectory directory;
  const std::string study = spec::write_text_study(directory, 40);
  const auto one = results_of_threads(directory, study, "1");
  for (const char* file :
       {"metrics.jsonl", "findings.json", "evaluation.json", "checkpoints/10240.safetensors"}) {
    EXPECT_TRUE(one.contains(std::string("ov/seed-0/") + file)) << file;
  }
  for (const char* threads : {"2", "3"}) {
    SCOPED_TRACE(threads);
    spec::expect_same_results(results_of_threads(directory, study, threads), one);
  }
}

}  // namespace
}  // namespace lookback::program
