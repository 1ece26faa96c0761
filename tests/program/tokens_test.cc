// lookback tokens, from text to token files and back.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "lookback/base/file.h"
#include "lookback/language/token_file.h"
#include "tests/program/studies.h"

namespace lookback::program {
namespace {

using spec::lookback;
using spec::one_line;

class Tokens : public ::testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& bytes) const {
    std::ofstream(directory_ / name, std::ios::binary) << bytes;
    return path(name);
  }
  std::string path(const std::string& name) const { return (directory_ / name).string(); }

  /// A vocabulary trained on a text of a few paragraphs.
  void learn() const {
    std::string text;
    for (int i = 0; i < 200; ++i) {
      text += "Paragraph " + std::to_string(i) + " speaks of naïve cats.\r\n\r\n";
    }
    const spec::Ended ended = spec::run(lookback(
        {"tokens", "train", file("text", text), "--vocabulary", "280", "--out", path("t.json")}));
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_EQ(ended.out, path("t.json") + ": 280 tokens, including 23 merges\n");
  }

  test::TemporaryDirectory directory_;
};

TEST_F(Tokens, AreEncodedAndDecodedToTheSameBytes) {
  learn();
  const std::string bytes = std::string("cats\r\n\xFF and \0 <|endoftext|>", 27);
  const spec::Ended encoded = spec::run(
      lookback({"tokens", "encode", file("bytes", bytes), "--tokenizer", path("t.json")}));
  ASSERT_EQ(encoded.exit_code, 0) << encoded.err;
  const spec::Ended decoded = spec::run(
      lookback({"tokens", "decode", file("ids", encoded.out), "--tokenizer", path("t.json")}));
  ASSERT_EQ(decoded.exit_code, 0) << decoded.err;
  EXPECT_EQ(decoded.out, bytes);
  const spec::Ended special = spec::run(lookback({"tokens", "encode", file("end", "<|endoftext|>"),
                                                  "--specials", "--tokenizer", path("t.json")}));
  EXPECT_EQ(special.out, "279\n");
}

TEST_F(Tokens, ArePreparedAsFilesThatOpen) {
  learn();
  const std::vector<std::string> command{"tokens",      "prepare",      path("text"),
                                         "--tokenizer", path("t.json"), "--out",
                                         path("out"),   "--documents",  "paragraphs"};
  const spec::Ended ended = spec::run(lookback(command));
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_NE(ended.out.find("training tokens in 190 documents, "), std::string::npos) << ended.out;
  for (const char* name : {"train.tokens", "validation.tokens"}) {
    const auto tokens = language::TokenFile::open(directory_ / "out" / name);
    EXPECT_TRUE(tokens) << tokens.error().message;
  }
  const std::string again = one_line(spec::run(lookback(command)));
  EXPECT_NE(again.find("already exists"), std::string::npos) << again;
}

TEST_F(Tokens, OfBadInputAreRefusedInOneLine) {
  learn();
  const auto refusal = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "tokens");
    return one_line(spec::run(lookback(std::move(arguments))));
  };
  const auto expect = [](const std::string& found, const char* part) {
    EXPECT_NE(found.find(part), std::string::npos) << found;
  };
  const std::string binary = file("binary", std::string("\x7F"
                                                        "ELF\0",
                                                        5));
  expect(refusal({"train", binary, "--out", path("no.json")}), "found a NUL byte at offset 4");
  expect(refusal({"train", file("empty", ""), "--out", path("no.json")}), "found no text");
  expect(refusal({"train", path("text"), "--vocabulary", "30000", "--out", path("no.json")}),
         "give more text or a smaller vocabulary");
  expect(refusal({"train", path("text"), "--vocabulary", "100", "--out", path("no.json")}),
         "found a vocabulary of 100, allowed 257");
  expect(refusal({"prepare", binary, "--tokenizer", path("t.json"), "--out", path("no.json")}),
         "found a NUL byte at offset 4");
  expect(refusal({"decode", file("ids", "3 280"), "--tokenizer", path("t.json")}),
         "token 2: found the id 280, allowed 0 to 279");
  expect(refusal({"decode", file("ids", "3 x"), "--tokenizer", path("t.json")}),
         "token 2: found 'x'");
  expect(refusal({"encode", path("text"), "--tokenizer", path("text")}), "not a tokenizer");
  expect(refusal({"encode", path("text"), "--tokenizer", path("absent.json")}), "cannot open");
  EXPECT_FALSE(std::filesystem::exists(directory_ / "no.json"));
}

TEST_F(Tokens, AreLearntOnlyIntoAFileThatIsFoundAgain) {
  std::filesystem::create_directory(directory_ / "folder.json");
  const auto refusal =
      [&](const std::string& out) {  // before the text, which is not there, is read
        const spec::Ended ended =
            spec::run(lookback({"tokens", "train", path("absent"), "--out", path(out)}));
        EXPECT_EQ(ended.exit_code, 2) << ended.err;
        return one_line(ended, 2);
      };
  EXPECT_NE(refusal("words").find(".json"), std::string::npos);
  EXPECT_NE(refusal("words.tiktoken").find(".json"), std::string::npos);
  EXPECT_NE(refusal("folder.json").find("found the directory"), std::string::npos);
  EXPECT_NE(refusal("encoder.json").find("GPT-2's"), std::string::npos);
  EXPECT_NE(refusal("vocab.json").find("GPT-2's"), std::string::npos);
  EXPECT_NE(refusal("none/t.json").find("there is no directory"), std::string::npos);
}

TEST_F(Tokens, AreReadFromStandardInput) {
  learn();
  const std::string encode =
      "'" + lookback({}).arguments[0] + "' tokens encode - --tokenizer '" + path("t.json") + "'";
  const spec::Ended named = spec::run(
      lookback({"tokens", "encode", file("cats", "cats"), "--tokenizer", path("t.json")}));
  const spec::Ended piped =
      spec::run({{"/bin/sh", "-c", encode + " < '" + path("cats") + "'"}, {}, {}, {}});
  EXPECT_EQ(piped.exit_code, 0) << piped.err;
  EXPECT_EQ(piped.out, named.out);
  const std::string torn = one_line(
      spec::run(
          {{"/bin/sh", "-c", encode + " < '" + directory_.path().string() + "'"}, {}, {}, {}}),
      1);
  EXPECT_NE(torn.find("stdin: cannot read standard input: Is a directory"), std::string::npos)
      << torn;
}

}  // namespace
}  // namespace lookback::program
