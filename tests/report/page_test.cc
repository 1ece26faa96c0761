#include "lookback/report/page.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/base/temporary_directory.h"
#include "tests/report/example_lens.h"
#include "tests/report/example_study.h"

namespace lookback::report {
namespace {

using nlohmann::json;

const std::string page_template =
    "<title>{{title}}</title>"
    "<script type=\"application/json\" id=\"study-data\"></script>"
    "<script>show()</script>";
const std::string hostile = "</script><script>alert(1)</script><!-- & \"'";

/// What the script element with the data holds, as an HTML parser sees it: up to "</script".
std::string data_element(const std::string& page) {
  const std::string open = "id=\"study-data\">";
  const std::size_t begin = page.find(open) + open.size();
  return page.substr(begin, page.find("</script", begin) - begin);
}

/// What the limit is on: the text of all maps.
std::size_t map_bytes(const json& data) {
  std::size_t bytes = 0;
  for (const json& run : data["attention"]) {
    for (const json& checkpoint : run["checkpoints"]) {
      for (const json& head : checkpoint["heads"]) bytes += head["map"].get<std::string>().size();
    }
  }
  return bytes;
}

TEST(FillPage, PutsTitleAndDataInTheirPlaces) {
  const Result<std::string> page = fill_page(page_template, "a & b", {{"name", "x"}});
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(*page,
            "<title>a &amp; b</title>"
            "<script type=\"application/json\" id=\"study-data\">{\"name\":\"x\"}</script>"
            "<script>show()</script>");
}

TEST(FillPage, LetsNoNameEndTheElementItStandsIn) {
  const Result<std::string> page = fill_page(page_template, hostile, {{"name", hostile}});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->find("alert(1)</script>"), std::string::npos);
  EXPECT_EQ(page->find("<!--"), std::string::npos);
  EXPECT_EQ(json::parse(data_element(*page))["name"], hostile);
}

TEST(FillPage, TakesPlaceholdersInTheDataAsText) {
  const std::string name =
      "{{title}} <script type=\"application/json\" id=\"study-data\"></script>";
  const Result<std::string> page = fill_page(page_template, name, {{"name", name}});
  ASSERT_TRUE(page);
  EXPECT_EQ(json::parse(data_element(*page))["name"], name);
}

TEST(FillPage, ReplacesBytesThatAreNoText) {
  const Result<std::string> page = fill_page(page_template, "x", {{"name", "\xff"}});
  ASSERT_TRUE(page);
  EXPECT_EQ(json::parse(data_element(*page))["name"], "\xef\xbf\xbd");
}

TEST(FillPage, RefusesATemplateWithoutPlaces) {
  const Result<std::string> page = fill_page("<title>{{title}}</title>", "x", json::object());
  ASSERT_FALSE(page);
  EXPECT_NE(page.error().message.find("no place for the study's data"), std::string::npos);
}

TEST(PageData, HasEveryArmRunAndMap) {
  const Result<json> data = page_data(test::example_study());
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ((*data)["question"], "Does it look back?");
  EXPECT_EQ((*data)["arms"].size(), 2U);
  EXPECT_EQ((*data)["arms"][0]["runs"][1]["seed"], 1);
  EXPECT_EQ((*data)["checkpoints"], (json{0, 1000, 10000}));
  EXPECT_EQ((*data)["sequence"]["period"], 2);
  ASSERT_EQ((*data)["attention"].size(), 3U);
  const json& head = (*data)["attention"][0]["checkpoints"][2]["heads"][1];
  EXPECT_EQ(head["label"], "layer 0, head 1");
  EXPECT_EQ(head["induction"], 0.8);
  EXPECT_EQ(head["previous"], 0.1);
  EXPECT_FALSE(head["map"].get<std::string>().empty());
}

TEST(PageData, SaysInACaptionWhatEveryFigureShows) {
  const Result<json> data = page_data(test::example_study());
  ASSERT_TRUE(data);
  for (const json& figure : (*data)["figures"]) {
    EXPECT_GT(figure["caption"].get<std::string>().size(), 80U) << figure["id"];
    EXPECT_FALSE(figure["variants"].empty()) << figure["id"];
  }
}

TEST(PageData, ThinsOutMapsThatDoNotFitAndSaysSo) {
  StudyReport study = test::example_study();
  for (Arm& arm : study.arms) {
    for (report::Run& run : arm.runs) {
      const std::vector<AttentionMap> heads = run.attention[0].heads;
      run.attention.clear();
      for (std::uint64_t i = 0; i < 33; ++i) run.attention.push_back({1000 * i, heads});
    }
  }
  const std::size_t limit = map_bytes(*page_data(study)) / 8;
  const Result<json> data = page_data(study, limit);
  ASSERT_TRUE(data);
  EXPECT_LE(map_bytes(*data), limit);
  EXPECT_EQ((*data)["checkpoints"].back(), 32000);
  EXPECT_LT((*data)["checkpoints"].size(), 33U);
  ASSERT_EQ((*data)["notes"].size(), 1U);
  EXPECT_NE((*data)["notes"][0].get<std::string>().find("were left out"), std::string::npos);
}

TEST(PageData, NamesTheArmOfAMapOfTheWrongSize) {
  StudyReport study = test::example_study();
  study.arms[1].runs[0].attention[0].heads[0].weights.pop_back();
  const Result<json> data = page_data(study);
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().message,
            "arm 'alone': layer 0, head 0: attention map: found 15 weights, expected 4 x 4");
}

