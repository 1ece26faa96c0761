#include "lookback/base/toml_place.h"

#include <gtest/gtest.h>

namespace lookback::base {
namespace {

const KnownKeys known = {{"", {"name", "seeds"}},
                         {"train", {"tokens", "batch"}},
                         {"clamp.a", {"tokens"}},
                         {"arm[]", {"name"}},
                         {"arm[].train", {"tokens", "batch"}},
                         {"claim[]", {"name", "test"}},
                         {"claim[].test[]", {"finding", "arm"}}};

std::string place(std::string_view key, std::string_view from) {
  return place_of(key, from, {&known}).value_or("nowhere");
}

TEST(PlaceOf, IsTheTableThatHasTheKey) {
  EXPECT_EQ(place("batch", ""), "in [train]");
  EXPECT_EQ(place("finding", "claim[3]"), "in [[claim.test]]");
  EXPECT_EQ(place("test", "claim[3].test[0]"), "in [[claim]]");
  EXPECT_EQ(place("seeds", "train"), "at the top of the file");
}

TEST(PlaceOf, IsTheNearestBelowTheTableItStandsIn) {
  EXPECT_EQ(place("tokens", ""), "in [train]");
  EXPECT_EQ(place("batch", "arm[1]"), "in [arm.train]");
}

TEST(PlaceOf, IsEveryOtherOneWhereNoneLiesBelow) {
  EXPECT_EQ(place("name", "train"), "at the top of the file or in [[arm]] or in [[claim]]");
}

TEST(PlaceOf, IsNowhereForAKeyOfNoOtherTable) {
  EXPECT_EQ(place("batches", ""), "nowhere");
  EXPECT_EQ(place("seeds", ""), "nowhere");
  EXPECT_EQ(place("name", "arm[0]"), "at the top of the file or in [[claim]]");
}

TEST(PlaceOf, TakesKeysFromSeveralReaders) {
  const KnownKeys other = {{"init", {"gain"}}};
  EXPECT_EQ(place_of("gain", "", {&known, &other}), "in [init]");
}

TEST(WithoutNumbers, LeavesTheBrackets) {
  EXPECT_EQ(without_numbers("claim[12].test[0]"), "claim[].test[]");
  EXPECT_EQ(without_numbers("train"), "train");
  EXPECT_EQ(without_numbers(""), "");
}

}  // namespace
}  // namespace lookback::base
