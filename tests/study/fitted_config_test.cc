#include "lookback/study/fitted_config.h"

#include <gtest/gtest.h>

namespace lookback::study {
namespace {

model::Architecture of_context(std::size_t context) {
  model::Architecture a;
  a.context = context;
  return a;
}

TEST(FittedConfig, IsValidForEveryContext) {
  for (std::size_t context = 2; context < 300; ++context) {
    const RunConfig config = fitted_config(of_context(context), context);
    const Status valid = validate(config);
    EXPECT_TRUE(valid) << context << ": " << valid.error().message;
    EXPECT_EQ(config.evaluate.probes.size() == 4, context >= 4) << context;
    EXPECT_EQ(config.data.length, context == 2 ? 2 : context / 2 * 2);
  }
}

TEST(FittedConfig, IsTheDefaultTaskWhereThatFits) {
  const RunConfig config = fitted_config(of_context(1024), 256);
  EXPECT_EQ(config.data, (DataConfig{.length = 256}));
  EXPECT_EQ(fitted_config(of_context(1024), 1024).data.length, 1024U);
}

TEST(FittedConfig, KeepsPeriodsThatAreAskedFor) {
  const RunConfig config = fitted_config(of_context(60), 60, {4, 30});
  EXPECT_EQ(config.data.task.range("period"), (base::Range{4, 30}));
  EXPECT_TRUE(validate(config));
  // Two copies and a gap of 30 do not fit: without the probe that needs them.
  EXPECT_EQ(config.evaluate.probes.size(), 3U);
  EXPECT_EQ(fitted_config(of_context(60), 60, {{}, 12}).data.task.range("period").first, 4);
  EXPECT_FALSE(validate(fitted_config(of_context(60), 60, {{}, 31})));
}

}  // namespace
}  // namespace lookback::study
