// metrics.jsonl: appended to, cut back to a checkpoint, and what a kill may leave of it.
#include "lookback/study/metrics_file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "tests/base/temporary_directory.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using nlohmann::json;

json line(std::uint64_t step) {
  return {{"step", step},
          {"tokens", step * 256},
          {"main_probe", "repeated-blocks"},
          {"probes",
           {{"repeated-blocks",
             {{"first_half_loss", 2.5},
              {"second_half_loss", 1.0 / 3.0},
              {"heads", {{{"induction_score", 0.1}}}}}}}}};
}

const std::string identity = "0123456789abcdef";

std::string joined(std::initializer_list<std::string_view> texts) {
  std::string all;
  for (const std::string_view text : texts) all += text;
  return all;
}

class MetricsFile : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::uint64_t step : {0U, 1U, 4U}) {
      const Status appended = writer_.append(line(step));
      ASSERT_TRUE(appended) << appended.error().message;
    }
  }

  void append(const std::string& text) { std::ofstream(file_, std::ios::app) << text; }
  void put(const std::string& text) { std::ofstream(file_) << text; }

  /// The file with more lines, as the writer of this run adds them.
  std::string with(const std::vector<json>& more) {
    std::vector<json> lines = {line(0), line(1), line(4)};
    lines.insert(lines.end(), more.begin(), more.end());
    MetricsWriter writer(directory_ / "other.jsonl", identity);
    EXPECT_TRUE(writer.begin(lines));
    return spec::text_of(directory_ / "other.jsonl");
  }

  std::vector<json> read(std::uint64_t last_step = UINT64_MAX) {
    const auto lines = read_metrics(file_, identity, last_step);
    if (lines) return *lines;
    ADD_FAILURE() << lines.error().message;
    return {};
  }

  std::string refusal() {
    const auto lines = read_metrics(file_, identity);
    return lines ? "" : lines.error().message;
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_ / "metrics.jsonl";
  MetricsWriter writer_{file_, identity};
};

TEST_F(MetricsFile, GivesBackItsLinesToTheLastBit) {
  EXPECT_EQ(read(), (std::vector<json>{line(0), line(1), line(4)}));
}

TEST_F(MetricsFile, IsReadUpToAStep) {
  EXPECT_EQ(read(4).size(), 3U);
  EXPECT_EQ(read(3), (std::vector<json>{line(0), line(1)}));
  EXPECT_EQ(read(0), std::vector<json>{line(0)});
}

TEST_F(MetricsFile, ThatIsNotThereHasNoLines) {
  const auto lines = read_metrics(directory_ / "none.jsonl", identity);
  ASSERT_TRUE(lines);
  EXPECT_TRUE(lines->empty());
}

TEST_F(MetricsFile, ATornLastLineIsPassedOver) {
  const std::string whole = spec::text_of(file_);
  const std::string next = with({line(7)}).substr(whole.size());
  for (const std::size_t size : {std::size_t{1}, std::size_t{10}, next.size() - 1}) {
    put(whole + next.substr(0, size));
    EXPECT_EQ(read().size(), 3U) << size << " bytes";
    const auto found = read_whole_metrics(file_, identity);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->torn);
  }
  put(whole + next);
  EXPECT_EQ(read().size(), 4U);
}

TEST_F(MetricsFile, WrittenAnewItLosesTheTornLine) {
  append("{\"step\": 7, ");
  ASSERT_TRUE(writer_.begin(read()));
  ASSERT_TRUE(writer_.append(line(7)));
  EXPECT_EQ(read(), (std::vector<json>{line(0), line(1), line(4), line(7)}));
  EXPECT_EQ(spec::text_of(file_), with({line(7)}));
}

