// Reading JSON that may be of any shape: what is there is found, and everything else is nothing.
#include "lookback/base/json_access.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

namespace lookback::base {
namespace {

using nlohmann::json;

const json nested = {
    {"a", {{"b", {{"c", 3}}}}}, {"list", {1, 2}}, {"text", "word"}, {"none", nullptr}};

TEST(JsonAccess, FindsTheValueAtTheEndOfAPath) {
  const json* found = find_value(nested, {"a", "b", "c"});
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(*found, 3);
  EXPECT_EQ(find_value(nested, {}), &nested);
  ASSERT_NE(find_value(nested, {"none"}), nullptr);
  EXPECT_TRUE(find_value(nested, {"none"})->is_null());
}

TEST(JsonAccess, FindsNothingWhereAKeyOrAnObjectIsMissing) {
  EXPECT_EQ(find_value(nested, {"b"}), nullptr);
  EXPECT_EQ(find_value(nested, {"a", "c"}), nullptr);
  EXPECT_EQ(find_value(nested, {"a", "b", "c", "d"}), nullptr);
  EXPECT_EQ(find_value(nested, {"list", "0"}), nullptr);
  EXPECT_EQ(find_value(nested, {"text", ""}), nullptr);
  for (const json& other : {json(nullptr), json(3), json("a"), json::array({1}), json(true)}) {
    EXPECT_EQ(find_value(other, {"a"}), nullptr) << other;
    EXPECT_EQ(find_value(other, {}), &other);
  }
}

TEST(JsonAccess, ANumberIsFinite) {
  EXPECT_EQ(find_number(nested, {"a", "b", "c"}), 3.0);
  EXPECT_EQ(find_number(-0.5, {}), -0.5);
  EXPECT_EQ(find_number(UINT64_MAX, {}), 18446744073709551615.0);
  EXPECT_FALSE(find_number(std::numeric_limits<double>::infinity(), {}));
  EXPECT_FALSE(find_number(std::numeric_limits<double>::quiet_NaN(), {}));
  for (const json& other :
       {json(nullptr), json("3"), json(true), json::array({3}), json::object()}) {
    EXPECT_FALSE(find_number(other, {})) << other;
  }
  EXPECT_FALSE(find_number(nested, {"a", "x"}));
}

TEST(JsonAccess, ACountIsAWholeNumberThatIsNotNegative) {
  EXPECT_EQ(find_count(nested, {"a", "b", "c"}), 3U);
  EXPECT_EQ(find_count(0, {}), 0U);
  EXPECT_EQ(find_count(INT64_MAX, {}), static_cast<std::uint64_t>(INT64_MAX));
  EXPECT_EQ(find_count(UINT64_MAX, {}), UINT64_MAX);
  for (const json& other :
       {json(-1), json(INT64_MIN), json(3.0), json("3"), json(true), json(nullptr)}) {
    EXPECT_FALSE(find_count(other, {})) << other;
  }
  EXPECT_FALSE(find_count(nested, {"x"}));
}

TEST(JsonAccess, ATextIsEmptyWhereThereIsNone) {
  EXPECT_EQ(find_text(nested, {"text"}), "word");
  EXPECT_EQ(find_text("whole", {}), "whole");
  for (const char* key : {"list", "none", "a", "x"}) EXPECT_EQ(find_text(nested, {key}), "") << key;
}

TEST(JsonAccess, AnArrayIsEmptyWhereThereIsNone) {
  EXPECT_EQ(&find_array(nested, {"list"}), find_value(nested, {"list"}));
  EXPECT_EQ(find_array(nested, {"list"}).size(), 2U);
  for (const char* key : {"text", "none", "a", "x"}) {
    const json& none = find_array(nested, {key});
    EXPECT_TRUE(none.is_array()) << key;
    EXPECT_TRUE(none.empty()) << key;
  }
}

}  // namespace
}  // namespace lookback::base
