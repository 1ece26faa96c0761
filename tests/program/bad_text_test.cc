// Text, tokens, models of text and evaluation files that cannot be used: one line that says where and
// why, exit code 2, nothing half-written.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "lookback/base/checksum.h"
#include "lookback/language/read_tokenizer.h"
#include "lookback/study/saved_model.h"
#include "tests/base/like.h"
#include "tests/program/language_study.h"
#include "tests/program/studies.h"
#include "tests/study/small_text.h"

namespace lookback::program {
namespace {

using spec::lookback;
using spec::one_line;

class BadText : public spec::LanguageStudy {
 protected:
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(mine_ / name, std::ios::binary) << bytes;
    return mine_ / name;
  }

  /// The line that preparing a text gets; nothing may be left.
  std::string prepare_line(const std::string& bytes) const {
    return line_and_nothing({"tokens", "prepare", write("bad.txt", bytes), "--tokenizer",
                             path("tokenizer.json"), "--out", out_});
  }
  /// The same of learning a vocabulary from it.
  std::string vocabulary_line(const std::string& bytes) const {
    return line_and_nothing(
        {"tokens", "train", write("bad.txt", bytes), "--vocabulary", "300", "--out", learnt_});
  }
  std::string line_and_nothing(const std::vector<std::string>& arguments) const {
    std::string line = one_line(spec::run(lookback(arguments)));
    EXPECT_FALSE(std::filesystem::exists(out_));
    EXPECT_FALSE(std::filesystem::exists(learnt_));
    for (const auto& entry : std::filesystem::directory_iterator(mine_.path())) {
      EXPECT_EQ(entry.path().string().find("partial"), std::string::npos) << entry.path();
    }
    return line;
  }

  /// The last one of the run.
  static std::string checkpoint() { return study::find_checkpoint(run())->string(); }

  /// The line of `lookback eval` on a run, which must stay as it is.
  static std::string eval_line(std::vector<std::string> more) {
    more.insert(more.begin(), {"eval", run()});
    const std::string before = spec::text_of_file(run() + "/evaluation.json");
    std::string line = one_line(spec::run(lookback(more)));
    EXPECT_EQ(spec::text_of_file(run() + "/evaluation.json"), before);
    return line;
  }
  /// The same of a task whose file has this text, after "TASK: FILE:".
  std::string task_line(const std::string& task, const std::string& file,
                        const std::string& text) const {
    write(file, text);
    const std::string line = eval_line({"--tasks", task, "--data", mine_.path()});
    const std::string begin = task + ": " + (mine_ / file).string() + ":";
    EXPECT_TRUE(line.starts_with(begin)) << line;
    return line.size() < begin.size() ? line : line.substr(begin.size());
  }

  test::TemporaryDirectory mine_;
  std::string out_ = mine_ / "out";
  std::string learnt_ = mine_ / "learnt.json";
};

TEST_F(BadText, AnEmptyText) {
  for (const char* nothing : {"", " \n\n \t\n"}) {
    for (const std::string& line : {prepare_line(nothing), vocabulary_line(nothing)}) {
      EXPECT_TRUE(line.starts_with((mine_ / "bad.txt").string() + ": found ")) << line;
    }
  }
}

TEST_F(BadText, ABinaryFile) {
  const std::string binary(
      "\x7f"
      "ELF\0\0\x01\xff",
      8);
  for (const std::string& line : {prepare_line(binary), vocabulary_line(binary)}) {
    EXPECT_TRUE(line.starts_with((mine_ / "bad.txt").string() + ": found a NUL byte")) << line;
  }
}

TEST_F(BadText, OneGiantLine) {
  const std::string giant(5'000'000, 'a');
  const std::string prepared = prepare_line(giant), learnt = vocabulary_line(giant);
  EXPECT_TRUE(prepared.starts_with("found 1 documents of kind 'parts', allowed at least 2"))
      << prepared;
  EXPECT_TRUE(test::like(learnt, "--vocabulary: *257*300*")) << learnt;
}

TEST_F(BadText, ATokenBeyondTheVocabulary) {
  const std::string ids = write("ids", "1 2 280");
  const std::string line = one_line(
      spec::run(lookback({"tokens", "decode", ids, "--tokenizer", path("tokenizer.json")})));
  EXPECT_TRUE(line.starts_with(ids + ": ")) << line;
  EXPECT_NE(line.find("280"), std::string::npos) << line;
}

TEST_F(BadText, AModelThatDoesNotKnowItsTokens) {
  std::string study = spec::text_of_file(path("study.toml"));
  study.replace(study.find("282"), 3, "279");
  const std::string file = write("study.toml", study);
  EXPECT_EQ(one_line(spec::run(lookback({"study", file, "--out", out_}))),
            file + ": arm 'ov': " + path("books") +
                ": found tokens of a vocabulary of 280, allowed: model.vocabulary = 279");
  EXPECT_FALSE(std::filesystem::exists(out_));
}

TEST_F(BadText, WindowsLongerThanTheContext) {
  std::string study = spec::text_of_file(path("study.toml"));
  study.replace(study.find("kind ="), 0, "length = 64\n");
  const std::string line =
      one_line(spec::run(lookback({"study", write("study.toml", study), "--out", out_})));
  EXPECT_NE(line.find("data.length is 64, but model.context is 32"), std::string::npos) << line;
  EXPECT_FALSE(std::filesystem::exists(out_));
}

TEST_F(BadText, ATornTokenFile) {
  std::filesystem::copy(path("books"), mine_ / "books");
  const std::filesystem::path file = mine_ / "books/train.tokens";
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 2);
  const std::string line = one_line(
      spec::run(lookback({"study", path("study.toml"), "--data", mine_ / "books", "--out", out_})));
  EXPECT_NE(line.find(file.string() + ": "), std::string::npos) << line;
  EXPECT_NE(line.find("truncated"), std::string::npos) << line;
  EXPECT_FALSE(std::filesystem::exists(out_));
}

