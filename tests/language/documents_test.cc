// Files into documents.
#include "lookback/language/documents.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/base/like.h"
#include "tests/base/temporary_directory.h"
#include "tests/language/shared_data.h"

namespace lookback::language {
namespace {

using Documents = std::vector<std::string_view>;

TEST(Documents, AreCleanedOfMarksAndOfProjectGutenbergsWords) {
  EXPECT_EQ(clean_text("\xEF\xBB\xBFone\r\ntwo\rthree\r\n", DocumentKind::parts),
            "one\ntwo\rthree\n");
  for (const std::string mark : {"*** ", "***"}) {
    for (const std::string article : {"THE", "THIS"}) {
      const std::string book = fmt::format(
          "Title: Emma\r\n{0}START OF {1} PROJECT GUTENBERG EBOOK EMMA ***\r\nEmma\r\n{0}END OF "
          "{1} "
          "PROJECT GUTENBERG EBOOK EMMA ***\r\nlicense",
          mark, article);
      EXPECT_EQ(clean_text(book, DocumentKind::files), "Emma\n");
    }
  }
}

TEST(Documents, KeepAllOfWhatIsNoBookOfProjectGutenberg) {
  const std::string start = "*** START OF THE PROJECT GUTENBERG EBOOK ***\n";
  const std::string end = "*** END OF THE PROJECT GUTENBERG EBOOK ***\n";
  for (const std::string& text :
       {std::string("a\n*** START OF THE DAY ***\nb\n*** END OF THE DAY ***\nc"),
        fmt::format("a\nx{}b\nx{}c", start, end),  // within a line
        std::string("***START OF THE\nPROJECT GUTENBERG\n***END OF THE\nPROJECT GUTENBERG\n"),
        fmt::format("a\n{}b", start), fmt::format("a\n{}b", end),
        fmt::format("{}a\n{}", end, start), std::string("***"), std::string("***START"),
        std::string()}) {
    EXPECT_EQ(clean_text(text, DocumentKind::files), text);
  }
  const std::string many = fmt::format("a\n{}b\n{}c", start, end);
  EXPECT_EQ(clean_text(many, DocumentKind::parts), "b\n");
  EXPECT_EQ(clean_text(many, DocumentKind::texts), many);
}

TEST(Documents, OfTheSharedBooksAreWithoutTheirLicenses) {
  const auto directory = spec::shared_data("books");
  if (!spec::is_there(directory)) GTEST_SKIP() << directory << " is not there";
  std::size_t books = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().filename().string().find("_pg") == std::string::npos) continue;
    const auto text = read_text(entry.path(), DocumentKind::parts);
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_EQ(text->cleaned.find("PROJECT GUTENBERG"), std::string::npos) << entry.path();
    ++books;
  }
  EXPECT_EQ(books, 6u);
}

TEST(Documents, AreFilesParagraphsOrLines) {
  const std::string text = "\n\na\nb\n \n\n\nc\n\n";
  EXPECT_EQ(split_documents(text, DocumentKind::files), (Documents{"\n\na\nb\n \n\n\nc\n"}));
  EXPECT_EQ(split_documents(text, DocumentKind::paragraphs), (Documents{"a\nb\n", "c\n"}));
  EXPECT_EQ(split_documents(text, DocumentKind::lines), (Documents{"a", "b", "c"}));
  EXPECT_TRUE(split_documents(" \n\n", DocumentKind::files).empty());
}

TEST(Documents, AreTextsBetweenTwoEmptyLines) {
  const std::string text = "a\n\nb\n\n\nc\n\n \n\nd";
  EXPECT_EQ(split_documents(text, DocumentKind::texts), (Documents{"a\n\nb\n", "c\n\n \n\nd"}));
  const std::string around = "\n\n\na\n\t\n\n\n\n\nb\n\n\n";
  EXPECT_EQ(split_documents(around, DocumentKind::texts), (Documents{"a\n", "b\n"}));
}

TEST(Documents, ArePartsThatEndAtABlankLine) {
  std::string text;
  while (text.size() < 3 * part_bytes) text += "Some words in a line.\nAnd more.\n\n";
  const Documents parts = split_documents(text, DocumentKind::parts);
  ASSERT_EQ(parts.size(), 3u);
  for (const std::string_view part : parts) {
    EXPECT_TRUE(part.starts_with("Some")) << part.substr(0, 30);
    EXPECT_TRUE(part.ends_with("more.\n"));
    EXPECT_LT(part.size(), part_bytes + 100);
  }
  const std::string line(3 * part_bytes, 'x');
  EXPECT_EQ(split_documents(line, DocumentKind::parts), Documents{line});
}

TEST(Documents, AreNotReadFromWhatIsNoText) {
  const test::TemporaryDirectory directory;
  const auto refusal = [&](const std::string& bytes) {
    std::ofstream(directory / "file", std::ios::binary) << bytes;
    const auto text = read_text(directory / "file", DocumentKind::parts);
    return text ? std::string() : text.error().message.substr(directory.path().string().size());
  };
  EXPECT_TRUE(test::like(refusal(std::string("ELF\0x", 5)), "/file: found a NUL byte at *3*"));
  EXPECT_TRUE(test::like(refusal(""), "/file: found no text*"));
  EXPECT_TRUE(test::like(refusal(" \r\n\t"), "/file: found no text*"));
  EXPECT_EQ(refusal("x"), "");
}

}  // namespace
}  // namespace lookback::language
