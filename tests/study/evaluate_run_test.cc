// What a run's evaluation.json gets, and keeps when an evaluation fails or is stopped.
#include "lookback/study/evaluate_run.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "lookback/language/data_file.h"
#include "lookback/language/read_tokenizer.h"
#include "lookback/math/targets.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/study/directory_lock.h"
#include "lookback/study/manifest.h"
#include "lookback/study/run_manifest.h"
#include "tests/study/small_study.h"
#include "tests/study/small_text.h"

namespace lookback::study {
namespace {

using language::TaskResults;

/// A run of a text that has ended, without its evaluation.
class EvaluateRun : public testing::Test {
 protected:
  void SetUp() override {
    const std::string text = spec::prepare_text(directory_, "books", spec::made_up_text(60));
    config_ = spec::parsed(spec::text_study(text)).run(0, 0);
    ASSERT_TRUE(run_single(config_, run_, false, engine_, listener_));
    forget();
    listener_.messages.clear();
  }

  /// The run has no evaluation any more.
  void forget() const {
    const std::string files[] = {"evaluation.json"};
    ASSERT_TRUE(unlist_files(run_, files));
    std::filesystem::remove(run_ / files[0]);
  }

  /// Held from the first call on.
  const DirectoryLock& lock() {
    if (!lock_) {
      Result<DirectoryLock> taken = DirectoryLock::take(run_);
      EXPECT_TRUE(taken) << taken.error().message;
      lock_.emplace(std::move(*taken));
    }
    return *lock_;
  }

  nlohmann::json kept() const { return spec::json_of(run_ / "evaluation.json"); }

