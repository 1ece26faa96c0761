#include "lookback/language/task_results.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/base/like.h"
#include "tests/language/evaluation_data.h"

namespace lookback::language {
namespace {

using nlohmann::json;

TaskResults two_tasks() {
  TaskResults results;
  results.tasks.push_back(
      {"hellaswag", 10042, 100, {{"acc", 0.25, 0.0434}, {"acc_norm", 0.3, 0.046}}});
  results.tasks.push_back({"wikitext", 62, 1, {{"word_perplexity", 37.5, std::nullopt}}});
  results.config = {{"model", "runs/a"}, {"limit", 100}};
  return results;
}

std::string results_refusal(const json& value) {
  const Result<TaskResults> results = parse_task_results(value);
  return results ? "none" : results.error().message;
}

TEST(TaskResults, HaveTheHarnesssShape) {
  EXPECT_EQ(to_json(two_tasks()), json::parse(R"({
    "results": {
      "hellaswag": {"alias": "hellaswag", "acc,none": 0.25, "acc_stderr,none": 0.0434,
                    "acc_norm,none": 0.3, "acc_norm_stderr,none": 0.046},
      "wikitext": {"alias": "wikitext", "word_perplexity,none": 37.5,
                   "word_perplexity_stderr,none": "N/A"}},
    "n-samples": {"hellaswag": {"original": 10042, "effective": 100},
                  "wikitext": {"original": 62, "effective": 1}},
    "config": {"model": "runs/a", "limit": 100}})"));
}

TEST(TaskResults, ComeBackFromAFile) {
  const TaskDirectory directory;
  const std::filesystem::path path = directory.path() / "results.json";
  ASSERT_TRUE(write_task_results(path, two_tasks()));
  const Result<TaskResults> back = read_task_results(path);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->tasks, two_tasks().tasks);
  EXPECT_EQ(back->config, two_tasks().config);
}

TEST(TaskResults, AnInfinitePerplexityIsNullInTheFileAndInfiniteBack) {
  TaskResults results = two_tasks();
  constexpr double infinite = std::numeric_limits<double>::infinity();
  results.tasks[1].metrics = {{"word_loss", 950, 3.0}, {"word_perplexity", infinite, std::nullopt}};
  const std::string text = to_json(results).dump();
  const json value = json::parse(text);  // which infinity would not survive
  EXPECT_EQ(value["results"]["wikitext"]["word_perplexity,none"], nullptr);
  EXPECT_EQ(value["results"]["wikitext"]["word_loss,none"], 950);
  const Result<TaskResults> back = parse_task_results(value);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->tasks, results.tasks);
}

TEST(TaskResults, WhatATaskWasAskedOfStandsBesideItsScore) {
  TaskResults results = two_tasks();
  results.tasks[0].about = {{"file", "hellaswag_val.jsonl"}, {"verified_as", nullptr}};
  const json value = to_json(results);
  EXPECT_EQ(value["configs"], json({{"hellaswag", results.tasks[0].about}}));
  const Result<TaskResults> back = parse_task_results(value);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->tasks, results.tasks);
  json wrong = value;
  wrong["configs"]["hellaswag"] = 3;
  EXPECT_TRUE(test::like(results_refusal(wrong), "results of hellaswag, \"configs\": *an object"));
}

TEST(TaskResults, AMetricIsFoundByName) {
  const TaskResults results = two_tasks();
  EXPECT_EQ(find_metric(results, "hellaswag", "acc_norm")->value, 0.3);
  EXPECT_EQ(find_metric(results, "hellaswag", "word_perplexity"), nullptr);
  EXPECT_EQ(find_metric(results, "copy", "acc"), nullptr);
}

TEST(TaskResults, ReadTheHarnesssOwn) {
  const Result<TaskResults> results = parse_task_results(json::parse(R"({
    "results": {"arc_easy": {"alias": "arc_easy", "acc,none": 0.5, "acc_stderr,none": 0.01,
                             "sample_len": 2376, "exact_match,flexible": 1}},
    "versions": {"arc_easy": 1},
    "n-samples": {"arc_easy": {"original": 2376, "effective": 2376}}})"));
  ASSERT_TRUE(results) << results.error().message;
  ASSERT_EQ(results->tasks.size(), 1U);
  EXPECT_EQ(results->tasks[0], (TaskScore{"arc_easy", 2376, 2376, {{"acc", 0.5, 0.01}}}));
  EXPECT_EQ(results->config, json::object());
}

TEST(TaskResults, RefuseWhatIsNoResult) {
  EXPECT_TRUE(test::like(results_refusal(json::array()), "*\"results\"*"));
  EXPECT_TRUE(test::like(results_refusal({{"results", 3}}), "*\"results\"*"));
  EXPECT_TRUE(test::like(results_refusal({{"results", json::object()}}), "*no task*\"results\"*"));
  EXPECT_TRUE(test::like(results_refusal({{"results", {{"a", 3}}}}),
                         "results of a, \"a\": *an object of metrics"));
  EXPECT_TRUE(test::like(results_refusal({{"results", {{"a", {{"alias", "a"}}}}}}),
                         "results of a, \"METRIC,none\": *"));
  EXPECT_TRUE(test::like(results_refusal({{"results", {{"a", {{"acc,none", "x"}}}}}}),
                         "results of a, \"acc,none\": *a finite number"));
  EXPECT_TRUE(test::like(results_refusal({{"results", {{"a", {{"acc,none", nullptr}}}}}}),
                         "results of a, \"acc,none\": *a finite number"));
}

TEST(TaskResults, RefuseNumbersThatDoNotFit) {
  json value = to_json(two_tasks());
  value["results"]["wikitext"]["word_perplexity_stderr,none"] = -1;
  EXPECT_TRUE(
      test::like(results_refusal(value),
                 "results of wikitext, \"word_perplexity_stderr,none\": *0 or more, or \"N/A\""));
  for (const json& samples :
       {json(), json(3), json{{"original", 3}}, json{{"original", 3}, {"effective", 4}},
        json{{"original", 3}, {"effective", 0}}, json{{"original", 3}, {"effective", -1}}}) {
    value = to_json(two_tasks());
    value["n-samples"]["wikitext"] = samples;
    EXPECT_TRUE(test::like(results_refusal(value),
                           "results of wikitext, \"n-samples\": *\"original\"*\"effective\"*"));
  }
  value = to_json(two_tasks());
  value["config"] = 3;
  EXPECT_TRUE(test::like(results_refusal(value), "\"config\" *"));
}

TEST(TaskResults, NameTheFileThatIsNone) {
  const TaskDirectory directory;
  const std::filesystem::path path = directory.path() / "results.json";
  EXPECT_FALSE(read_task_results(path));
  directory.write("results.json", "{\"results\":");
  EXPECT_EQ(read_task_results(path).error().message, path.string() + ": not a JSON object");
  directory.write("results.json", "{}");
  EXPECT_TRUE(test::like(read_task_results(path).error().message, "*\"results\"*"));
}

}  // namespace
}  // namespace lookback::language