TEST_F(BadText, APromptLongerThanTheContext) {
  const std::string line =
      one_line(spec::run(lookback({"generate", run(), "--prompt", std::string(200, 'x')})));
  EXPECT_TRUE(line.starts_with("--prompt: found ")) << line;
  EXPECT_TRUE(line.ends_with(" tokens, allowed: at most 32, the model's context")) << line;
}

TEST_F(BadText, AModelWithoutATokenizer) {
  const std::string checkpoint = run() + "/checkpoints";
  std::filesystem::create_directories(mine_ / "checkpoints");
  for (const auto& entry : std::filesystem::directory_iterator(checkpoint)) {
    const std::string copy = mine_ / "checkpoints" / entry.path().filename();
    std::filesystem::copy(entry.path(), copy);
    for (const char* command : {"generate", "eval"}) {
      EXPECT_TRUE(test::like(one_line(spec::run(lookback({command, copy}))),
                             copy + ": found no tokenizer.json*--tokenizer"));
    }
  }
}

TEST_F(BadText, ATokenizerOfAnotherModelIsRefusedThoughItHasTheSameSize) {
  const std::string other = mine_ / "tokenizer.json";
  const std::string readme = std::string(LOOKBACK_SOURCE_DIR) + "/README.md";
  ASSERT_EQ(spec::run(lookback({"tokens", "train", readme, "--vocabulary", "280", "--out", other}))
                .exit_code,
            0);
  const std::string bytes = spec::text_of_file(other);
  const std::string own =
      spec::json_of(path("books/data.json"))["tokenizer_checksum"].get<std::string>();
  const std::string alone = mine_ / "alone.safetensors";  // a checkpoint without its run
  std::filesystem::copy(checkpoint(), alone);
  for (const char* command : {"generate", "eval"}) {
    for (const auto& [model, file] : {std::pair(run(), checkpoint()), std::pair(alone, alone)}) {
      EXPECT_TRUE(test::like(one_line(spec::run(lookback({command, model, "--tokenizer", other}))),
                             fmt::format("{}: *{}*{}*{}", other,
                                         base::checksum_text({base::bytes_of(bytes)}), file, own)));
    }
  }
  const std::string same = mine_ / "same.json";
  std::filesystem::copy(path("tokenizer.json"), same);
  EXPECT_EQ(spec::run(lookback({"generate", alone, "--tokenizer", same})).exit_code, 0);
}

TEST_F(BadText, ATokenizerThatWasPutInTheRunIsRefused) {
  const std::string copy = mine_ / "run";
  std::filesystem::copy(run(), copy, std::filesystem::copy_options::recursive);
  ASSERT_TRUE(language::write_tokenizer(copy + "/tokenizer.json", study::spec::byte_tokenizer()));
  for (const char* command : {"generate", "eval"}) {
    const std::string line = one_line(spec::run(lookback({command, copy})));
    EXPECT_TRUE(line.starts_with(copy + "/tokenizer.json: this is not the tokenizer")) << line;
  }
}

TEST_F(BadText, ATaskThatThereIsNot) {
  const std::string line = eval_line({"--tasks", "copi"});
  EXPECT_TRUE(line.starts_with("found the task 'copi'; nearest: copy, allowed: ")) << line;
}

