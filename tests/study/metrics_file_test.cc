// metrics.jsonl: appended to, cut back to a checkpoint, and what a kill may leave of it.
#include "lookback/study/metrics_file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/base/temporary_directory.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using nlohmann::json;

json line(std::uint64_t step) {
  return {{"step", step},
          {"tokens", step * 256},
          {"probes",
           {{"repeated-blocks",
             {{"first_half_loss", 2.5},
              {"second_half_loss", 1.0 / 3.0},
              {"heads", {{{"induction_score", 0.1}}}}}}}}};
}

class MetricsFile : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::uint64_t step : {0U, 1U, 4U}) {
      const Status appended = append_metrics(file_, line(step));
      ASSERT_TRUE(appended) << appended.error().message;
    }
  }

  void append(const std::string& text) { std::ofstream(file_, std::ios::app) << text; }

  std::vector<json> read(std::uint64_t last_step = UINT64_MAX) {
    const auto lines = read_metrics(file_, last_step);
    if (lines) return *lines;
    ADD_FAILURE() << lines.error().message;
    return {};
  }

  std::string refusal() {
    const auto lines = read_metrics(file_, UINT64_MAX);
    return lines ? "" : lines.error().message;
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_ / "metrics.jsonl";
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
  const auto lines = read_metrics(directory_ / "none.jsonl", UINT64_MAX);
  ASSERT_TRUE(lines);
  EXPECT_TRUE(lines->empty());
}

TEST_F(MetricsFile, ATornLastLineIsPassedOver) {
  const std::string next = line(7).dump();
  for (const std::size_t size : {std::size_t{1}, std::size_t{10}, next.size() - 1, next.size()}) {
    const std::string whole = spec::text_of(file_);
    append(next.substr(0, size));
    EXPECT_EQ(read().size(), 3U) << size << " bytes";
    std::ofstream(file_) << whole;
  }
}

TEST_F(MetricsFile, WrittenAnewItLosesTheTornLine) {
  append("{\"step\": 7, ");
  const Status written = write_metrics(file_, read());
  ASSERT_TRUE(written) << written.error().message;
  ASSERT_TRUE(append_metrics(file_, line(7)));
  EXPECT_EQ(read(), (std::vector<json>{line(0), line(1), line(4), line(7)}));
}

TEST_F(MetricsFile, AnyOtherLineThatIsNoneIsRefusedByItsNumber) {
  const std::string whole = spec::text_of(file_);
  json no_heads = line(7);
  no_heads["probes"]["repeated-blocks"]["heads"] = json::array();
  json no_probe = line(7);
  no_probe["probes"] = {{"random-repeat", 1}};
  json negative = line(7);
  negative["step"] = -7;
  json deep = line(7);
  deep["deep"] = json::parse(std::string(64, '[') + std::string(64, ']'));
  for (const std::string& bad :
       {deep.dump(), std::string(200'000, '['), std::string("{\"step\": 7, "), std::string("[]"),
        std::string("{}"), std::string("\0", 1), std::string(), std::string("{\"step\": 7}"),
        no_heads.dump(), no_probe.dump(), negative.dump()}) {
    std::ofstream(file_) << whole;
    append(bad + '\n' + line(8).dump() + '\n');
    EXPECT_EQ(refusal(), file_.string() + ":4: not a line of metrics") << bad;
  }
}

TEST_F(MetricsFile, AStepThatDoesNotRiseIsRefused) {
  const std::string whole = spec::text_of(file_);
  for (const std::uint64_t step : {4U, 1U}) {  // as two writers at once would leave them
    std::ofstream(file_) << whole << line(step).dump() << '\n';
    EXPECT_EQ(refusal(), fmt::format("{}:4: found step {} after step 4, allowed: steps that rise",
                                     file_.string(), step));
  }
}

TEST_F(MetricsFile, ADirectoryInItsPlaceIsAnError) {
  const Status appended = append_metrics(directory_.path(), line(9));
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().message, directory_.path().string() + ": cannot open: Is a directory");
}

}  // namespace
}  // namespace lookback::study
