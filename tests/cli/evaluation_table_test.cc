// The article's table, and that of heads: which rows there are, and what stands in their cells.
#include "lookback/cli/evaluation_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

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

/// The cells of the line with this label, the label first; none where there is no such line.
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
  for (const char* label : {"perplexity, validation text", "HellaSwag, acc", "LAMBADA, acc",
                            "induction bump, nats", "value-content ablation"}) {
    EXPECT_EQ(table.find(label), std::string::npos) << label << '\n' << table;
  }
}

TEST(EvaluationTable, WithoutAFigureThereIsNoRow) {
  const std::string label = "accuracy";
  EXPECT_EQ(evaluation_table({}).find(label), std::string::npos);
  EXPECT_EQ(evaluation_table({{"ov", {}}}).find(label), std::string::npos);
  EXPECT_EQ(evaluation_table({{"ov", {TaskResults{}}}}).find(label), std::string::npos);
}

TEST(EvaluationTable, TheArticlesFiguresStandBehindTheArms) {
  const std::string table = evaluation_table({{"ov", {copy_accuracy(0.25)}}});
  const Cells cells = row_of(table, "copy accuracy");
  ASSERT_GE(cells.size(), 4U) << table;
  EXPECT_EQ(cells[cells.size() - 2], "0.195");
  EXPECT_EQ(cells.back(), "0.556");
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
  EXPECT_TRUE(has_cell(row_of(table, "perplexity, validation text"), "24.65 +-0.12")) << table;
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
