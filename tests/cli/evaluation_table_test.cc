// The article's table, and that of heads: which rows there are, and what stands in their cells.
#include "lookback/cli/evaluation_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "lookback/base/checksum.h"
#include "lookback/language/read_tokenizer.h"
#include "lookback/language/tokenizer_json.h"

namespace lookback::cli {
namespace {

using Cells = std::vector<std::string>;
using language::Metric;
using language::TaskResults;

/// A line's cells: two spaces or more stand between them.
Cells cells_of(const std::string& line) {
  Cells cells;
  for (std::size_t at = line.find_first_not_of(' '); at != std::string::npos;) {
    const std::size_t end = line.find("  ", at);
    cells.push_back(line.substr(at, end - at));
    at = end == std::string::npos ? end : line.find_first_not_of(' ', end);
  }
  return cells;
}

std::vector<Cells> lines_of(const std::string& table) {
  std::vector<Cells> lines;
  std::istringstream text(table);
  for (std::string line; std::getline(text, line);) lines.push_back(cells_of(line));
  return lines;
}

/// The cells of the line with this label, the label first; none if there is no such line.
Cells row_of(const std::string& table, const std::string& label) {
  for (const Cells& cells : lines_of(table)) {
    if (!cells.empty() && cells.front() == label) return cells;
  }
  return {};
}

bool has_cell(const Cells& cells, const std::string& cell) {
  return std::ranges::find(cells, cell) != cells.end();
}

/// A run's results of one task over a hundred documents.
TaskResults results_of(const std::string& task, const std::vector<Metric>& metrics) {
  TaskResults results;
  results.tasks.push_back({.name = task, .original = 777, .documents = 100, .metrics = metrics});
  return results;
}

/// With the tokenizer of the article's models.
TaskResults with_gpt2_tokens(TaskResults results) {
  results.config["tokenizer"]["checksum"] = gpt2_tokenizer;
  return results;
}

TaskResults copy_accuracy(double value, std::optional<double> error = 0.03) {
  return results_of("copy", {{"acc", value, error}});
}

TEST(EvaluationTable, OfOneRunACellHasTheStandardErrorOverDocuments) {
  const std::string table = evaluation_table({{"ov", {copy_accuracy(0.25)}}});
  EXPECT_TRUE(has_cell(row_of(table, "copy accuracy"), "0.250 +-0.030")) << table;
}

TEST(EvaluationTable, OfOneRunWithoutAnErrorACellIsTheValueAlone) {
  const std::string table = evaluation_table({{"ov", {copy_accuracy(0.25, std::nullopt)}}});
  EXPECT_TRUE(has_cell(row_of(table, "copy accuracy"), "0.250")) << table;
}

TEST(EvaluationTable, OfSeveralRunsACellIsTheMeanAndTheDeviationBetweenThem) {
  const std::string table =
      evaluation_table({{"ov", {copy_accuracy(0.1), copy_accuracy(0.2), copy_accuracy(0.6)}}});
  // Deviations -0.2, -0.1 and 0.3 from 0.3: sqrt(0.14 / 2).
  EXPECT_TRUE(has_cell(row_of(table, "copy accuracy"), "0.300 +-0.265")) << table;
}

TEST(EvaluationTable, RunsThatLackAMetricDoNotCountInItsCell) {
  const TaskResults other = results_of("lookup", {{"acc", 0.5, 0.1}});
  const TaskResults unknown = results_of("copy", {{"acc_norm", 0.9, 0.1}});
  const std::string table = evaluation_table(
      {{"ov", {copy_accuracy(0.2), other, copy_accuracy(0.4), unknown, TaskResults{}}}});
  EXPECT_TRUE(has_cell(row_of(table, "copy accuracy"), "0.300 +-0.141")) << table;
  EXPECT_TRUE(has_cell(row_of(table, "lookup accuracy"), "0.500 +-0.100")) << table;
}

TEST(EvaluationTable, AnArmWithoutAMetricHasADashBesideTheOthersFigure) {
  const std::string table = evaluation_table(
      {{"ov", {copy_accuracy(0.25)}}, {"none", {}}, {"no-ov", {copy_accuracy(0.75)}}});
  const Cells cells = row_of(table, "copy accuracy");
  const auto ov = std::ranges::find(cells, "0.250 +-0.030");
  ASSERT_LT(cells.end() - ov, static_cast<std::ptrdiff_t>(cells.size())) << table;
  ASSERT_GT(cells.end() - ov, 2) << table;
  EXPECT_EQ(ov[1], "-") << table;
  EXPECT_EQ(ov[2], "0.750 +-0.030") << table;
}

TEST(EvaluationTable, RowsThatNoRunHasAreLeftOut) {
  const std::string table = evaluation_table(
      {{"ov", {copy_accuracy(0.25)}}, {"no-ov", {results_of("lookup", {{"acc", 0.5, 0.1}})}}});
  EXPECT_FALSE(row_of(table, "copy accuracy").empty()) << table;
  EXPECT_FALSE(row_of(table, "lookup accuracy").empty()) << table;
  for (const char* label : {"perplexity per token, validation text", "HellaSwag, acc",
                            "LAMBADA, acc", "induction bump, nats", "value-content ablation"}) {
    EXPECT_EQ(table.find(label), std::string::npos) << label << '\n' << table;
  }
}

TEST(EvaluationTable, WithoutAFigureThereIsNoRow) {
  const std::string label = "accuracy";
  EXPECT_EQ(evaluation_table({}).find(label), std::string::npos);
  EXPECT_EQ(evaluation_table({{"ov", {}}}).find(label), std::string::npos);
  EXPECT_EQ(evaluation_table({{"ov", {TaskResults{}}}}).find(label), std::string::npos);
}

/// All figures of the article that a table with them has.
TaskResults results_of_every_article_task() {
  TaskResults results = results_of("perplexity", {{"token_perplexity", 11.5, 0.2}});
  const auto add = [&](const std::string& task, const std::string& metric) {
    results.tasks.push_back(results_of(task, {{metric, 0.5, 0.1}}).tasks.front());
  };
  for (const char* task : {"hellaswag", "arc_easy", "arc_challenge"}) add(task, "acc_norm");
  for (const char* task : {"lambada", "copy", "lookup"}) add(task, "acc");
  add("induction", "induction_bump");
  add("value-content", "perplexity_ratio");
  return results;
}

/// The labels of the rows that have the article's figures.
Cells compared_in(const std::string& table) {
  const std::vector<Cells> lines = lines_of(table);
  Cells labels;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].size() == lines[0].size() + 1) labels.push_back(lines[i].front());  // and a label
  }
  return labels;
}

