// A language model from text to talk, by the program alone: tokens, training, evaluation, generation.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "lookback/base/file.h"
#include "lookback/base/json_file.h"
#include "lookback/study/manifest.h"
#include "lookback/study/run_config.h"
#include "lookback/study/run_manifest.h"
#include "tests/program/language_study.h"

namespace lookback::program {
namespace {

using nlohmann::json;
using spec::lookback;

class LanguageProgram : public spec::LanguageStudy {
 protected:
  /// What it printed; it must have succeeded without a word on stderr but for those of progress.
  static std::string printed(const std::vector<std::string>& arguments) {
    const spec::Ended ended = spec::run(lookback(arguments));
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return ended.out;
  }

  /// A copy of a run, which a test may add to.
  std::string copied_run() const {
    std::string copy = mine_ / "run";
    std::filesystem::copy(run(), copy, std::filesystem::copy_options::recursive);
    return copy;
  }

  static std::string generated(const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"generate", run(), "--prompt", "the ship"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return printed(arguments);
  }

  test::TemporaryDirectory mine_;
};

TEST_F(LanguageProgram, ARunOfTextEndsWithItsTokenizerAndItsEvaluation) {
  for (const char* arm : {"ov", "no-ov"}) {
    const json evaluation = spec::json_of(run(arm) + "/evaluation.json");
    ASSERT_TRUE(evaluation.is_object()) << arm;
    for (const char* task : {"perplexity", "induction", "copy", "lookup", "value-content"}) {
      EXPECT_TRUE(evaluation["results"].contains(task)) << task;
    }
    EXPECT_EQ(evaluation["config"]["model"]["arm"], arm);
    EXPECT_EQ(evaluation["config"]["heads"].size(), 2U);
    EXPECT_EQ(spec::text_of_file(run(arm) + "/tokenizer.json"),
              spec::text_of_file(path("tokenizer.json")));
    EXPECT_EQ(spec::text_of_file(run(arm) + "/data.json"),
              spec::text_of_file(path("books/data.json")));
    EXPECT_TRUE(evaluation["results"]["perplexity"]["bits_per_byte,none"].is_number());
    EXPECT_NE(spec::text_of_file(run(arm) + "/metrics.jsonl").find("\"validation\""),
              std::string::npos);
  }
}

TEST_F(LanguageProgram, EvaluationsAreTheSameOnAnyNumberOfThreads) {
  const std::string one = mine_ / "one.json", three = mine_ / "three.json";
  for (const auto& [file, threads] : {std::pair(one, "1"), std::pair(three, "3")}) {
    printed({"eval", run(), "--text", path("books"), "--limit", "5", "--threads", threads, "--out",
             file});
  }
  EXPECT_EQ(spec::text_of_file(one), spec::text_of_file(three));
}

TEST_F(LanguageProgram, ATrialPrintsTheHarnesssShapeAndKeepsNothing) {
  const std::string before = spec::text_of_file(run() + "/evaluation.json");
  const json trial = base::parse_json(printed({"eval", run(), "--tasks", "copy,perplexity",
                                               "--text", path("books"), "--limit", "2", "--json"}));
  ASSERT_TRUE(trial.is_object());
  EXPECT_EQ(trial["results"].size(), 2U);
  EXPECT_TRUE(trial["results"]["copy"]["acc,none"].is_number());
  EXPECT_TRUE(trial["results"]["perplexity"]["token_perplexity_stderr,none"].is_number());
  EXPECT_EQ(trial["n-samples"]["copy"]["effective"], 2);
  EXPECT_EQ(trial["n-samples"]["perplexity"]["effective"], 2);
  EXPECT_EQ(trial["config"]["limit"], 2);
  EXPECT_EQ(spec::text_of_file(run() + "/evaluation.json"), before);
}

TEST_F(LanguageProgram, TasksOfOthersStandBesideTheRunsOwn) {
  const std::string copy = copied_run();
  std::ofstream(mine_ / "arc_easy_test.jsonl")
      << R"({"query": "Question: sea?\nAnswer:", "choices": ["ship", "old"], "gold": 0})"
      << "\n"
      << R"({"query": "Question: old?\nAnswer:", "choices": ["and", "went"], "gold": 1})"
      << "\n";
  const json all = base::parse_json(
      printed({"eval", copy, "--tasks", "arc_easy", "--data", mine_.path(), "--json"}));
  EXPECT_EQ(all["n-samples"]["arc_easy"]["original"], 2);
  EXPECT_EQ(all["results"].size(), 6U);
  const json kept = spec::json_of(copy + "/evaluation.json");
  EXPECT_EQ(kept, all);
  const json before = spec::json_of(run() + "/evaluation.json");
  EXPECT_EQ(kept["results"]["copy"], before["results"]["copy"]);
  EXPECT_EQ(kept["config"]["heads"], before["config"]["heads"]);
}

TEST_F(LanguageProgram, ACheckpointIsEvaluatedWithoutBeingKept) {
  const std::string checkpoints = run() + "/checkpoints";
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(checkpoints)) {
    files.push_back(entry.path());
  }
  ASSERT_GT(files.size(), 1U);
  const std::string before = spec::text_of_file(run() + "/evaluation.json");
  const std::string first = *std::ranges::min_element(files);
  const json untrained = base::parse_json(printed({"eval", first, "--tasks", "copy", "--json"}));
  EXPECT_EQ(untrained["config"]["model"]["tokens"], 0) << first;
  EXPECT_EQ(spec::text_of_file(run() + "/evaluation.json"), before);
}

TEST_F(LanguageProgram, AStudyIsATableOfItsArms) {
  const std::string table = printed({"eval", path("study"), "--tasks", "copy", "--limit", "2"});
  const std::string head = table.substr(0, table.find('\n'));
  const std::size_t ov = head.find("  ov  "), no_ov = head.find("no-ov");
  ASSERT_NE(ov, std::string::npos) << table;
  ASSERT_NE(no_ov, std::string::npos) << table;
  EXPECT_LT(ov, no_ov);
  EXPECT_NE(table.find("\ncopy accuracy "), std::string::npos) << table;
  // The article's model copies tokens of another vocabulary: a note says so in its figures' place.
  EXPECT_EQ(table.find("0.195"), std::string::npos) << table;
  EXPECT_NE(table.find("\n\nThe article's numbers are left out for copy accuracy"),
            std::string::npos)
      << table;
}

TEST_F(LanguageProgram, AChangedEvaluationFileIsSeenInTheResults) {
  const std::string copy = copied_run();
  std::ofstream(mine_ / "arc_easy_test.jsonl")
      << R"({"query": "Question: sea?\nAnswer:", "choices": ["ship", "old"], "gold": 0})"
      << "\n";
  const std::vector<std::string> eval = {"eval",     copy,     "--tasks",
                                         "arc_easy", "--data", mine_.path()};
  const std::string table = printed(eval);
  const json about = spec::json_of(copy + "/evaluation.json")["configs"]["arc_easy"];
  EXPECT_EQ(about["file"], "arc_easy_test.jsonl");
  EXPECT_EQ(about["verified_as"], nullptr);
  EXPECT_NE(table.find(about["sha256"].get<std::string>()), std::string::npos) << table;
  std::ofstream(mine_ / "arc_easy_test.jsonl", std::ios::app) << "\n";
  printed(eval);
  EXPECT_NE(spec::json_of(copy + "/evaluation.json")["configs"]["arc_easy"]["sha256"],
            about["sha256"]);
}

TEST_F(LanguageProgram, ARunThatDivergedIsNamedAndLeftOut) {
  const std::string study = mine_ / "study";
  std::filesystem::copy(path("study"), study, std::filesystem::copy_options::recursive);
  const std::string findings = study + "/ov/seed-0/findings.json";
  json changed = spec::json_of(findings);
  changed["status"] = "diverged";
  ASSERT_TRUE(study::write_listed(study + "/ov/seed-0", "findings.json", changed.dump()));
  spec::unfinish(study + "/no-ov/seed-0");
  const auto eval = [&] {
    return spec::run(lookback({"eval", study, "--tasks", "copy", "--limit", "2"}));
  };
  const spec::Ended none = eval();
  EXPECT_EQ(none.exit_code, 2);
  for (const char* run : {"/ov/seed-0: ", "/no-ov/seed-0: "}) {
    EXPECT_NE(none.err.find(study + run), std::string::npos) << none.err;
  }
  EXPECT_NE(none.err.find("lookback: " + study + ": found no run that has finished\n"),
            std::string::npos);
  std::filesystem::copy(run("no-ov") + "/findings.json", study + "/no-ov/seed-0/findings.json");
  const auto config = study::read_run_config(study + "/no-ov/seed-0");
  ASSERT_TRUE(config && study::note_end(study + "/no-ov/seed-0", *config));
  const spec::Ended one = eval();
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_NE(one.err.find("/ov/seed-0: "), std::string::npos);
  EXPECT_NE(one.out.find("\ncopy accuracy "), std::string::npos) << one.out;
}

TEST_F(LanguageProgram, GeneratesTheSameTextFromTheSameSeed) {
  const std::string text = generated({"--tokens", "20", "--seed", "7"});
  EXPECT_TRUE(text.starts_with("the ship")) << text;
  EXPECT_GT(text.size(), 20U);
  EXPECT_EQ(generated({"--tokens", "20", "--seed", "7"}), text);
  EXPECT_NE(generated({"--tokens", "20", "--seed", "8"}), text);
}

TEST_F(LanguageProgram, WithoutTemperatureNothingIsDrawn) {
  const std::string text = generated({"--tokens", "10", "--temperature", "0", "--seed", "1"});
  EXPECT_EQ(generated({"--tokens", "10", "--temperature", "0", "--seed", "2"}), text);
  EXPECT_EQ(generated({"--tokens", "10", "--top-k", "1", "--seed", "3"}), text);
}

TEST_F(LanguageProgram, GeneratesUntilTheContextIsFull) {
  const spec::Ended ended = spec::run(
      lookback({"generate", run(), "--prompt", "the", "--tokens", "1000", "--temperature", "0"}));
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_NE(ended.err.find("the model's context of 32 tokens is full"), std::string::npos)
      << ended.err;
}

TEST_F(LanguageProgram, TokensAreTheTextAgain) {
  std::ofstream(mine_ / "text") << "the old sea \xC3\xA9 \xF0\x9F\x90\x9F";
  std::ofstream(mine_ / "ids") << printed(
      {"tokens", "encode", mine_ / "text", "--tokenizer", path("tokenizer.json")});
  EXPECT_EQ(printed({"tokens", "decode", mine_ / "ids", "--tokenizer", path("tokenizer.json")}),
            "the old sea \xC3\xA9 \xF0\x9F\x90\x9F");
}

}  // namespace
}  // namespace lookback::program