TEST(PageData, NeedsNoMapsAndNoMetrics) {
  StudyReport study = test::example_study();
  for (Arm& arm : study.arms) {
    for (report::Run& run : arm.runs) run.attention.clear();
  }
  EXPECT_EQ((*page_data(study))["checkpoints"], (json{1000, 10000}));
  for (Arm& arm : study.arms) {
    for (report::Run& run : arm.runs) run.metrics.clear();
  }
  EXPECT_TRUE((*page_data(study))["checkpoints"].empty());
  EXPECT_TRUE(page_data(StudyReport{}));
}

TEST(WriteReport, WritesThePageAndItsFigures) {
  const lookback::test::TemporaryDirectory directory;
  const Result<std::filesystem::path> path =
      write_report(directory.path(), test::example_study(), page_template);
  ASSERT_TRUE(path) << path.error().message;
  EXPECT_EQ(*path, directory / "report.html");
  for (const std::string name : {"induction-score", "second-half-loss", "second-half-loss-log",
                                 "loss-by-position", "probes-loss", "probes-score"}) {
    std::ifstream file(directory / "figures" / (name + ".vl.json"));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const json spec = json::parse(text, nullptr, false);
    ASSERT_TRUE(spec.is_object()) << name;
    EXPECT_TRUE(spec.contains("$schema")) << name;
  }
}

TEST(PageData, HasEachArmsConfigurationAndWhatTheLensFound) {
  StudyReport study = test::example_study();
  EXPECT_TRUE((*page_data(study))["lens"].empty());
  study.arms[1].runs[0].lens = test::example_lens();
  const Result<json> data = page_data(study);
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ((*data)["arms"][0]["configuration"], "[run]\narm = \"composed\"\n");
  ASSERT_EQ((*data)["lens"].size(), 1U);
  EXPECT_EQ((*data)["lens"][0]["arm"], 1);
}

TEST(WriteReport, WritesTheLensFiguresOfEachArmsFirstModelIntoAFolderOfItsOwn) {
  StudyReport study = test::example_study();
  study.arms[0].runs[0].lens = test::example_lens();
  study.arms[0].runs[1].lens = test::example_lens();
  study.arms[0].runs[1].lens->composition.clear();
  const lookback::test::TemporaryDirectory directory;
  ASSERT_TRUE(write_report(directory.path(), study, page_template));
  for (const std::string name : {"ablation-inputs-1.0", "eigenvalues-ov-0.0", "composition",
                                 "patching-answer-v", "positional"}) {
    std::ifstream file(directory / ("figures/composed/" + name + ".vl.json"));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const json spec = json::parse(text, nullptr, false);
    ASSERT_TRUE(spec.is_object()) << name;
    EXPECT_TRUE(spec.contains("$schema")) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(directory / "figures/alone"));
}

TEST(WriteReport, LeavesTheOldPageWhenItFails) {
  const lookback::test::TemporaryDirectory directory;
  std::ofstream(directory / "report.html") << "old";
  EXPECT_FALSE(write_report(directory.path(), test::example_study(), "no places"));
  std::ifstream file(directory / "report.html");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, "old");
}

}  // namespace
}  // namespace lookback::report