  TaskResults scores(const std::string& task, double value, std::uint64_t tokens) const {
    TaskResults results;
    results.config = {{"model", {{"tokens", tokens}}}};
    results.tasks.push_back({task, 4, 4, {{"acc", value, std::nullopt}}});
    return results;
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path run_ = directory_ / "run";
  RunConfig config_;
  model::CpuEngine engine_{1};  // the thread that asks whether to go on: after every task
  spec::Listening listener_;
  std::optional<DirectoryLock> lock_;
};

TEST_F(EvaluateRun, HasEveryTaskOfItsOwn) {
  const Result<Ending> ending = evaluate_run(config_, lock(), engine_, listener_);
  ASSERT_TRUE(ending) << ending.error().message;
  EXPECT_EQ(*ending, Ending::finished);
  EXPECT_EQ(kept()["results"].size(), std::size(own_tasks));
  ASSERT_EQ(listener_.messages.size(), 1U);
  EXPECT_EQ(listener_.messages[0].find("ov seed 0: perplexity "), 0U) << listener_.messages[0];
  // What is there is not asked again.
  ASSERT_TRUE(evaluate_run(config_, lock(), engine_, listener_));
  EXPECT_EQ(listener_.messages.size(), 1U);
}

TEST_F(EvaluateRun, KeepsTheTasksBeforeAStopAndGoesOnWithTheOthers) {
  ASSERT_TRUE(evaluate_run(config_, lock(), engine_, listener_));
  const nlohmann::json whole = kept();
  forget();
  spec::Listening stopping([&] { return std::filesystem::exists(run_ / "evaluation.json"); });
  const Result<Ending> stopped = evaluate_run(config_, lock(), engine_, stopping);
  ASSERT_TRUE(stopped) << stopped.error().message;
  EXPECT_EQ(*stopped, Ending::stopped);
  EXPECT_EQ(kept()["results"].size(), 1U);
  EXPECT_EQ(kept()["results"]["perplexity"], whole["results"]["perplexity"]);
  ASSERT_TRUE(evaluate_run(config_, lock(), engine_, listener_));
  EXPECT_EQ(kept()["results"], whole["results"]);
  EXPECT_EQ(kept()["config"], whole["config"]);
}

TEST_F(EvaluateRun, ThatCannotBeEvaluatedIsAnErrorAndTheRunStands) {
  std::filesystem::remove(run_ / "tokenizer.json");
  const Result<Ending> ending = evaluate_run(config_, lock(), engine_, listener_);
  ASSERT_FALSE(ending);
  EXPECT_NE(ending.error().message.find((run_ / "tokenizer.json").string()), std::string::npos)
      << ending.error().message;
  EXPECT_FALSE(std::filesystem::exists(run_ / "evaluation.json"));
  const Result<bool> finished = has_finished(run_);
  EXPECT_TRUE(finished && *finished);
}

TEST_F(EvaluateRun, ThatWasChangedIsAnErrorAndKeepsEveryScore) {
  ASSERT_TRUE(evaluate_run(config_, lock(), engine_, listener_));
  std::string text = spec::text_of(run_ / "evaluation.json");
  text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
  std::ofstream(run_ / "evaluation.json") << text;
  EXPECT_FALSE(evaluation_of(run_));
  EXPECT_FALSE(add_evaluation(lock(), scores("copy", 0.25, 100)));
  EXPECT_FALSE(evaluate_run(config_, lock(), engine_, listener_));
  EXPECT_EQ(spec::text_of(run_ / "evaluation.json"), text);
}

TEST_F(EvaluateRun, ThatWasChangedIsRemovedOnResumeAndItsOwnTasksAreMadeAgain) {
  ASSERT_TRUE(evaluate_run(config_, lock(), engine_, listener_));
  const nlohmann::json own = kept();
  const std::uint64_t tokens = own["config"]["model"]["tokens"];
  ASSERT_TRUE(add_evaluation(lock(), scores("arc_easy", 0.5, tokens)));
  EXPECT_EQ(kept()["results"].size(), std::size(own_tasks) + 1);
  std::string text = spec::text_of(run_ / "evaluation.json");
  text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
  std::ofstream(run_ / "evaluation.json") << text;
  lock_.reset();
  listener_.messages.clear();
  ASSERT_TRUE(run_single(config_, run_, true, engine_, listener_));
  EXPECT_EQ(kept()["results"], own["results"]);
  ASSERT_FALSE(listener_.messages.empty());
  EXPECT_NE(listener_.messages[0].find("`lookback eval`"), std::string::npos)
      << "says that the others are gone: " << listener_.messages[0];
}

TEST_F(EvaluateRun, RemembersEveryInstructionSetThatItsScoresWereMadeOn) {
  const auto sets = [&] {
    const auto manifest = read_manifest(run_);
    return (*manifest)->files.at("evaluation.json").instruction_sets;
  };
  const std::string this_one = math::active_instruction_set();
  ASSERT_TRUE(add_evaluation(lock(), scores("copy", 0.25, 100)));
  EXPECT_EQ(sets(), std::set<std::string>{this_one});
  const std::string text = spec::text_of(run_ / "evaluation.json");
  ASSERT_TRUE(write_listed(run_, "evaluation.json", text, {"another"}));
  ASSERT_TRUE(add_evaluation(lock(), scores("lookup", 0.5, 100)));
  EXPECT_EQ(sets(), (std::set<std::string>{"another", this_one}));
  ASSERT_TRUE(add_evaluation(lock(), scores("lookup", 0.5, 200)));  // nothing of them is left
  EXPECT_EQ(sets(), std::set<std::string>{this_one});
}

TEST_F(EvaluateRun, ThatCannotBeWrittenIsAnError) {
  lock();
  // What stands in the place of the file that is written aside.
  std::filesystem::create_directory(run_ / fmt::format(".evaluation.json.partial-{}", getpid()));
  const Result<Ending> ending = evaluate_run(config_, lock(), engine_, listener_);
  ASSERT_FALSE(ending);
  EXPECT_NE(ending.error().message.find((run_ / "evaluation.json: ").string()), std::string::npos)
      << ending.error().message;
  EXPECT_TRUE(listener_.messages.empty());
}

TEST_F(EvaluateRun, ScoresOfAnotherCheckpointAreMadeAnew) {
  ASSERT_TRUE(add_evaluation(lock(), scores("copy", 0.25, 1)));
  ASSERT_TRUE(evaluate_run(config_, lock(), engine_, listener_));
  EXPECT_EQ(kept()["results"].size(), std::size(own_tasks));
  EXPECT_NE(kept()["results"]["copy"]["acc,none"], 0.25);
}

TEST_F(EvaluateRun, ScoresOfOneCheckpointStandTogether) {
  ASSERT_TRUE(add_evaluation(lock(), scores("copy", 0.25, 100)));
  ASSERT_TRUE(add_evaluation(lock(), scores("arc_easy", 0.5, 100)));
  ASSERT_TRUE(add_evaluation(lock(), scores("copy", 0.75, 100)));
  EXPECT_EQ(kept()["results"].size(), 2U);
  EXPECT_EQ(kept()["results"]["copy"]["acc,none"], 0.75);
  EXPECT_EQ(kept()["results"]["arc_easy"]["acc,none"], 0.5);
  ASSERT_TRUE(add_evaluation(lock(), scores("lookup", 0.5, 200)));  // of another checkpoint
  EXPECT_EQ(kept()["results"].size(), 1U);
}

TEST_F(EvaluateRun, APerplexityBeyondNumbersIsKeptAndReadBack) {
  TaskResults results = scores("perplexity", 0, 100);
  constexpr double infinite = std::numeric_limits<double>::infinity();
  results.tasks[0].metrics = {{"loss", 800, 1.0}, {"token_perplexity", infinite, std::nullopt}};
  ASSERT_TRUE(add_evaluation(lock(), results));
  ASSERT_TRUE(add_evaluation(lock(), scores("copy", 0.25, 100)));
  const auto read = evaluation_of(run_);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(language::find_metric(*read, "perplexity", "token_perplexity")->value, infinite);
  EXPECT_EQ(language::find_metric(*read, "perplexity", "loss")->value, 800);
}

TEST_F(EvaluateRun, SaysWhichTextAndWhichTokenizerItIsOf) {
  ASSERT_TRUE(evaluate_run(config_, lock(), engine_, listener_));
  const nlohmann::json whole = kept();
  const nlohmann::json& text = whole["configs"]["perplexity"]["text"];
  EXPECT_EQ(text["tokens_checksum"], open_text(config_.data.directory)->checksum);
  EXPECT_EQ(whole["config"]["tokenizer"]["checksum"], text["tokenizer_checksum"]);
  // And the run has all of its files' checksums beside it.
  EXPECT_EQ(spec::text_of(run_ / "data.json"), spec::text_of(directory_ / "books/data.json"));
}

TEST_F(EvaluateRun, ATaskOfOthersSaysWhichFileItIsOf) {
  const std::string item = R"({"query": "Question: sea?", "choices": ["ship", "old"], "gold": 0})";
  std::ofstream(directory_ / "arc_easy_test.jsonl") << item;
  const Result<SavedModel> model = read_model(*find_checkpoint(run_));
  EvaluationRequest request;
  request.tasks = {"arc_easy"};
  request.task_files = directory_.path();
  const auto evaluated =
      evaluate_model(*model, *language::read_tokenizer(run_ / "tokenizer.json"), request, engine_);
  ASSERT_TRUE(evaluated) << evaluated.error().message;
  EXPECT_EQ(evaluated->results.tasks[0].about,
            language::to_json(language::data_file("arc_easy_test.jsonl", item)));
}

TEST_F(EvaluateRun, AnObserverHearsEachTaskAndCanEndTheWhole) {
  const Result<SavedModel> model = read_model(*find_checkpoint(run_));
  ASSERT_TRUE(model) << model.error().message;
  EvaluationRequest request;
  request.tasks = {"copy", "perplexity"};
  request.text = *open_text(config_.data.directory);
  std::map<std::string, std::size_t> done;
  std::vector<std::size_t> scored;
  EvaluationObserver observer;
  observer.go_on = [&](const std::string& task, std::size_t so_far, std::size_t all) {
    EXPECT_LE(so_far, all);
    done[task] = so_far;
    return true;
  };
  observer.scored = [&](const TaskResults& results) -> Status {
    scored.push_back(results.tasks.size());
    return {};
  };
  const auto tokenizer = language::read_tokenizer(run_ / "tokenizer.json");
  const auto evaluate = [&] {
    return evaluate_model(*model, *tokenizer, request, engine_, observer);
  };
  ASSERT_TRUE(evaluate());
  EXPECT_EQ(scored, (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(done.size(), 2U);
  observer.scored = [](const TaskResults&) -> Status { return Error{"the disk is full"}; };
  const auto failed = evaluate();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "the disk is full");
  observer.go_on = [](const std::string&, std::size_t, std::size_t) { return false; };
  const auto stopped = evaluate();
  ASSERT_TRUE(stopped) << stopped.error().message;
  EXPECT_EQ(stopped->ending, Ending::stopped);
  EXPECT_TRUE(stopped->results.tasks.empty());
}

// A perplexity is not comparable with one of other windows, so those that are shipped say theirs, and as
// this program writes it.
TEST(ShippedResults, SayWhichWindowsOfTheTextTheyAreOf) {
  std::size_t files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(LOOKBACK_SOURCE_DIR "/results")) {
    if (entry.path().string().find("/evaluations/") == std::string::npos) continue;
    if (entry.path().extension() != ".json") continue;
    const auto results = language::read_task_results(entry.path());
    ASSERT_TRUE(results) << results.error().message;
    EXPECT_EQ(language::to_json(*results), spec::json_of(entry.path())) << entry.path();
    for (const char* task : {"perplexity", "value-content"}) {
      const language::TaskScore* score = language::find_score(*results, task);
      ASSERT_NE(score, nullptr) << entry.path();
      EXPECT_TRUE(score->about.contains("windows")) << entry.path() << ' ' << task;
    }
    ++files;
  }
  EXPECT_GE(files, 30U);
}

TEST(ShippedResults, SummariesSayWhichWindowsTheirValidationIsOf) {
  std::size_t runs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(LOOKBACK_SOURCE_DIR "/results")) {
    const nlohmann::json summary = spec::json_of(entry.path() / "summary.json");
    for (const nlohmann::json& arm : summary["arms"]) {
      for (const nlohmann::json& run : arm["runs"]) {
        if (!run.contains("validation_loss")) continue;
        EXPECT_TRUE(run.contains("validation_windows")) << entry.path();
        ++runs;
      }
    }
  }
  EXPECT_GE(runs, 30U);
}

}  // namespace
}  // namespace lookback::study
