#include "lookback/base/nearest.h"

#include <gtest/gtest.h>

#include <vector>

namespace lookback::base {
namespace {

TEST(EditDistance, CountsSingleChanges) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("heads", "heads"), 0u);
  EXPECT_EQ(edit_distance("heads", "head"), 1u);
  EXPECT_EQ(edit_distance("heads", "beads"), 1u);
  EXPECT_EQ(edit_distance("heads", "haeds"), 1u);  // neighbors exchanged
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("ca", "abc"), 3u);  // optimal string alignment, not Damerau's 2
}

TEST(Nearest, FindsTheMisspelledName) {
  const std::vector<std::string> names{"d_model", "layers", "heads", "learning_rate"};
  EXPECT_EQ(nearest("lerning_rate", names), "learning_rate");
  EXPECT_EQ(nearest("layer", names), "layers");
  EXPECT_EQ(nearest("heads", names), "heads");
}

TEST(Nearest, OffersNothingThatIsFarAway) {
  const std::vector<std::string> names{"d_model", "layers"};
  EXPECT_EQ(nearest("optimizer", names), std::nullopt);
  EXPECT_EQ(nearest("x", {}), std::nullopt);
  EXPECT_EQ(nearest(std::string(100000, 'x'), names), std::nullopt);
}

// A third of the longer name's letters, rounded up: 2 of 6, not 3.
TEST(Nearest, AllowsAThirdOfTheLetters) {
  const std::vector<std::string> names{"layers"};
  EXPECT_EQ(nearest("layxyy", names), std::nullopt);
  EXPECT_EQ(nearest("layexx", names), "layers");
}

TEST(Nearest, PrefersTheFirstOfEquals) {
  const std::vector<std::string> names{"beta1", "beta2"};
  EXPECT_EQ(nearest("beta3", names), "beta1");
}

}  // namespace
}  // namespace lookback::base
