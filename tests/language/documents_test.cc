// Files into documents.
#include "lookback/language/documents.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/base/temporary_directory.h"

namespace lookback::language {
namespace {

using Documents = std::vector<std::string_view>;

TEST(Documents, AreCleanedOfMarksAndOfProjectGutenbergsWords) {
  EXPECT_EQ(clean_text("\xEF\xBB\xBFone\r\ntwo\rthree\r\n"), "one\ntwo\rthree\n");
  EXPECT_EQ(clean_text("The Project Gutenberg eBook\r\n*** START OF THE PROJECT ***\r\nCall me\r\n"
                       "*** END OF THE PROJECT ***\r\nlicense"),
            "Call me\n");
  EXPECT_EQ(clean_text("no *** START OF here\nx"), "no *** START OF here\nx");
}

TEST(Documents, AreFilesParagraphsOrLines) {
  const std::string text = "\n\na\nb\n \n\n\nc\n\n";
  EXPECT_EQ(split_documents(text, DocumentKind::files), (Documents{"\n\na\nb\n \n\n\nc\n"}));
  EXPECT_EQ(split_documents(text, DocumentKind::paragraphs), (Documents{"a\nb\n", "c\n"}));
  EXPECT_EQ(split_documents(text, DocumentKind::lines), (Documents{"a", "b", "c"}));
  EXPECT_TRUE(split_documents(" \n\n", DocumentKind::files).empty());
}

TEST(Documents, AreTextsBetweenTwoBlankLines) {
  const std::string text = "a\n\nb\n\n\nc\n\n \n\nd";
  EXPECT_EQ(split_documents(text, DocumentKind::texts), (Documents{"a\n\nb\n", "c\n", "d"}));
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
    const auto text = read_text(directory / "file");
    return text ? std::string() : text.error().message.substr(directory.path().string().size());
  };
  EXPECT_EQ(refusal(std::string("ELF\0x", 5)),
            "/file: found a NUL byte at 3, allowed: text in UTF-8");
  EXPECT_EQ(refusal(""), "/file: found no text, allowed: files with some");
  EXPECT_EQ(refusal(" \r\n\t"), "/file: found no text, allowed: files with some");
  EXPECT_EQ(refusal("x"), "");
}

}  // namespace
}  // namespace lookback::language