TEST(EvaluationTable, TheArticlesFiguresStandBehindTheArmsOfItsVocabulary) {
  const TaskResults results = with_gpt2_tokens(results_of_every_article_task());
  const std::string table = evaluation_table({{"ov", {results}}});
  EXPECT_EQ(compared_in(table).size(), 9U) << table;
  const Cells perplexity = row_of(table, "perplexity per token, validation text");
  EXPECT_EQ(perplexity.back(), "26.73") << table;
  EXPECT_EQ(evaluation_notes({{"ov", {results}}}), "");
}

TEST(EvaluationTable, OfAnotherVocabularyOnlySharesOfDocumentsAreCompared) {
  TaskResults other = results_of_every_article_task();
  other.config["tokenizer"]["checksum"] = "0123456789abcdef";
  const TaskResults gpt2 = with_gpt2_tokens(results_of_every_article_task());
  const TaskResults unknown = results_of_every_article_task();
  const Cells of_documents = {"HellaSwag, acc_norm", "ARC-Easy, acc_norm",
                              "ARC-Challenge, acc_norm", "LAMBADA, acc"};
  for (const std::vector<TaskResults>& runs :
       {std::vector{other}, std::vector{unknown}, std::vector{gpt2, other}}) {
    const std::string table = evaluation_table({{"ov", runs}});
    EXPECT_EQ(compared_in(table), of_documents) << table;
    const std::string notes = evaluation_notes({{"ov", runs}});
    for (const char* label : {"perplexity per token", "induction bump", "copy accuracy",
                              "lookup accuracy", "value-content ablation"}) {
      EXPECT_NE(notes.find(label), std::string::npos) << notes;
    }
    EXPECT_EQ(notes.find("HellaSwag"), std::string::npos) << notes;
  }
}

