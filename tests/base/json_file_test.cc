// JSON in files: what is read and written, and that no text can exhaust the stack.
#include "lookback/base/json_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "lookback/base/file.h"
#include "tests/base/like.h"
#include "tests/base/temporary_directory.h"

namespace lookback::base {
namespace {

using nlohmann::json;

/// {"a":[[[...]]]} with `depth` brackets open at its middle.
std::string nested_json(std::size_t depth) {
  return "{\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
}

class JsonFile : public testing::Test {
 protected:
  Result<json> read(const std::string& text, std::size_t max_bytes = 1 << 20) {
    std::ofstream(file_, std::ios::binary) << text;
    return read_json_object(file_, max_bytes);
  }

  std::string refusal(const std::string& text, std::size_t max_bytes = 1 << 20) {
    const Result<json> found = read(text, max_bytes);
    if (found) return "read";
    const std::string& message = found.error().message;
    EXPECT_EQ(message.rfind(file_.string() + ": ", 0), 0U) << message;
    return message.substr(std::min(message.size(), file_.string().size() + 2));
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_ / "object.json";
};

TEST_F(JsonFile, GivesItsObject) {
  const Result<json> found = read(R"( {"a": [1, 2.5, {"b": null}], "c": "d"} )");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, json({{"a", {1, 2.5, {{"b", nullptr}}}}, {"c", "d"}}));
}

TEST_F(JsonFile, ThatIsTornOrNoObjectIsRefused) {
  for (const std::string text :
       {"", " ", "{", "{\"a\":", "{\"a\":1", "{\"a\":1}}", "{\"a\":1},", "[]", "null", "3",
        "\"{}\"", "{\"a\":\"\xff\"}", "{\"a\":1e999}"}) {
    EXPECT_EQ(refusal(text), "not a JSON object") << text;
  }
}

TEST_F(JsonFile, ThatIsTooLargeOrNoFileIsRefused) {
  const std::string text = R"({"a":1})";
  EXPECT_TRUE(read(text, text.size()));
  EXPECT_NE(refusal(text, text.size() - 1), "read");
  const Result<json> none = read_json_object(directory_ / "none.json", 100);
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("none.json: cannot open"), std::string::npos);
  EXPECT_FALSE(read_json_object(directory_.path(), 100));
}

TEST_F(JsonFile, IsWrittenOnlyAsLargeAsItIsRead) {
  const std::string text = R"({"a":1})";
  ASSERT_TRUE(write_json_text(file_, text, text.size()));
  EXPECT_TRUE(read_json_object(file_, text.size()));
  const Status refused = write_json_text(file_, R"({"a":12})", text.size());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message.find(file_.string() + ": "), 0U);
  EXPECT_EQ(*read_file(file_, 100), text) << "what was there stays";
}

TEST_F(JsonFile, IsReadDownToTheLimitAndNoDeeper) {
  EXPECT_TRUE(read(nested_json(deepest_json)));
  const std::string told = "found values nested deeper than 64 *";
  for (const std::size_t depth : {deepest_json + 1, std::size_t{200'000}}) {
    EXPECT_TRUE(test::like(refusal(nested_json(depth)), told));
    EXPECT_TRUE(test::like(refusal(nested_json(depth).substr(0, depth + 6)), told)) << "torn";
  }
  std::string objects;
  for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
  EXPECT_TRUE(test::like(refusal(objects), told));
}

TEST_F(JsonFile, BracketsInStringsAndSideBySideAreNotDepth) {
  json object = {{"text", std::string(1000, '[')},
                 {"\"[", "\\\"" + std::string(1000, '{')},
                 {"\\", std::string(1000, '[') + "\\"}};
  for (int i = 0; i < 1000; ++i) object["list"].push_back(json::array({json::object()}));
  const Result<json> found = read(object.dump());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, object);
}

TEST(ParseJson, GivesAnyValueAndDiscardsWhatIsNoneOrTooDeep) {
  EXPECT_EQ(parse_json("[1, null]"), json({1, nullptr}));
  EXPECT_TRUE(parse_json("null").is_null());
  EXPECT_TRUE(parse_json("").is_discarded());
  EXPECT_TRUE(parse_json("[1").is_discarded());
  EXPECT_FALSE(parse_json(nested_json(deepest_json)).is_discarded());
  EXPECT_TRUE(parse_json(nested_json(deepest_json + 1)).is_discarded());
}

}  // namespace
}  // namespace lookback::base
