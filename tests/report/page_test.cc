#include "lookback/report/page.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "lookback/report/attention_data.h"
#include "lookback/report/frames_data.h"
#include "lookback/report/study_data.h"
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

TEST(PageData, SaysInACaptionWhatEveryFigureShowsAndHowItWasComputed) {
  StudyReport study = test::example_study();
  const Result<json> data = page_data(study);
  ASSERT_TRUE(data);
  for (const json& figure : (*data)["figures"]) {
    const auto caption = figure["caption"].get<std::string>();
    EXPECT_GT(caption.size(), 80U) << figure["id"];
    EXPECT_NE(caption.find("on 64 held-out sequences"), std::string::npos) << figure["id"];
    EXPECT_NE(caption.find("repeated-blocks"), std::string::npos) << figure["id"];
    EXPECT_NE(caption.find("interval"), std::string::npos) << figure["id"];
    EXPECT_FALSE(figure["variants"].empty()) << figure["id"];
  }
  study.arms[1].sequences = 128;
  EXPECT_NE((*page_data(study))["figures"][0]["caption"].get<std::string>().find("64 to 128"),
            std::string::npos);
}

TEST(PageData, HasTheCircuitsOfEveryCheckpoint) {
  const Result<json> data = page_data(test::example_study());
  ASSERT_TRUE(data) << data.error().message;
  const json& frames = (*data)["frames"];
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames[1]["arm"], 0);
  EXPECT_EQ(frames[1]["seed"], 1);
  EXPECT_EQ(frames[1]["side"], 2);
  ASSERT_EQ(frames[1]["checkpoints"].size(), 3U);
  EXPECT_EQ(frames[1]["checkpoints"][2]["tokens"], 10000);
  const json& circuit = frames[1]["checkpoints"][2]["circuits"][0];
  EXPECT_FALSE(circuit["map"].get<std::string>().empty());
  json rest = circuit;
  rest.erase("map");
  EXPECT_EQ(rest, (json{{"title", "QK of 1.0, keys through 0.1"},
                        {"kind", "k_composition"},
                        {"head", "1.0"},
                        {"from", "0.1"},
                        {"score", 0.1235},
                        {"matching", 3.5},
                        {"scale", 4.0},
                        {"eigenvalues", {{2.0, 0.25}, {-1.0, 0.0}}}}));
}

TEST(PageData, IsTheStudysPartWithTheOtherThree) {
  const StudyReport study = test::example_study();
  json data = *page_data(study);
  EXPECT_EQ(data["attention"], attention_data(study));
  EXPECT_EQ(data["frames"], frames_data(study));
  for (const char* part : {"attention", "lens", "frames"}) data.erase(part);
  EXPECT_EQ(data, study_data(study, study.notes));
  EXPECT_FALSE(data.contains("live"));
}

TEST(PageData, HasTheLedgerWhereThereIsOne) {
  StudyReport study = test::example_study();
  EXPECT_EQ((*page_data(study))["ledger"], nullptr);
  study.ledger = {{"claims", json::array()}};
  EXPECT_EQ((*page_data(study))["ledger"], study.ledger);
}

TEST(PageData, SaysHowFarAStudyIsThatHasNotEnded) {
  StudyReport study = test::example_study();
  EXPECT_EQ((*page_data(study))["progress"], nullptr);
  for (Arm& arm : study.arms) {
    for (report::Run& run : arm.runs) {
      run.planned_tokens = 10000;
      run.summary["tokens"] = 10000;
    }
  }
  study.arms[0].runs[0].summary["status"] = "diverged";
  study.arms[0].runs[0].summary["tokens"] = 4000;
  study.arms[0].runs[1].summary["status"] = "training";
  study.arms[0].runs[1].summary["tokens"] = 2500;
  study.arms[0].runs[1].summary["tokens_per_second"] = 50.5;
  const json progress = (*page_data(study))["progress"];
  EXPECT_EQ(progress["tokens_done"], 4000 + 2500 + 10000);
  EXPECT_EQ(progress["tokens_all"], 4000 + 10000 + 10000);
  ASSERT_EQ(progress["runs"].size(), 3U);
  EXPECT_EQ(progress["runs"][1], (json{{"arm", 0},
                                       {"seed", 1},
                                       {"tokens", 2500},
                                       {"of", 10000},
                                       {"status", "training"},
                                       {"tokens_per_second", 50.5}}));
  EXPECT_EQ(progress["runs"][2]["tokens_per_second"], nullptr);
}

TEST(PageData, LeavesOutLossesByPositionOfTheLargestSeedsWhereTheyAreTooMany) {
  StudyReport study = test::example_study();
  study.arms.resize(1);
  json& losses = study.arms[0].runs[1].metrics[1]["probes"]["repeated-blocks"]["loss_by_position"];
  losses = json::array();
  for (int i = 0; i < 150'000; ++i) losses.push_back(1.5);
  const json data = *page_data(study);
  const json& shown = data["figures"][4];
  EXPECT_EQ(shown["id"], "loss-by-position");
  EXPECT_NE(shown["caption"].get<std::string>().find("The largest seeds were left out"),
            std::string::npos);
  for (const json& row : shown["variants"][0]["spec"]["data"]["values"]) EXPECT_EQ(row["seed"], 0);
}

TEST(PageData, NeedsNoMapsAndNoMetrics) {
  StudyReport study = test::example_study();
  for (Arm& arm : study.arms) {
    for (report::Run& run : arm.runs) run.checkpoints.clear();
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
  for (const std::string name :
       {"induction-score", "second-half-loss", "second-half-loss-log", "loss-by-position",
        "probes-loss", "probes-score", "head-scores"}) {
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
                                 "patching-answer-v", "positional-0.0"}) {
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
