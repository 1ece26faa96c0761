// Token files: what was written is read, and nothing else is.
#include "lookback/language/token_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "tests/base/like.h"
#include "tests/base/temporary_directory.h"
#include "tests/language/shared_data.h"

namespace lookback::language {
namespace {

template <class Number>
void write_tokens(const std::filesystem::path& path, const std::vector<Number>& tokens,
                  std::uint32_t vocabulary, Token separator) {
  TokenFileHeader header;
  header.width = token_width(vocabulary);
  header.vocabulary = vocabulary;
  header.separator = separator;
  header.documents = static_cast<std::uint64_t>(std::ranges::count(tokens, separator));
  header.tokenizer_checksum = 7;
  const base::Bytes bytes = std::as_bytes(std::span(tokens));
  const Status written = write_token_file(path, header, {&bytes, 1});
  ASSERT_TRUE(written) << written.error().message;
}

class TokenFileTest : public ::testing::Test {
 protected:
  void SetUp() override { write_tokens<std::uint16_t>(path_, {3, 1, 4, 1, 5, 9, 2, 6, 9}, 10, 9); }

  void overwrite(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }

  std::string refusal(TokenCheck check = TokenCheck::everything) const {
    const auto file = TokenFile::open(path_, check);
    if (file) return "";
    EXPECT_TRUE(file.error().message.starts_with(path_.string() + ": ")) << file.error().message;
    EXPECT_EQ(file.error().message.find('\n'), std::string::npos);
    return file.error().message.substr(path_.string().size() + 2);
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "some.tokens";
};

TEST_F(TokenFileTest, HoldsWhatWasWritten) {
  auto opened = TokenFile::open(path_);
  ASSERT_TRUE(opened) << opened.error().message;
  const TokenFile file = std::move(*opened);
  EXPECT_EQ(file.size(), 9u);
  EXPECT_EQ(file.vocabulary(), 10u);
  EXPECT_EQ(file.header().documents, 2u);
  EXPECT_EQ(file.header().tokenizer_checksum, 7u);
  EXPECT_EQ(file.token(5), 9u);
  std::vector<Token> some(4);
  file.copy(2, some);
  EXPECT_EQ(some, (std::vector<Token>{4, 1, 5, 9}));
  EXPECT_EQ(file.narrow().size(), 9u);
  EXPECT_TRUE(file.wide().empty());
}

TEST_F(TokenFileTest, TakesFourBytesForALargeVocabulary) {
  EXPECT_EQ(token_width(65536), 2u);
  EXPECT_EQ(token_width(65537), 4u);
  write_tokens<std::uint32_t>(path_, {70000, 5, 1}, 100'000, 1);
  const auto file = TokenFile::open(path_);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->token(0), 70000u);
  EXPECT_EQ(file->wide().size(), 3u);
}

TEST_F(TokenFileTest, RefusesATornFile) {
  const std::string whole = spec::contents(path_);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    overwrite(whole.substr(0, size));
    EXPECT_NE(refusal(TokenCheck::header), "") << size;
  }
  overwrite(whole + "xx");
  EXPECT_TRUE(test::like(refusal(TokenCheck::header), "found 20 bytes of tokens*9 x 2*"));
}

TEST_F(TokenFileTest, RefusesAnyChangedByte) {
  const std::string whole = spec::contents(path_);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    overwrite(changed);
    EXPECT_NE(refusal(), "") << "byte " << i;
    EXPECT_EQ(refusal(TokenCheck::header).empty(), i >= 64) << "byte " << i;
  }
}

TEST_F(TokenFileTest, RefusesForeignFiles) {
  overwrite("It was the best of times, it was the worst of times, it was the age of wisdom");
  EXPECT_TRUE(test::like(refusal(), "not a token file*"));
  overwrite("");
  EXPECT_TRUE(test::like(refusal(), "not a token file*"));
  EXPECT_FALSE(TokenFile::open(directory_.path()));
  EXPECT_FALSE(TokenFile::open(directory_ / "absent"));
}

TEST_F(TokenFileTest, RefusesTokensBeyondTheVocabulary) {
  write_tokens<std::uint16_t>(path_, {3, 1, 10, 9}, 10, 9);
  EXPECT_EQ(refusal(), "token 2: found the id 10, allowed 0 to 9");
}

}  // namespace
}  // namespace lookback::language
