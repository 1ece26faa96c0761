#include "lookback/base/toml_table.h"
#include "tests/base/like.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace lookback::base {
namespace {

const std::vector<std::string> norms{"none", "layer", "rms"};

TableReader reader(std::string_view text) {
  auto document = parse_toml(text, "study.toml");
  EXPECT_TRUE(document) << document.error().message;
  return TableReader(document ? *document : Document{});
}

/// What reading `text` with `read` reports; empty when nothing is wrong.
std::string reported(std::string_view text, const std::function<void(TableReader&)>& read) {
  TableReader table = reader(text);
  read(table);
  const Status status = table.finish();
  return status ? "" : status.error().message;
}

TEST(TableReader, ReadsEveryKind) {
  TableReader table = reader(R"(
flag = true
integer = -5
number = 2.5
whole = 3
tokens = 40_000_000
short = "40M"
text = "hello"
norm = "rms"
one = "layer"
several = ["none", "rms"]
betas = [0.9, 1]
seeds = [1, 2, 3]
periods = [16, 48]
stretch = [0, "2.5M"]
names = ["x", "y"]
)");
  EXPECT_TRUE(table.flag("flag", false));
  EXPECT_EQ(table.integer("integer", 0, -10, 10), -5);
  EXPECT_EQ(table.number("number", 0.0, 0.0, 10.0), 2.5);
  EXPECT_EQ(table.number("whole", 0.0, 0.0, 10.0), 3.0);
  EXPECT_EQ(table.count("tokens", 0, 1, 1000000000), 40000000u);
  EXPECT_EQ(table.count("short", 0, 1, 1000000000), 40000000u);
  EXPECT_EQ(table.text("text", "", 5), "hello");
  EXPECT_EQ(table.choice("norm", "none", norms), "rms");
  EXPECT_EQ(table.choices("one", {}, norms), (std::vector<std::string>{"layer"}));
  EXPECT_EQ(table.choices("several", {}, norms), (std::vector<std::string>{"none", "rms"}));
  EXPECT_EQ(table.numbers("betas", {}, 2, 0.0, 1.0), (std::vector<double>{0.9, 1.0}));
  EXPECT_EQ(table.integers("seeds", {}, 8, 0, 9), (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(table.integer_range("periods", {1, 2}, 1, 128),
            (std::pair<std::int64_t, std::int64_t>{16, 48}));
  EXPECT_EQ(table.count_range("stretch", {1, 2}, 0, 1'000'000'000),
            (std::pair<std::uint64_t, std::uint64_t>{0, 2'500'000}));
  EXPECT_EQ(table.texts("names", {}, 2, 1), (std::vector<std::string>{"x", "y"}));
  const Status status = table.finish();
  EXPECT_TRUE(status) << status.error().message;
}

TEST(TableReader, AnAbsentKeyGivesItsDefault) {
  TableReader table = reader("");
  EXPECT_TRUE(table.flag("a", true));
  EXPECT_EQ(table.integer("a", 7, 0, 5), 7);
  EXPECT_EQ(table.number("a", 7.5, 0, 5), 7.5);
  EXPECT_EQ(table.count("a", 7, 0, 5), 7u);
  EXPECT_EQ(table.text("a", "x", 0), "x");
  EXPECT_EQ(table.choice("a", "x", norms), "x");
  EXPECT_EQ(table.choices("a", {"x"}, norms).size(), 1u);
  EXPECT_EQ(table.numbers("a", {1.0}, 9, 0, 1).size(), 1u);
  EXPECT_EQ(table.integer_range("a", {1, 2}, 0, 1).second, 2);
  EXPECT_EQ(table.count_range("a", {1, 2}, 0, 1).second, 2u);
  EXPECT_EQ(table.table("t").table("u").integer("a", 7, 0, 5), 7);
  EXPECT_TRUE(table.tables("t").empty());
  EXPECT_TRUE(table.document("t").root.entries.empty());
  EXPECT_FALSE(table.has("a"));
  EXPECT_TRUE(table.finish());
}

TEST(TableReader, SaysWhatWasFoundAndWhatIsAllowed) {
  EXPECT_EQ(reported("\nlayers = 0", [](auto& t) { t.integer("layers", 2, 1, 64); }),
            "study.toml:2: key 'layers': found 0, allowed: a whole number from 1 to 64");
  EXPECT_EQ(reported("[train]\nrate = \"fast\"",
                     [](auto& t) { t.table("train").number("rate", 1, 0, 0.5); }),
            "study.toml:2: key 'train.rate': found \"fast\", allowed: a number from 0 to 0.5");
  EXPECT_EQ(reported("norm = \"batch\"", [](auto& t) { t.choice("norm", "none", norms); }),
            "study.toml:1: key 'norm': found \"batch\", allowed: one of \"none\", \"layer\", "
            "\"rms\"");
  EXPECT_EQ(reported("flag = 1", [](auto& t) { t.flag("flag", false); }),
            "study.toml:1: key 'flag': found 1, allowed: true or false");
  EXPECT_EQ(reported("[[arm]]\n[[arm]]\nx = true",
                     [](auto& t) {
                       for (auto& arm : t.tables("arm")) arm.integer("x", 0, 0, 1);
                     }),
            "study.toml:3: key 'arm[1].x': found true, allowed: a whole number from 0 to 1");
}

TEST(TableReader, RefusesWhatIsNotAllowed) {
  const auto refused = [](std::string_view text, const std::function<void(TableReader&)>& read) {
    EXPECT_NE(reported(text, read), "") << text;
  };
  const auto integer = [](auto& t) { t.integer("a", 0, -5, 5); };
  for (const char* text : {"a = 6", "a = -6", "a = 1.0", "a = true", "a = \"1\"", "a = [1]"}) {
    refused(text, integer);
  }
  const auto number = [](auto& t) { t.number("a", 0, -1e300, 1e300); };
  for (const char* text : {"a = inf", "a = -inf", "a = nan", "a = \"1\"", "a = true", "a = {}"}) {
    refused(text, number);
  }
  const auto count = [](auto& t) { t.count("a", 1, 1, 1000); };
  for (const char* text : {"a = 0", "a = -1", "a = 1001", "a = 1e2", "a = \"2k\"", "a = \"x\""}) {
    refused(text, count);
  }
  const auto text_of_3 = [](auto& t) { t.text("a", "", 3); };
  for (const char* text : {"a = \"long\"", "a = 1", "a = \"\\u0007\"", "a = \"\\u0000\""}) {
    refused(text, text_of_3);
  }
  const auto choices = [](auto& t) { t.choices("a", {}, norms); };
  for (const char* text : {"a = \"x\"", "a = [\"none\", \"x\"]", "a = [\"rms\", \"rms\"]", "a = 1",
                           "a = [\"none\", \"layer\", \"rms\", \"none\"]"}) {
    refused(text, choices);
  }
  const auto range = [](auto& t) { t.integer_range("a", {1, 2}, 1, 9); };
  for (const char* text : {"a = [3, 2]", "a = [0, 2]", "a = [1, 10]", "a = [1]", "a = [1, 2, 3]",
                           "a = 5", "a = [1.0, 2]"}) {
    refused(text, range);
  }
  const auto counts = [](auto& t) { t.count_range("a", {1, 2}, 1, 9000); };
  for (const char* text : {"a = [3, 2]", "a = [2, 2]", "a = [0, 2]", "a = [1, \"10k\"]", "a = [1]",
                           "a = \"1k\"", "a = [1, \"2x\"]", "a = [-1, 2]", "a = [1, 2.0]"}) {
    refused(text, counts);
  }
  const auto numbers = [](auto& t) { t.numbers("a", {}, 2, 0, 1); };
  for (const char* text : {"a = [1, 1, 1]", "a = [2]", "a = 1", "a = [nan]"}) {
    refused(text, numbers);
  }
  refused("a = 1", [](auto& t) { t.table("a"); });
  refused("a = 1", [](auto& t) { t.tables("a"); });
  refused("a = [1]", [](auto& t) { t.tables("a"); });
  refused("a = 1", [](auto& t) { t.document("a"); });
}

TEST(TableReader, GivesTheDefaultAfterAnError) {
  TableReader table = reader("a = 100\nb = \"x\"");
  EXPECT_EQ(table.integer("a", 3, 0, 5), 3);
  EXPECT_EQ(table.number("b", 0.5, 0, 1), 0.5);
}

TEST(TableReader, ReportsTheFirstErrorOnly) {
  EXPECT_EQ(reported("a = 100\nb = 200\nc = 1",
                     [](auto& t) {
                       t.integer("b", 0, 0, 5);
                       t.integer("a", 0, 0, 5);
                     }),
            "study.toml:2: key 'b': found 200, allowed: a whole number from 0 to 5");
}

TEST(TableReader, UnknownKeysAreErrorsWithTheNearestKnownOne) {
  EXPECT_EQ(reported("[model]\nlayers = 2\nd_modle = 3",
                     [](auto& t) {
                       auto model = t.table("model");
                       model.integer("layers", 1, 1, 9);
                       model.integer("d_model", 1, 1, 9);
                     }),
            "study.toml:3: key 'model.d_modle' is unknown; nearest: 'd_model'");
  EXPECT_EQ(reported("x = 1\n[modle]\nlayers = 2",
                     [](auto& t) {
                       t.integer("x", 0, 0, 1);
                       t.table("model").integer("layers", 1, 1, 9);
                     }),
            "study.toml:2: key 'modle' is unknown; nearest: 'model'");
  EXPECT_EQ(reported("something = 1", [](auto&) {}), "study.toml:1: key 'something' is unknown");
}

TEST(TableReader, UnknownKeysAreFoundInArraysOfTables) {
  const auto read = [](auto& t) {
    for (auto& arm : t.tables("arm")) arm.text("name", "", 10);
  };
  EXPECT_EQ(reported("[[arm]]\nname = \"a\"\n[[arm]]\nname = \"b\"", read), "");
  EXPECT_EQ(reported("[[arm]]\nname = \"a\"\n[[arm]]\nnaem = \"b\"", read),
            "study.toml:4: key 'arm[1].naem' is unknown; nearest: 'name'");
}

TEST(TableReader, FinishOfAnInnerReaderLooksBelowItOnly) {
  TableReader table = reader("x = 1\n[a]\ny = 2\n");
  TableReader inner = table.table("a");
  inner.integer("y", 0, 0, 9);
  EXPECT_TRUE(inner.finish());
  EXPECT_FALSE(table.finish());
}

TEST(TableReader, AMissingKeyCanBeRequired) {
  const auto read = [](auto& t) {
    for (auto& arm : t.tables("arm")) {
      if (arm.require("name", "a text")) arm.text("name", "", 10);
    }
  };
  EXPECT_EQ(reported("[[arm]]\nname = \"a\"", read), "");
  EXPECT_TRUE(test::like(reported("\n\n[[arm]]", read),
                         "study.toml:3: key 'arm[0].name': is missing*a text"));
}

TEST(TableReader, AReaderOfSeveralKeysCanFail) {
  EXPECT_EQ(reported("[model]\nheads = 3",
                     [](auto& t) {
                       auto model = t.table("model");
                       model.integer("heads", 1, 1, 9);
                       model.fail("heads", "found 3, allowed: a divisor of d_model = 128");
                     }),
            "study.toml:2: key 'model.heads': found 3, allowed: a divisor of d_model = 128");
}

TEST(TableReader, FreeNamesCanBeListed) {
  TableReader table = reader("[arm.two]\n[arm.one]\n");
  EXPECT_EQ(table.table("arm").keys(), (std::vector<std::string>{"two", "one"}));
  EXPECT_TRUE(table.table("arm").has("one"));
  EXPECT_EQ(table.table("arm").line("one"), 2u);
  EXPECT_EQ(table.file_name(), "study.toml");
}

// How an arm of a study overrides the study's model, and whom a message blames.
TEST(TableReader, AnArmIsLaidOverTheStudy) {
  TableReader study = reader(R"([model]
layers = 2
norm = "layer"
[[arm]]
[arm.model]
layers = 1
nrom = "none"
)");
  const Document base = study.document("model");
  auto arms = study.tables("arm");
  ASSERT_EQ(arms.size(), 1u);
  TableReader model(merged(base, arms[0].document("model")));
  EXPECT_TRUE(study.finish()) << "what was handed out is judged by its own reader";
  EXPECT_EQ(model.integer("layers", 9, 1, 9), 1);
  EXPECT_EQ(model.choice("norm", "none", norms), "layer");
  const Status status = model.finish();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "study.toml:7: key 'nrom' is unknown; nearest: 'norm'");
}

TEST(TableReader, AValueMadeByTheProgramHasNoLine) {
  Document document{"config.toml", {}};
  document.set("seed", {std::int64_t{-1}});
  TableReader table(document);
  table.integer("seed", 0, 0, 9);
  EXPECT_EQ(table.finish().error().message,
            "config.toml: key 'seed': found -1, allowed: a whole number from 0 to 9");
}

TEST(TableReader, HostileTextStaysOnOneShortLine) {
  const std::string key = "\"" + std::string(5000, 'k') + "\\n\"";
  const std::string unknown = reported(key + " = 1", [](auto&) {});
  EXPECT_LT(unknown.size(), 200u);
  const std::string value = reported("a = \"" + std::string(5000, 'v') + "\\n\"",
                                     [](auto& t) { t.choice("a", "", norms); });
  EXPECT_LT(value.size(), 200u);
  EXPECT_EQ(value.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace lookback::base
