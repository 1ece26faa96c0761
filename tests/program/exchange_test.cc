// lookback export and lookback import as a user runs them, on a trained checkpoint.
#include <gtest/gtest.h>

#include <fstream>

#include "lookback/base/file.h"
#include "lookback/language/read_tokenizer.h"
#include "lookback/train/checkpoint.h"
#include "tests/base/like.h"
#include "tests/program/studies.h"
#include "tests/study/small_text.h"

namespace lookback::program {
namespace {

using spec::lookback;
using spec::one_line;
using test::TemporaryDirectory;

/// A trained arm of three_arms().
class Exchange : public testing::Test {
 protected:
  std::string train(const std::string& arm) {
    const std::string run = directory_ / arm;
    const spec::Ended ended =
        spec::run(lookback({"train", file_, "--arm", arm, "--out", run, "--threads", "1"}));
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return run + "/checkpoints/512.safetensors";
  }

  TemporaryDirectory directory_;
  std::string file_ = spec::write_study(directory_, spec::three_arms(2));
  std::string out_ = directory_ / "out";
};

std::vector<float> parameters(const std::string& file, const model::Program& program) {
  const Result<train::Checkpoint> checkpoint = train::Checkpoint::read(file);
  EXPECT_TRUE(checkpoint);
  if (!checkpoint) return {};
  const Result<std::vector<float>> read = checkpoint->parameters(program);
  EXPECT_TRUE(read);
  return read ? *read : std::vector<float>();
}

TEST_F(Exchange, ExportAndImportGiveBackTheCheckpoint) {
  const std::string checkpoint = train("two-layer"), back = directory_ / "back.safetensors";
  const spec::Ended exported =
      spec::run(lookback({"export", checkpoint, "--to", "transformer-lens", "--out", out_}));
  EXPECT_EQ(exported.exit_code, 0) << exported.err;
  EXPECT_EQ(exported.out, out_ + "\n");
  for (const char* name : {"/config.json", "/model.safetensors", "/load.py"}) {
    EXPECT_TRUE(std::filesystem::exists(out_ + name)) << name;
  }
  const spec::Ended imported = spec::run(lookback({"import", out_, "--out", back}));
  EXPECT_EQ(imported.exit_code, 0) << imported.err;
  EXPECT_EQ(imported.out, back + "\n");

  model::Architecture a;
  a.vocabulary = 16;
  a.context = 32;
  a.d_model = 16;
  a.d_head = 8;
  a.layers = 2;
  const Result<model::Program> program = model::compile(a);
  ASSERT_TRUE(program);
  EXPECT_EQ(parameters(back, *program), parameters(checkpoint, *program));
}

TEST_F(Exchange, TheSequentialLayerGoesToTorchOnly) {
  const std::string checkpoint = train("sequential");
  EXPECT_EQ(one_line(spec::run(
                lookback({"export", checkpoint, "--to", "transformer-lens", "--out", out_}))),
            "TransformerLens has no sequential steps in one layer (model.steps is 2); --to torch "
            "exports every architecture");
  const spec::Ended exported =
      spec::run(lookback({"export", checkpoint, "--to", "torch", "--out", out_}));
  EXPECT_EQ(exported.exit_code, 0) << exported.err;
  EXPECT_TRUE(std::filesystem::exists(out_ + "/model.py"));
}

TEST_F(Exchange, AModelOfTextGoesToHuggingFaceWithItsTokenizer) {
  const auto books =
      study::spec::prepare_text(directory_, "books", study::spec::made_up_text(40)).string();
  std::string study = study::spec::text_study(books);
  const std::string rotary = "positions = \"rotary\"";
  study.replace(study.find(rotary), rotary.size(), "d_mlp = 32");
  std::ofstream(directory_ / "text.toml") << study;
  const std::string run = directory_ / "run";
  ASSERT_EQ(spec::run(lookback({"train", directory_ / "text.toml", "--arm", "ov", "--out", run,
                                "--threads", "1"}))
                .exit_code,
            0);
  const auto to = [&](const char* target, std::vector<std::string> more) {
    more.insert(more.begin(), {"export", run, "--to", target, "--out", out_});
    return spec::run(lookback(more));
  };
  const spec::Ended exported = to("huggingface", {});
  ASSERT_EQ(exported.exit_code, 0) << exported.err;
  const auto bytes = [](const std::string& file) { return *base::read_file(file, 1 << 20); };
  EXPECT_EQ(bytes(out_ + "/tokenizer.json"), bytes(books + "/tokenizer.json"));
  EXPECT_NE(bytes(out_ + "/config.json").find("\"eos_token_id\": 256"), std::string::npos);

  // What was exported and imported still knows its tokenizer.
  const std::string back = directory_ / "back.safetensors";
  ASSERT_EQ(spec::run(lookback({"import", out_, "--out", back})).exit_code, 0);
  EXPECT_EQ(spec::run(lookback({"generate", back, "--tokenizer", books})).exit_code, 0);
  const std::string other = directory_ / "other.json";
  language::Vocabulary moved = language::bytes_alone();  // as many tokens, one under another id
  std::swap(moved.tokens[0], moved.tokens[1]);
  language::append_special(moved, language::end_of_text);
  ASSERT_TRUE(language::write_tokenizer(other, *language::Tokenizer::make(moved)));
  EXPECT_TRUE(one_line(to("huggingface", {"--tokenizer", other}))
                  .starts_with(other + ": this is not the tokenizer"));
  EXPECT_TRUE(one_line(spec::run(lookback({"generate", back, "--tokenizer", other})))
                  .starts_with(other + ": this is not the tokenizer"));
  EXPECT_TRUE(
      test::like(one_line(to("torch", {"--tokenizer", books}), 2), "--tokenizer: *huggingface*"));
}

TEST_F(Exchange, WrongUseIsTold) {
  EXPECT_EQ(one_line(spec::run(lookback({"export", "x", "--to", "onnx", "--out", out_})), 2),
            "--to: found the target 'onnx', allowed: transformer-lens, torch, huggingface");
  EXPECT_EQ(one_line(spec::run(lookback({"export", "x", "--to", "torch", "--out", out_}))),
            "x: cannot open: No such file or directory");
  EXPECT_EQ(one_line(spec::run(lookback({"import", directory_.path(), "--out", out_}))),
            (directory_ / "config.json").string() + ": cannot open: No such file or directory");
}

}  // namespace
}  // namespace lookback::program
