// Texts into directories of token files.
#include "lookback/language/prepare.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "lookback/base/checksum.h"
#include "lookback/base/sha256.h"
#include "lookback/language/token_file.h"
#include "tests/base/like.h"
#include "tests/base/temporary_directory.h"
#include "tests/language/shared_data.h"

namespace lookback::language {
namespace {

Tokenizer byte_tokenizer() {
  Vocabulary vocabulary = bytes_alone();
  append_special(vocabulary, end_of_text);
  return *Tokenizer::make(vocabulary);
}

class PrepareTest : public ::testing::Test {
 protected:
  std::filesystem::path text(const std::string& name, const std::string& bytes) const {
    std::ofstream(directory_ / name, std::ios::binary) << bytes;
    return directory_ / name;
  }

  std::string refusal(const std::vector<std::filesystem::path>& files,
                      const PrepareOptions& options = {}) const {
    const auto prepared = prepare_tokens(files, tokenizer_, out_, options);
    EXPECT_FALSE(std::filesystem::exists(out_ / "train.tokens"));
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      EXPECT_EQ(entry.path().string().find("partial"), std::string::npos) << entry.path();
    }
    return prepared ? std::string() : prepared.error().message;
  }

  /// The documents of a token file as texts.
  std::multiset<std::string> documents(const char* name) const {
    const auto file = TokenFile::open(out_ / name);
    EXPECT_TRUE(file) << file.error().message;
    std::multiset<std::string> texts;
    std::vector<Token> ids;
    for (std::uint64_t i = 0; i < file->size(); ++i) {
      if (file->token(i) != file->header().separator) {
        ids.push_back(file->token(i));
        continue;
      }
      texts.insert(*tokenizer_.decode(ids));
      ids.clear();
    }
    EXPECT_TRUE(ids.empty()) << "a document without its end";
    return texts;
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path out_ = directory_ / "out";
  Tokenizer tokenizer_ = byte_tokenizer();
};

TEST_F(PrepareTest, PutsEachDocumentWholeInOneOfTwoFiles) {
  std::string lines;
  std::multiset<std::string> expected;
  for (int i = 0; i < 40; ++i) {
    const std::string line = "line " + std::to_string(i) + " <|endoftext|>";
    lines += line + "\n";
    expected.insert(line);
  }
  PrepareOptions options;
  options.documents = DocumentKind::lines;
  options.validation_share = 0.25;
  const auto prepared = prepare_tokens({text("a", lines)}, tokenizer_, out_, options);
  ASSERT_TRUE(prepared) << prepared.error().message;
  EXPECT_EQ(prepared->validation.documents, 10u);
  std::multiset<std::string> found = documents("train.tokens");
  EXPECT_EQ(found.size(), 30u);
  found.merge(documents("validation.tokens"));
  EXPECT_EQ(found, expected);
}

TEST_F(PrepareTest, DependsOnTheSeedAndNotOnThreads) {
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += std::to_string(i) + "\n";
  const auto train_bytes = [&](const char* name, std::uint64_t seed, std::size_t threads) {
    PrepareOptions options{DocumentKind::lines, 0.1, seed, threads};
    EXPECT_TRUE(prepare_tokens({text("a", lines)}, tokenizer_, directory_ / name, options));
    return spec::contents(directory_ / name / "train.tokens");
  };
  const std::string first = train_bytes("one", 1, 1);
  EXPECT_EQ(train_bytes("two", 1, 3), first);
  EXPECT_NE(train_bytes("three", 2, 1), first);
}

TEST_F(PrepareTest, SaysWhatWentIn) {
  const auto prepared =
      prepare_tokens({text("a", "one\n"), text("b", "fo\xFCr\n")}, tokenizer_, out_, {});
  ASSERT_TRUE(prepared) << prepared.error().message;
  const auto data = nlohmann::json::parse(spec::contents(out_ / "data.json"));
  EXPECT_EQ(data["vocabulary"], 257);
  EXPECT_EQ(data["documents"], "parts");
  EXPECT_EQ(data["sources"][1]["name"], "b");
  EXPECT_EQ(data["sources"][1]["tokens"], 6);
  EXPECT_EQ(data["sources"][1]["stray_bytes"], 1);
  EXPECT_EQ(prepared->stray_bytes, 1u);
  EXPECT_EQ(data["train"]["documents"], 1);
  EXPECT_EQ(data["validation"]["documents"], 1);
  const auto copied = read_tokenizer(out_);
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(copied->vocabulary(), tokenizer_.vocabulary());
  const std::string text = spec::contents(out_ / "tokenizer.json");
  EXPECT_EQ(data["tokenizer_checksum"], base::checksum_text({base::bytes_of(text)}));
}

TEST_F(PrepareTest, SaysWhichFilesTheTextsAreOf) {
  const std::string bytes = "\xEF\xBB\xBFone\r\n";  // cleaned, four bytes of text are left
  ASSERT_TRUE(prepare_tokens({text("a", bytes), text("b", "two\n")}, tokenizer_, out_, {}));
  const auto source = nlohmann::json::parse(spec::contents(out_ / "data.json"))["sources"][0];
  EXPECT_EQ(source["text_bytes"], 4);
  EXPECT_EQ(source["file_bytes"], bytes.size());
  EXPECT_EQ(source["file_sha256"], base::sha256_text(bytes));
  EXPECT_EQ(source["verified_as"], nullptr);
}

TEST_F(PrepareTest, KnowsATextThatGetDataVerifies) {
  const auto emma = spec::shared_data("books/austen-emma.txt");
  if (!spec::is_there(emma)) GTEST_SKIP() << emma << " is not there";
  ASSERT_TRUE(
      prepare_tokens({emma, text("changed", spec::contents(emma) + "x")}, tokenizer_, out_, {}));
  const auto sources = nlohmann::json::parse(spec::contents(out_ / "data.json"))["sources"];
  EXPECT_EQ(sources[0]["verified_as"], "text/austen-emma.txt");
  EXPECT_EQ(sources[1]["verified_as"], nullptr);
}

TEST_F(PrepareTest, LeavesNothingBehindWhenItRefuses) {
  const auto good = text("good", "some text\n"), empty = text("empty", "");
  EXPECT_TRUE(test::like(refusal({good, empty}), empty.string() + ": found no text*"));
  EXPECT_NE(refusal({good}).find("found 1 documents of kind 'parts', allowed at least 2"),
            std::string::npos);
  EXPECT_NE(refusal({good, text("same", "some text\r\n")}).find("same: found the same text"),
            std::string::npos);
  EXPECT_NE(refusal({good, directory_ / "absent"}).find("absent: cannot open"), std::string::npos);
  EXPECT_NE(refusal({good}, {DocumentKind::parts, 1.5, 0, 1}).find("validation share of 1.5"),
            std::string::npos);
  std::filesystem::create_directory(out_);
  std::ofstream(out_ / "mine") << "x";
  EXPECT_TRUE(test::like(refusal({good}), out_.string() + ": already exists*"));
}

TEST_F(PrepareTest, RemovesWhatKilledOnesLeft) {
  const auto beside = [&](const std::string& name) {
    std::filesystem::create_directory(directory_ / name);
    std::ofstream(directory_ / name / "train.tokens") << "x";
    return directory_ / name;
  };
  const auto left = beside(".out.partial-2147483647");  // above every process id
  const std::vector<std::filesystem::path> kept{
      beside(".out.partial-1"), beside(".out.partial-mine"), beside(".other.partial-2147483647")};
  ASSERT_TRUE(prepare_tokens({text("a", "one\n"), text("b", "two\n")}, tokenizer_, out_, {}));
  EXPECT_FALSE(std::filesystem::exists(left));
  for (const auto& path : kept) EXPECT_TRUE(std::filesystem::exists(path)) << path;
}

TEST_F(PrepareTest, TakesOneGiantLine) {
  std::string line;
  while (line.size() < 3'000'000) line += "word ";
  const auto prepared = prepare_tokens({text("a", line), text("b", std::string(3'000'000, 'x'))},
                                       tokenizer_, out_, {});
  ASSERT_TRUE(prepared) << prepared.error().message;
  EXPECT_GT(prepared->train.tokens + prepared->validation.tokens, 5'900'000u);
}

}  // namespace
}  // namespace lookback::language