TEST(EvaluationTable, WithoutAFigureToCompareThereIsNoColumnOfTheArticle) {
  const std::string table = evaluation_table({{"ov", {copy_accuracy(0.25)}}});
  EXPECT_EQ(table.find("article"), std::string::npos) << table;
  EXPECT_EQ(row_of(table, "copy accuracy").back(), "0.250 +-0.030") << table;
}

TEST(EvaluationTable, TheArticlesTokenizerIsThatOfGpt2sFiles) {
  const char* data = std::getenv("LOOKBACK_DATA");
  const std::filesystem::path files =
      data != nullptr ? std::filesystem::path(data)
                      : std::filesystem::path(LOOKBACK_SOURCE_DIR) / "../shared/data";
  if (!std::filesystem::exists(files / "tokenizer")) {
    GTEST_SKIP() << "GPT-2's tokenizer is not there: LOOKBACK_DATA names the folder with it";
  }
  const auto tokenizer = language::read_tokenizer(files / "tokenizer");
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const std::string text = language::to_tokenizer_json(tokenizer->vocabulary());
  EXPECT_EQ(base::checksum_text({base::bytes_of(text)}), gpt2_tokenizer);
}

// A deviation of 0 would say that they are known exactly: of 100 documents Clopper and Pearson's
// interval reaches to 0.025^(1/100).
TEST(EvaluationTable, AShareOfAllOrNothingHasItsExactInterval) {
  const auto cell = [](const std::vector<TaskResults>& runs) {
    return row_of(evaluation_table({{"ov", runs}}), "copy accuracy").back();
  };
  EXPECT_EQ(cell({copy_accuracy(1, 0)}), "1.000 [0.964, 1.000]");
  EXPECT_EQ(cell({copy_accuracy(0, 0)}), "0.000 [0.000, 0.036]");
  TaskResults few = copy_accuracy(1, 0);
  few.tasks[0].documents = 4;  // the same ones in every run, and no more of them with more runs
  EXPECT_EQ(cell({copy_accuracy(1, 0), few, copy_accuracy(1, 0)}), "1.000 [0.398, 1.000]");
  EXPECT_EQ(cell({copy_accuracy(1, 0), copy_accuracy(0, 0)}), "0.500 +-0.707");
  // Only of what is a share.
  const std::string table =
      evaluation_table({{"ov",
                         {results_of("copy", {{"acc", 1, 0.0}}),
                          results_of("induction", {{"induction_bump", 1, 0.0}})}}});
  EXPECT_EQ(row_of(table, "induction bump, nats").back(), "1.000 +-0.000");
}

TEST(EvaluationTable, APerplexityBeyondNumbersStandsBesideItsLoss) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const TaskResults results = results_of(
      "lambada",
      {{"perplexity", infinite, std::nullopt}, {"loss", 812.5, 3.25}, {"acc", 0.5, 0.1}});
  for (const std::size_t runs : {1, 2}) {
    const std::string table = evaluation_table({{"ov", std::vector<TaskResults>(runs, results)}});
    EXPECT_TRUE(has_cell(row_of(table, "LAMBADA, perplexity"), "inf")) << table;
    EXPECT_EQ(row_of(table, "LAMBADA, loss per word, nats")[2].substr(0, 7), "812.500") << table;
  }
  const TaskResults large = results_of("lambada", {{"perplexity", 1.2345e300, 1.0e299}});
  EXPECT_TRUE(has_cell(row_of(evaluation_table({{"ov", {large}}}), "LAMBADA, perplexity"),
                       "1.23e+300 +-1e+299"));
}

TEST(EvaluationNotes, NameFilesThatAreNotThoseOfGetData) {
  TaskResults results = results_of("arc_easy", {{"acc", 0.5, 0.1}});
  EXPECT_EQ(evaluation_notes({{"ov", {results}}}), "");  // of which nothing is known
  results.tasks[0].about = {
      {"file", "arc_easy_test.jsonl"}, {"sha256", "abc123"}, {"verified_as", nullptr}};
  const std::string notes = evaluation_notes({{"ov", {results, results}}});
  EXPECT_NE(notes.find("arc_easy_test.jsonl"), std::string::npos) << notes;
  EXPECT_NE(notes.find("abc123"), std::string::npos) << notes;
  EXPECT_EQ(std::ranges::count(notes, '\n'), 1) << notes;  // once for all runs
  results.tasks[0].about["verified_as"] = "evals/arc_easy_test.jsonl";
  EXPECT_EQ(evaluation_notes({{"ov", {results}}}), "");
}

