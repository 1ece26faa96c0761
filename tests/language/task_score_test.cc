#include "lookback/language/task_score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/base/like.h"
#include "tests/language/evaluation_data.h"

namespace lookback::language {
namespace {

Document choices(const std::vector<std::string>& texts, std::size_t gold) {
  Document document;
  for (const std::string& text : texts) document.requests.push_back({"q", " " + text});
  document.gold = gold;
  return document;
}

Document page(std::string text, std::size_t words) {
  Document document;
  document.words = words;
  document.bytes = text.size();
  document.requests.push_back({"", std::move(text)});
  return document;
}

/// A model that gives these answers, whatever is asked.
Model answering(const std::vector<Answer>& answers) {
  return [answers](std::span<const Window>) { return Result<std::vector<Answer>>(answers); };
}

Result<TaskScore> try_score(const Task& task, const Model& model, std::size_t context = 100) {
  return evaluate_task(task, a_token_a_byte, context, 0, model);
}

TaskScore score_of(const Task& task, const Model& model, std::size_t context = 100) {
  Result<TaskScore> score = try_score(task, model, context);
  EXPECT_TRUE(score) << score.error().message;
  return score ? *score : TaskScore{};
}

const Metric& metric_of(const TaskScore& score, std::string_view name) {
  static const Metric none;
  for (const Metric& metric : score.metrics) {
    if (metric.name == name) return metric;
  }
  ADD_FAILURE() << "no " << name;
  return none;
}

TEST(EvaluateTask, AccuracyIsThatOfTheMostProbableChoice) {
  const Task task{"arc_easy",
                  TaskKind::multiple_choice,
                  {choices({"aa", "b"}, 0), choices({"aa", "b"}, 1), choices({"aa", "b"}, 1)},
                  7};
  const TaskScore score = score_of(task, answering({{-1.5}, {-1}, {-3}, {-1}, {-1}, {-2}}));
  EXPECT_EQ(score.name, "arc_easy");
  EXPECT_EQ(score.original, 7U);
  EXPECT_EQ(score.documents, 3U);
  EXPECT_DOUBLE_EQ(metric_of(score, "acc").value, 1.0 / 3);
  // By length the first scores -0.75 against -1, and is right; the second -1.5 against -1.
  EXPECT_DOUBLE_EQ(metric_of(score, "acc_norm").value, 2.0 / 3);
  // Shares p of n: sqrt(p (1 - p) / (n - 1)).
  EXPECT_DOUBLE_EQ(*metric_of(score, "acc").standard_error, std::sqrt(2.0 / 9 / 2));
}

TEST(EvaluateTask, TheFirstOfEqualChoicesWins) {
  const Task task{"t", TaskKind::multiple_choice, {choices({"a", "b", "c"}, 1)}, 1};
  EXPECT_EQ(metric_of(score_of(task, answering({{-2}, {-1}, {-1}})), "acc").value, 1);
  EXPECT_EQ(metric_of(score_of(task, answering({{-1}, {-1}, {-1}})), "acc").value, 0);
}

TEST(EvaluateTask, LengthIsInCodePointsWithoutTheSpace) {
  // Two code points of three bytes each against three of one: -2 / 2 < -2.7 / 3, though by bytes
  // -2 / 6 > -2.7 / 3, and with the space -2 / 3 > -2.7 / 4 is so, too.
  const Task task{
      "t", TaskKind::multiple_choice, {choices({"\xE6\x97\xA5\xE6\x9C\xAC", "abc"}, 1)}, 1};
  EXPECT_EQ(metric_of(score_of(task, answering({{-2}, {-2.7}})), "acc_norm").value, 1);
}

TEST(EvaluateTask, AnEmptyChoiceIsTheLeastByLength) {
  const Task task{"t", TaskKind::multiple_choice, {choices({"", "abc"}, 1)}, 1};
  EXPECT_EQ(metric_of(score_of(task, answering({{-1}, {-9}})), "acc_norm").value, 1);
}

TEST(EvaluateTask, LastWordsHavePerplexityByDocument) {
  Document a;
  a.requests = {{"x", " ab"}};
  const Task task{"lambada", TaskKind::last_word, {a, a, a}, 3};
  const TaskScore score = score_of(task, answering({{-1, true}, {-2, false}, {-6, true}}));
  const Metric& perplexity = metric_of(score, "perplexity");
  EXPECT_DOUBLE_EQ(perplexity.value, std::exp(3.0));
  // The mean's is sqrt(s^2 / n), s^2 = (4 + 1 + 9) / 2.
  EXPECT_DOUBLE_EQ(*perplexity.standard_error, std::exp(3.0) * std::sqrt(7.0 / 3));
  EXPECT_DOUBLE_EQ(metric_of(score, "acc").value, 2.0 / 3);
}

TEST(EvaluateTask, RollingSumsOverWindowsAndDividesByWordsAndBytes) {
  const Task task{"wikitext", TaskKind::rolling, {page("abcdef", 2), page("xy", 1)}, 2};
  std::vector<Window> seen;
  const Model model = [&seen](std::span<const Window> windows) -> Result<std::vector<Answer>> {
    seen.assign(windows.begin(), windows.end());
    std::vector<Answer> answers;
    for (const Window& window : windows) answers.push_back({-double(window.scored), false});
    return answers;
  };
  const TaskScore score = score_of(task, model, 4);
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[1], (Window{{'b', 'c', 'd', 'e', 'f'}, 2}));
  EXPECT_DOUBLE_EQ(metric_of(score, "word_perplexity").value, std::exp(8.0 / 3));
  EXPECT_DOUBLE_EQ(metric_of(score, "byte_perplexity").value, std::exp(1.0));
  EXPECT_DOUBLE_EQ(metric_of(score, "bits_per_byte").value, 1 / std::log(2.0));
  // Differences 6 - 8/3 * 2 = 2/3 and 2 - 8/3 = -2/3; by bytes there are none.
  EXPECT_DOUBLE_EQ(*metric_of(score, "word_perplexity").standard_error,
                   std::exp(8.0 / 3) * std::sqrt(2 * 8.0 / 9) / 3);
  EXPECT_NEAR(*metric_of(score, "bits_per_byte").standard_error, 0, 1e-15);
}

TEST(EvaluateTask, OneDocumentHasNoStandardError) {
  const Task task{"t", TaskKind::multiple_choice, {choices({"a", "b"}, 0)}, 1};
  EXPECT_EQ(metric_of(score_of(task, answering({{-1}, {-2}})), "acc").standard_error, std::nullopt);
}

TEST(EvaluateTask, RefusesWhatIsNoAnswer) {
  const Task task{"t", TaskKind::multiple_choice, {choices({"a", "b"}, 0)}, 1};
  EXPECT_TRUE(
      test::like(try_score(task, answering({{-1}})).error().message, "t: *1 answers*2 windows"));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(test::like(try_score(task, answering({{-1}, {nan}})).error().message,
                         "t: found the log-probability nan*"));
  const Model failing = [](std::span<const Window>) -> Result<std::vector<Answer>> {
    return Error{"no model"};
  };
  EXPECT_EQ(try_score(task, failing).error().message, "no model");
  EXPECT_EQ(try_score(Task{"t", TaskKind::rolling, {}, 0}, answering({})).error().message,
            "t: found no documents");
}

TEST(EvaluateTask, NamesTheDocumentThatDoesNotFit) {
  const Task task{
      "t", TaskKind::multiple_choice, {choices({"a", "b"}, 0), choices({"abc", "b"}, 0)}, 2};
  EXPECT_TRUE(test::like(try_score(task, answering({}), 2).error().message,
                         "t, document 2: found a continuation of 4 tokens*2"));
}

TEST(EvaluateTask, APerplexityBeyondNumbersIsInfiniteAndItsLossIsNot) {
  Document a;
  a.requests = {{"x", " ab"}};
  const Task word{"lambada", TaskKind::last_word, {a, a}, 2};
  const TaskScore last = score_of(word, answering({{-1000}, {-900}}));
  EXPECT_EQ(metric_of(last, "perplexity").value, std::numeric_limits<double>::infinity());
  EXPECT_EQ(metric_of(last, "perplexity").standard_error, std::nullopt);
  EXPECT_DOUBLE_EQ(metric_of(last, "loss").value, 950);
  EXPECT_DOUBLE_EQ(*metric_of(last, "loss").standard_error, 50);

  const Task pages{"wikitext", TaskKind::rolling, {page("abcd", 1), page("abcd", 1)}, 2};
  const TaskScore rolling = score_of(pages, answering({{-1000}, {-900}}));
  EXPECT_EQ(metric_of(rolling, "word_perplexity").value, std::numeric_limits<double>::infinity());
  EXPECT_DOUBLE_EQ(metric_of(rolling, "word_loss").value, 950);
  EXPECT_DOUBLE_EQ(metric_of(rolling, "bits_per_byte").value, 237.5 / std::log(2.0));
}

// Just below the largest double, its error can be beyond it.
TEST(PerplexityOf, HasNoErrorThatIsNotFinite) {
  const Metric large = perplexity_of("perplexity", {"loss", 709, 5.0});
  EXPECT_TRUE(std::isfinite(large.value));
  EXPECT_EQ(large.standard_error, std::nullopt);
}

}  // namespace
}  // namespace lookback::language
