// The line that shows where a run stands.
#include "lookback/cli/console.h"

#include <gtest/gtest.h>

#include "tests/study/small_study.h"

namespace lookback::cli {
namespace {

study::Progress progress_of(const std::string& arm, std::uint64_t seed) {
  return {arm, seed, 1'600'000, 2'000'000, 2.3456, 170'012.3, 250};
}

TEST(ProgressLine, OfOneRunHasItsTokensAsPeopleWriteThem) {
  EXPECT_EQ(progress_line(progress_of("two-layer", 3), nullptr),
            "two-layer seed 3: 1.6M of 2M tokens, loss 2.346, 170012 tokens/s, 4 min 10 s left");
}

TEST(ProgressLine, OfAStudySaysWhichOfItsRunsThisIs) {
  study::Overrides four_seeds;
  four_seeds.seeds = 4;
  const study::Study study = study::spec::parsed(study::spec::small_study, four_seeds);
  ASSERT_EQ(study.run_count(), 4 * study.arms.size());
  std::uint64_t number = 0;
  for (std::uint64_t seed = 0; seed < study.seeds; ++seed) {
    for (const study::RunConfig& arm : study.arms) {
      const std::string line = progress_line(progress_of(arm.arm, seed), &study);
      EXPECT_TRUE(line.starts_with("run " + std::to_string(++number) + " of " +
                                   std::to_string(study.run_count()) + ", " + arm.arm + " seed "))
          << line;
    }
  }
}

}  // namespace
}  // namespace lookback::cli
