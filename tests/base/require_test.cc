#include "lookback/base/require.h"

#include <gtest/gtest.h>

namespace lookback::base {
namespace {

TEST(RequireDeathTest, ABreachNamesFileLineAndCondition) {
  const int found = 3;
  EXPECT_DEATH(LOOKBACK_REQUIRE(found < 3), "require_test.cc:[0-9]+: requires found < 3");
}

TEST(Require, AConditionThatHoldsIsEvaluatedOnce) {
  int evaluated = 0;
  LOOKBACK_REQUIRE(++evaluated == 1);
  EXPECT_EQ(evaluated, 1);
}

TEST(RequireDeathTest, TheOneOfInnerLoopsIsForBuildsWithAssertions) {
  int evaluated = 0;
  LOOKBACK_REQUIRE_DEBUG(++evaluated == 1);
#ifdef NDEBUG
  EXPECT_EQ(evaluated, 0);
#else
  EXPECT_EQ(evaluated, 1);
  EXPECT_DEATH(LOOKBACK_REQUIRE_DEBUG(evaluated == 0), "requires evaluated == 0");
#endif
}

}  // namespace
}  // namespace lookback::base
