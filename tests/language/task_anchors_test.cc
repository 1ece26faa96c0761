// What lm-evaluation-harness itself makes of the same files, without a model: the requests, as the
// SHA-256 of their JSON, and the scores of a model that draws its log-probabilities at random. The
// sums of ARC-Easy and LAMBADA are those of the harness's own tests (tests/testdata, version 0);
// the others were computed once by its Python code.
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <nlohmann/json.hpp>

#include "lookback/language/task.h"
#include "lookback/language/task_score.h"
#include "tests/language/evaluation_data.h"
#include "tests/language/python_random.h"

namespace lookback::language {
namespace {

constexpr std::string_view absent =
    "its file is not in LOOKBACK_DATA/evals or ../shared/data/evals";

bool is_there(std::string_view file) { return std::filesystem::exists(evaluation_data() / file); }

/// The task, which must be readable.
Task given_task(std::string_view name) {
  Result<Task> task = read_task(name, evaluation_data());
  EXPECT_TRUE(task) << task.error().message;
  return task ? *task : Task{};
}

/// Its documents in the harness's order for tests.
Task shuffled_task(std::string_view name) {
  Task task = given_task(name);
  if (!task.documents.empty()) PythonRandom(42).shuffle(task.documents);
  return task;
}

std::string sha256(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string hex;
  for (const unsigned char byte : digest) {
    hex.push_back("0123456789abcdef"[byte >> 4U]);
    hex.push_back("0123456789abcdef"[byte & 15U]);
  }
  return hex;
}

/// The sum of json.dumps([[context, continuation], ...]), which has a space after each comma.
std::string sum_of_requests(const Task& task, std::size_t times = 1) {
  std::string text;
  const auto quoted = [](const std::string& s) { return nlohmann::json(s).dump(-1, ' ', true); };
  for (const Document& document : task.documents) {
    for (std::size_t i = 0; i < times; ++i) {
      for (const auto& [context, continuation] : document.requests) {
        text += text.empty() ? "[" : ", ";
        text += "[" + quoted(context) + ", " + quoted(continuation) + "]";
      }
    }
  }
  return sha256(text + "]");
}

/// Scores of log-probabilities -random(), where every window draws `draws` and takes the first.
TaskScore random_score(const Task& task, int draws) {
  const Model model = [draws](std::span<const Window> windows) -> Result<std::vector<Answer>> {
    PythonRandom random(42);
    std::vector<Answer> answers;
    for (std::size_t i = 0; i < windows.size(); ++i) {
      answers.push_back({-random.random(), false});
      for (int k = 1; k < draws; ++k) random.random();
    }
    return answers;
  };
  Result<TaskScore> score = evaluate_task(task, a_token_a_byte, 100'000, 0, model);
  EXPECT_TRUE(score) << score.error().message;
  return score ? *score : TaskScore{};
}

TEST(PythonRandom, IsPythons) {
  PythonRandom random(42);
  EXPECT_EQ(random.random(), 0.6394267984578837);
  EXPECT_EQ(random.random(), 0.025010755222666936);
  std::vector<int> items{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  PythonRandom(42).shuffle(items);
  EXPECT_EQ(items, (std::vector<int>{7, 3, 2, 8, 5, 6, 9, 4, 0, 1}));
}

TEST(TaskAnchors, ArcEasy) {
  if (!is_there("arc_easy_test.jsonl")) GTEST_SKIP() << absent;
  const Task task = shuffled_task("arc_easy");
  EXPECT_EQ(task.original, 2376U);
  EXPECT_EQ(sum_of_requests(task),
            "ffa6e39a35a16299dcb015f17f986aaa598ad8b4840c4cebe0339a7042232741");
  const TaskScore score = random_score(task, 1);
  ASSERT_EQ(score.metrics.size(), 2U);
  EXPECT_NEAR(score.metrics[0].value, 0.2474747474747475, 1e-15);
  EXPECT_NEAR(*score.metrics[0].standard_error, 0.008855114414834721, 1e-15);
  EXPECT_NEAR(score.metrics[1].value, 0.24074074074074073, 1e-15);
  EXPECT_NEAR(*score.metrics[1].standard_error, 0.008772796145221712, 1e-15);
}

TEST(TaskAnchors, ArcChallenge) {
  if (!is_there("arc_challenge_test.jsonl")) GTEST_SKIP() << absent;
  const Task task = shuffled_task("arc_challenge");
  EXPECT_EQ(task.original, 1172U);
  EXPECT_EQ(sum_of_requests(task),
            "41c34c96cca8ace661911d0033d630c554b283f5a3953bcdc50720ae6b00a9c1");
  const TaskScore score = random_score(task, 1);
  ASSERT_EQ(score.metrics.size(), 2U);
  EXPECT_NEAR(score.metrics[0].value, 0.24488054607508533, 1e-15);
  EXPECT_NEAR(score.metrics[1].value, 0.2440273037542662, 1e-15);
}

TEST(TaskAnchors, Lambada) {
  if (!is_there("lambada_openai.jsonl")) GTEST_SKIP() << absent;
  const Task task = shuffled_task("lambada");
  EXPECT_EQ(task.original, 5153U);
  // The harness asked twice for each document, for its log-probability and for whether it is greedy.
  EXPECT_EQ(sum_of_requests(task, 2),
            "6829e6a8aa5922e6c92dd31403cc060f242dc0ede4a775e085a70da095ab2e20");
  const TaskScore score = random_score(task, 2);
  ASSERT_EQ(score.metrics.size(), 3U);  // the harness's, and the loss
  EXPECT_EQ(score.metrics[0].name, "perplexity");
  EXPECT_NEAR(score.metrics[0].value, 1.6479047769869253, 1e-14);
  EXPECT_NEAR(*score.metrics[0].standard_error, 0.006593206902508023, 1e-14);
  EXPECT_EQ(score.metrics[1].value, 0);
}

TEST(TaskAnchors, WikiText) {
  if (!is_there("wikitext2_test.raw")) GTEST_SKIP() << absent;
  const Task task = given_task("wikitext");
  EXPECT_EQ(task.documents.size(), 62U);
  std::size_t words = 0;
  std::size_t bytes = 0;
  for (const Document& page : task.documents) {
    words += page.words;
    bytes += page.bytes;
  }
  EXPECT_EQ(words, 241'335U);
  EXPECT_EQ(bytes, 1'290'527U);
  EXPECT_EQ(sum_of_requests(task),
            "9172aff612b18682bfa2436e16becfbb9f506de4eb490e947db24399b5f6c184");
}

// The sum is that of Python with the harness's preprocess on each line, not of its own requests, which
// are made from the file as published.
TEST(TaskAnchors, HellaSwagInSixLines) {
  if (!is_there("hellaswag_val.txt.bz2")) GTEST_SKIP() << absent;
  if (is_there("hellaswag_val.jsonl")) GTEST_SKIP() << "the file as published goes before it";
  const Task task = given_task("hellaswag");
  EXPECT_EQ(task.documents.size(), 10'042U);
  EXPECT_EQ(sum_of_requests(task),
            "b9570f283f959539b95a44000daae067263b6bebf64da4c702e1e179035c6f33");
}

}  // namespace
}  // namespace lookback::language