TEST(EvaluationNotes, NameTextsThatAreNotThoseOfGetData) {
  TaskResults results = with_gpt2_tokens(results_of("perplexity", {{"loss", 3.5, 0.1}}));
  nlohmann::json& about = results.tasks[0].about;
  const auto notes = [&] { return evaluation_notes({{"ov", {results}}}); };
  about = {{"windows", "spread"}, {"text", {{"files", 17}, {"verified", 17}}}};
  EXPECT_EQ(notes(), "");
  about["text"]["verified"] = 15;
  EXPECT_NE(notes().find("15 of the 17 files"), std::string::npos) << notes();
  about["text"]["files"] = nullptr;  // not known
  EXPECT_EQ(notes(), "");
}

TEST(EvaluationTable, OfATaskWithTwoAccuraciesEachHasARow) {
  const std::string table = evaluation_table(
      {{"ov", {results_of("hellaswag", {{"acc", 0.25, 0.01}, {"acc_norm", 0.5, 0.02}})}}});
  EXPECT_TRUE(has_cell(row_of(table, "HellaSwag, acc"), "0.250 +-0.010")) << table;
  EXPECT_TRUE(has_cell(row_of(table, "HellaSwag, acc_norm"), "0.500 +-0.020")) << table;
  EXPECT_TRUE(has_cell(row_of(table, "HellaSwag, acc_norm"), "0.309")) << table;
}

TEST(EvaluationTable, FiguresHaveTheDigitsOfTheirKind) {
  TaskResults results = results_of("perplexity", {{"token_perplexity", 24.6543, 0.1234}});
  results.tasks.push_back({.name = "lambada",
                           .original = 9,
                           .documents = 9,
                           .metrics = {{"perplexity", 123.456, 7.89}}});
  const std::string table = evaluation_table({{"ov", {results}}});
  EXPECT_TRUE(has_cell(row_of(table, "perplexity per token, validation text"), "24.65 +-0.12"))
      << table;
  EXPECT_TRUE(has_cell(row_of(table, "LAMBADA, perplexity"), "123.5 +-7.9")) << table;
}

nlohmann::json head(int layer, int number, double induction, double previous) {
  return {{"layer", layer},
          {"head", number},
          {"induction_score", induction},
          {"previous_token_score", previous}};
}

TaskResults with_heads(const nlohmann::json& heads) {
  TaskResults results;
  results.config["heads"] = heads;
  return results;
}

TEST(HeadTable, TheBestAtInductionStandsFirst) {
  const std::vector<Cells> lines = lines_of(head_table(
      with_heads({head(0, 0, 0.1, 0.9), head(1, 10, 0.75, 0.0625), head(1, 2, 0.1, 0)})));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[1], (Cells{"1.10", "0.750", "0.062"}));
  EXPECT_EQ(lines[2], (Cells{"0.0", "0.100", "0.900"}));  // equals in the model's order
  EXPECT_EQ(lines[3], (Cells{"1.2", "0.100", "0.000"}));
}

TEST(HeadTable, AHeadThatLacksAScoreIsLeftOut) {
  nlohmann::json lacking = head(0, 1, 0.5, 0.5);
  lacking.erase("previous_token_score");
  const nlohmann::json heads = {lacking, "no head", head(0, 0, 0.25, 0.5)};
  const std::vector<Cells> lines = lines_of(head_table(with_heads(heads)));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[1].front(), "0.0");
}

TEST(HeadTable, WithoutHeadsThereIsNone) {
  EXPECT_EQ(head_table({}), "");
  EXPECT_EQ(head_table(with_heads(nlohmann::json::array())), "");
  EXPECT_EQ(head_table(with_heads("none")), "");
}

}  // namespace
}  // namespace lookback::cli