TEST_F(BadText, TasksWithoutTheirFiles) {
  EXPECT_TRUE(test::like(eval_line({"--tasks", "lambada"}), "lambada: *--data DIR*"));
  EXPECT_EQ(
      eval_line({"--tasks", "lambada", "--data", mine_.path()}),
      "lambada: " + mine_.path().string() + ": found no lambada_openai.jsonl, which lambada needs");
  EXPECT_TRUE(test::like(eval_line({"--tasks", "lambada", "--data", mine_ / "absent"}),
                         "lambada: *" + (mine_ / "absent").string()));
  EXPECT_TRUE(test::like(eval_line({"--tasks", "perplexity"}), "perplexity: *--text DIR*"));
}

TEST_F(BadText, AStudyFileInThePlaceOfWhatItMakes) {
  const std::string file = path("study.toml");
  EXPECT_EQ(one_line(spec::run(lookback({"eval", file}))),
            file + ": found a TOML file, allowed: a checkpoint, or a run's directory");
}

TEST_F(BadText, ADirectoryWithoutTokens) {
  const std::string line = one_line(spec::run(
      lookback({"study", path("study.toml"), "--data", mine_.path(), "--out", mine_ / "out"})));
  EXPECT_TRUE(test::like(line, "*" + mine_.path().string() + ": found no train.tokens*"));
  EXPECT_FALSE(std::filesystem::exists(mine_ / "out"));
}

TEST_F(BadText, TextOfAnotherTokenizer) {
  const std::string other = mine_ / "tokenizer.json", text = mine_ / "text";
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"tokens", "train", path("books.txt"), "--vocabulary", "270", "--out", other},
           {"tokens", "prepare", path("books.txt"), "--tokenizer", other, "--out", text,
            "--documents", "paragraphs"}}) {
    ASSERT_EQ(spec::run(lookback(arguments)).exit_code, 0);
  }
  // Scores that are kept are of the run's own text.
  EXPECT_TRUE(
      test::like(eval_line({"--tasks", "perplexity", "--text", text}), "*data.checksum = *"));
  EXPECT_EQ(
      eval_line({"--tasks", "perplexity", "--text", text, "--limit", "2"}),
      "perplexity: " + text + ": found tokens of another tokenizer, allowed: those of the model's");
}

TEST_F(BadText, EvaluationFilesWithAMistake) {
  EXPECT_TRUE(
      test::like(task_line("arc_easy", "arc_easy_test.jsonl", R"({"query": "q", "gold": 0})"),
                 "1: found 0 \"choices\"*two or more"));
  EXPECT_TRUE(
      test::like(task_line("arc_easy", "arc_easy_test.jsonl", "\n \n"), " found no documents*"));
  EXPECT_EQ(task_line("lambada", "lambada_openai.jsonl", "{\"context\": \"a b\"}\n"),
            "1: found no \"continuation\", which every item needs");
  EXPECT_TRUE(
      test::like(task_line("lambada", "lambada_openai.jsonl", "{\"text\": \"a b\"}\n{\"text\""),
                 "2: found {\"text\"*"));
  EXPECT_TRUE(
      test::like(task_line("wikitext", "wikitext2_test.raw", " = A = \n\xff\n"), "2: *UTF-8"));
  EXPECT_TRUE(test::like(task_line("wikitext", "wikitext2_test.raw", ""), " found no documents*"));
  const std::string line = task_line("hellaswag", "hellaswag_val.jsonl",
                                     R"({"activity_label": "a", "ctx_a": "b", "ctx_b": 3})");
  EXPECT_TRUE(test::like(line, "1: found 3 as \"ctx_b\"*a text"));
}

TEST_F(BadText, AContinuationLongerThanTheContext) {
  std::string word;
  for (int i = 0; i < 60; ++i) word += "xq";
  write("lambada_openai.jsonl", "{\"text\": \"the " + word + "\"}\n");
  const std::string line = eval_line({"--tasks", "lambada", "--data", mine_.path()});
  EXPECT_TRUE(line.starts_with("lambada: lambada, document 1: found a continuation of ")) << line;
  EXPECT_TRUE(line.ends_with(" 32")) << line;
}

TEST_F(BadText, DamagedEvaluationsAreNotReplaced) {
  const std::string copy = mine_ / "run";
  std::filesystem::copy(run(), copy, std::filesystem::copy_options::recursive);
  std::ofstream(copy + "/evaluation.json") << "{\"results\": 3}";
  const std::string line = one_line(spec::run(lookback({"eval", copy, "--tasks", "copy"})));
  EXPECT_TRUE(line.starts_with(copy + "/evaluation.json: ")) << line;
  EXPECT_EQ(spec::text_of_file(copy + "/evaluation.json"), "{\"results\": 3}");
}

}  // namespace
}  // namespace lookback::program
