#include "lookback/language/task.h"

#include <bzlib.h>
#include <gtest/gtest.h>

#include "lookback/base/sha256.h"
#include "lookback/language/bzip2.h"
#include "tests/base/like.h"
#include "tests/language/evaluation_data.h"

namespace lookback::language {
namespace {

std::string compressed(std::string text) {
  std::string bytes(text.size() + 1000, '\0');
  auto size = static_cast<unsigned>(bytes.size());
  EXPECT_EQ(BZ2_bzBuffToBuffCompress(bytes.data(), &size, text.data(),
                                     static_cast<unsigned>(text.size()), 9, 0, 0),
            BZ_OK);
  bytes.resize(size);
  return bytes;
}

Task task_of(std::string_view name, const TaskDirectory& directory, std::size_t limit = 0) {
  Result<Task> task = read_task(name, directory.path(), limit);
  EXPECT_TRUE(task) << task.error().message;
  return task ? *task : Task{};
}

/// The message for a task whose only file has these bytes, without the directory.
std::string problem_of(std::string_view name, std::string_view file, std::string_view bytes) {
  const TaskDirectory directory;
  directory.write(file, bytes);
  const Result<Task> task = read_task(name, directory.path());
  if (task) return "none";
  std::string message = task.error().message;
  EXPECT_EQ(message.find('\n'), message.npos) << message;
  const std::string before = directory.path().string() + "/";
  if (message.starts_with(before)) message.erase(0, before.size());
  return message;
}

constexpr std::string_view hellaswag_line =
    R"({"activity_label": "Roof", "ctx_a": "A man [title] sits.", "ctx_b": "HE", )"
    R"("endings": ["falls.", " [step] eats  it. ", "c", "d"], "label": 1})";

TEST(ReadTask, HellaSwagIsCleanedAsInTheHarness) {
  const TaskDirectory directory;
  directory.write("hellaswag_val.jsonl", hellaswag_line);
  const Task task = task_of("hellaswag", directory);
  EXPECT_EQ(task.kind, TaskKind::multiple_choice);
  ASSERT_EQ(task.documents.size(), 1U);
  EXPECT_EQ(task.documents[0].gold, 1U);
  ASSERT_EQ(task.documents[0].requests.size(), 4U);
  // " [title]" is followed by a space of its own: the pass over two spaces takes one of them.
  EXPECT_EQ(task.documents[0].requests[0].context, "Roof: A man. sits. He");
  EXPECT_EQ(task.documents[0].requests[0].continuation, " falls.");
  EXPECT_EQ(task.documents[0].requests[1].continuation, "  eats it.");
}

TEST(ReadTask, HellaSwagInSixLinesIsCleanedToo) {
  const TaskDirectory directory;
  directory.write(
      "hellaswag_val.txt.bz2",
      compressed(
          "Roof: [a]  he\n3\na [title] x\nb\nc\n[step] d\nX: y\r\n0\r\ne\r\nf\r\ng\r\nh\r\n"));
  const Task task = task_of("hellaswag", directory);
  ASSERT_EQ(task.documents.size(), 2U);
  EXPECT_EQ(task.documents[0].gold, 3U);
  EXPECT_EQ(task.documents[0].requests[3], (Request{"Roof:  he", "  d"}));
  EXPECT_EQ(task.documents[0].requests[0].continuation, " a. x");
  EXPECT_EQ(task.documents[1].requests[0], (Request{"X: y", " e"}));
}

TEST(ReadTask, HellaSwagAsPublishedGoesBeforeSixLines) {
  const TaskDirectory directory;
  directory.write("hellaswag_val.jsonl", hellaswag_line);
  directory.write("hellaswag_val.txt.bz2", "no bzip2");
  EXPECT_EQ(task_of("hellaswag", directory).documents.size(), 1U);
}

TEST(ReadTask, ArcHasItsPromptInTheFile) {
  for (const auto& [name, file] : {std::pair("arc_easy", "arc_easy_test.jsonl"),
                                   std::pair("arc_challenge", "arc_challenge_test.jsonl")}) {
    const TaskDirectory directory;
    directory.write(file,
                    "{\"query\": \"Q\\nAnswer:\", \"choices\": [\"x\", \"y z\"], \"gold\": 1}\n\n");
    const Task task = task_of(name, directory);
    EXPECT_EQ(task.name, name);
    ASSERT_EQ(task.documents.size(), 1U);
    EXPECT_EQ(task.documents[0].gold, 1U);
    EXPECT_EQ(task.documents[0].requests,
              (std::vector<Request>{{"Q\nAnswer:", " x"}, {"Q\nAnswer:", " y z"}}));
  }
}

TEST(ReadTask, LambadaIsSplitAtItsLastSpace) {
  const TaskDirectory directory;
  directory.write("lambada_openai.jsonl",
                  "{\"context\": \"I see\", \"continuation\": \"signs\"}\n"
                  "{\"text\": \"One two  three\"}\n");
  const Task task = task_of("lambada", directory);
  EXPECT_EQ(task.kind, TaskKind::last_word);
  ASSERT_EQ(task.documents.size(), 2U);
  EXPECT_EQ(task.documents[0].requests, (std::vector<Request>{{"I see", " signs"}}));
  EXPECT_EQ(task.documents[1].requests, (std::vector<Request>{{"One two ", " three"}}));
}

TEST(ReadTask, WikiTextCountsTheOriginalPage) {
  const TaskDirectory directory;
  directory.write("wikitext2_test.raw", " \n = A = \n 1 @.@ 5 \xC3\xA9 , b \n");
  const Task task = task_of("wikitext", directory);
  EXPECT_EQ(task.kind, TaskKind::rolling);
  ASSERT_EQ(task.documents.size(), 1U);
  const Document& page = task.documents[0];
  EXPECT_EQ(page.requests, (std::vector<Request>{{"", " = A =\n1.5 \xC3\xA9, b\n"}}));
  EXPECT_EQ(page.words, 11U);
  EXPECT_EQ(page.bytes, std::string(" = A = \n 1 @.@ 5 \xC3\xA9 , b \n").size());
}

TEST(ReadTask, ALimitKeepsTheFirstAndRemembersHowManyThereAre) {
  const TaskDirectory directory;
  directory.write("lambada_openai.jsonl",
                  "{\"text\": \"a b\"}\n{\"text\": \"c d\"}\n{\"text\": \"e f\"}\n");
  const Task task = task_of("lambada", directory, 2);
  EXPECT_EQ(task.original, 3U);
  ASSERT_EQ(task.documents.size(), 2U);
  EXPECT_EQ(task.documents[1].requests[0].context, "c");
  EXPECT_EQ(task_of("lambada", directory, 9).documents.size(), 3U);
}

TEST(ReadTask, SaysWhatIsMissing) {
  const TaskDirectory directory;
  EXPECT_TRUE(test::like(read_task("glue", directory.path()).error().message,
                         "*\"glue\"*hellaswag, arc_easy, arc_challenge, lambada, wikitext"));
  EXPECT_EQ(read_task("hellaswag", directory.path()).error().message,
            directory.path().string() +
                ": found no hellaswag_val.jsonl or hellaswag_val.txt.bz2, which hellaswag needs");
}

TEST(ReadTask, NamesTheLineOfWhatIsNoItem) {
  const auto arc = [](std::string_view bytes) {
    return problem_of("arc_easy", "arc_easy_test.jsonl", bytes);
  };
  const std::string good = "{\"query\": \"q\", \"choices\": [\"a\", \"b\"], \"gold\": 0}\n";
  EXPECT_TRUE(test::like(arc(""), "arc_easy_test.jsonl: found no documents*"));
  EXPECT_TRUE(test::like(arc("\n \n"), "arc_easy_test.jsonl: found no documents*"));
  EXPECT_TRUE(test::like(arc(good + "{\"query\": \"q\""),
                         "arc_easy_test.jsonl:2: found {\"query\": \"q\"*"));
  EXPECT_TRUE(test::like(arc(good + "[]"), "arc_easy_test.jsonl:2: found []*"));
  EXPECT_EQ(arc("{\"choices\": [\"a\", \"b\"], \"gold\": 0}"),
            "arc_easy_test.jsonl:1: found no \"query\", which every item needs");
  EXPECT_TRUE(test::like(arc("{\"query\": 3, \"choices\": [\"a\", \"b\"], \"gold\": 0}"),
                         "arc_easy_test.jsonl:1: found 3 as \"query\"*a text"));
  EXPECT_TRUE(test::like(arc("{\"query\": \"q\", \"choices\": [\"a\"], \"gold\": 0}"),
                         "arc_easy_test.jsonl:1: found 1 \"choices\"*two or more"));
  EXPECT_TRUE(test::like(arc("{\"query\": \"q\", \"choices\": [\"a\", null], \"gold\": 0}"),
                         "arc_easy_test.jsonl:1: found null among \"choices\"*texts"));
  for (const std::string gold : {"2", "-1", "0.5", "\"x\"", "null", "18446744073709551616"}) {
    EXPECT_EQ(arc("{\"query\": \"q\", \"choices\": [\"a\", \"b\"], \"gold\": " + gold + "}")
                  .substr(0, 29),
              "arc_easy_test.jsonl:1: found ")
        << gold;
  }
  EXPECT_TRUE(test::like(arc("{\"query\": \"q\", \"choices\": [\"a\", \"b\"]}"),
                         "arc_easy_test.jsonl:1: found nothing as \"gold\"*0 to 1"));
}

TEST(ReadTask, RefusesWhatIsNoText) {
  EXPECT_TRUE(test::like(
      problem_of("arc_easy", "arc_easy_test.jsonl", std::string("{}\n\x7F\x45\x4C\x46\0\0", 9)),
      "arc_easy_test.jsonl:2: *UTF-8"));
  EXPECT_TRUE(test::like(problem_of("wikitext", "wikitext2_test.raw", " = A = \n \xFF\xFE\n"),
                         "wikitext2_test.raw:2: *UTF-8"));
  EXPECT_TRUE(test::like(problem_of("wikitext", "wikitext2_test.raw", ""),
                         "wikitext2_test.raw: found no documents*"));
  EXPECT_EQ(problem_of("arc_easy", "arc_easy_test.jsonl", std::string(1 << 16, '[')).substr(0, 28),
            "arc_easy_test.jsonl:1: found");
}

TEST(ReadTask, RefusesLambadaWithoutAWord) {
  const auto lambada = [](std::string_view bytes) {
    return problem_of("lambada", "lambada_openai.jsonl", bytes);
  };
  EXPECT_TRUE(test::like(lambada("{\"text\": \"one\"}"),
                         "lambada_openai.jsonl:1: found a text of one word*two or more"));
  EXPECT_EQ(lambada("{\"text\": \"one \"}"), "lambada_openai.jsonl:1: found no word to predict");
  EXPECT_EQ(lambada("{\"context\": \"one\"}"),
            "lambada_openai.jsonl:1: found no \"continuation\", which every item needs");
}

TEST(ReadTask, RefusesTornSixLines) {
  const auto six = [](const std::string& text) {
    return problem_of("hellaswag", "hellaswag_val.txt.bz2", compressed(text));
  };
  EXPECT_EQ(six("a\n1\nx\ny\nz\n"), "hellaswag_val.txt.bz2:6: found no ending");
  EXPECT_EQ(six("a\n1\nx\ny\n[z]\nw\n"), "hellaswag_val.txt.bz2:5: found no ending");
  EXPECT_TRUE(test::like(six("a\n4\nx\ny\nz\nw\n"), "hellaswag_val.txt.bz2:2: found \"4\"*0 to 3"));
  EXPECT_EQ(six("a\n1\nx\ny\nz\nw\n\n"), "hellaswag_val.txt.bz2:7: found no context");
}

TEST(ReadTask, RefusesTornBzip2) {
  const std::string whole = compressed("a\n1\nx\ny\nz\nw\n");
  const std::string_view file = "hellaswag_val.txt.bz2";
  EXPECT_EQ(problem_of("hellaswag", file, whole), "none");
  EXPECT_EQ(problem_of("hellaswag", file, whole + whole), "none");  // as pbzip2 writes
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(problem_of("hellaswag", file, whole.substr(0, size)).find("a bzip2 file"),
              std::string::npos);
  }
  EXPECT_NE(problem_of("hellaswag", file, whole + "x").find("a bzip2 file"), std::string::npos);
}

TEST(ReadTask, RefusesBzip2ThatHoldsTooMuch) {
  const std::string bomb = compressed(std::string(std::size_t{3} << 20, ' '));
  EXPECT_TRUE(decompress_bzip2(bomb, std::size_t{3} << 20));
  EXPECT_TRUE(test::like(decompress_bzip2(bomb, (std::size_t{3} << 20) - 1).error().message,
                         "found too much*3145727 bytes*"));
}

TEST(ReadTask, NamesItsFileByTheBytesOnTheDisk) {
  const TaskDirectory directory;
  directory.write("hellaswag_val.jsonl", hellaswag_line);
  const DataFile plain = task_of("hellaswag", directory).file;
  EXPECT_EQ(plain.name, "hellaswag_val.jsonl");
  EXPECT_EQ(plain.bytes, hellaswag_line.size());
  EXPECT_EQ(plain.sha256, base::sha256_text(hellaswag_line));

  const TaskDirectory other;
  const std::string packed = compressed("Roof: a\n1\nb\nc\nd\ne\n");
  other.write("hellaswag_val.txt.bz2", packed);
  EXPECT_EQ(task_of("hellaswag", other, 1).file.sha256, base::sha256_text(packed));
}

}  // namespace
}  // namespace lookback::language