TEST_F(MetricsFile, EveryChangedBitIsNoticedInItsLine) {
  const std::string whole = spec::text_of(file_);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; bit += 3) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      put(damaged);
      const auto found = read_whole_metrics(file_, identity);
      ASSERT_TRUE(found);
      // The end of the last line is the one byte whose loss looks like a kill.
      EXPECT_TRUE(!found->fault.empty() || (found->torn && at + 1 == whole.size())) << at;
      EXPECT_LT(found->lines.size(), 3U) << at;
      EXPECT_EQ(found->lines.size(),
                std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(at), '\n'))
          << at;
    }
  }
}

TEST_F(MetricsFile, ALineThatIsRemovedMovedOrRepeatedIsNoticed) {
  const std::string whole = spec::text_of(file_);
  const std::size_t first = whole.find('\n') + 1, second = whole.find('\n', first) + 1;
  const std::string a = whole.substr(0, first), b = whole.substr(first, second - first),
                    c = whole.substr(second);
  EXPECT_EQ(a + b + c, whole);
  for (const auto& [text, number] : {std::pair{joined({b, c}), 1},
                                     {joined({a, c}), 2},
                                     {joined({b, a, c}), 1},
                                     {joined({a, a, b, c}), 2}}) {
    put(text);
    EXPECT_EQ(refusal().find(fmt::format("{}:{}: ", file_.string(), number)), 0U) << number;
  }
}

TEST_F(MetricsFile, ThatOfAnotherRunIsRefused) {
  EXPECT_TRUE(read_metrics(file_, identity));
  const auto lines = read_metrics(file_, "fedcba9876543210");
  ASSERT_FALSE(lines);
  EXPECT_EQ(lines.error().message.find(file_.string() + ":1: "), 0U);
}

TEST_F(MetricsFile, WithoutChecksumsAsOlderProgramsWroteItIsRefused) {
  put(line(0).dump() + '\n');
  EXPECT_EQ(refusal().find(file_.string() + ":1: "), 0U);
}

TEST_F(MetricsFile, ALineThatIsNoneIsRefusedByItsNumber) {
  json no_heads = line(7);
  no_heads["probes"]["repeated-blocks"]["heads"] = json::array();
  json no_probe = line(7);
  no_probe["probes"] = {{"random-repeat", 1}};
  json negative = line(7);
  negative["step"] = -7;
  json score = line(7);
  score["probes"]["repeated-blocks"]["heads"][0]["induction_score"] = 8.17;
  json loss = line(7);
  loss["probes"]["repeated-blocks"]["second_half_loss"] = -0.5;
  json deep = line(7);
  deep["deep"] = json::parse(std::string(64, '[') + std::string(64, ']'));
  for (const json& bad :
       {json{{"step", 7}}, no_heads, no_probe, negative, score, loss, deep, line(4), line(1)}) {
    put(with({bad, line(8)}));
    EXPECT_EQ(refusal().find(file_.string() + ":4: "), 0U) << bad.dump();
  }
  const std::string whole = spec::text_of(file_);
  for (const std::string& bad : {std::string(200'000, '['), std::string("{\"step\": 7, "),
                                 std::string("[]"), std::string("\0", 1), std::string()}) {
    put(with({}) + bad + '\n');
    EXPECT_EQ(refusal().find(file_.string() + ":4: "), 0U) << bad.substr(0, 20);
  }
}

TEST_F(MetricsFile, GrowsNoLargerThanItIsRead) {
  const std::size_t whole = with({line(7)}).size();
  MetricsWriter writer(file_, identity, whole);
  ASSERT_TRUE(writer.begin({line(0), line(1), line(4)}));
  EXPECT_TRUE(writer.append(line(7)));
  const Status refused = writer.append(line(9));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message.find(file_.string() + ": "), 0U);
  EXPECT_EQ(read(), (std::vector<json>{line(0), line(1), line(4), line(7)}));
}

TEST_F(MetricsFile, ADirectoryInItsPlaceIsAnError) {
  MetricsWriter writer(directory_.path(), identity);
  const Status appended = writer.append(line(9));
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().message, directory_.path().string() + ": cannot open: Is a directory");
}

}  // namespace
}  // namespace lookback::study
