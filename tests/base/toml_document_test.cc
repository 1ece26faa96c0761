#include "lookback/base/toml_document.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "lookback/base/file.h"
#include "tests/base/temporary_directory.h"

namespace lookback::base {
namespace {

Document parsed(std::string_view text) {
  auto document = parse_toml(text, "study.toml");
  EXPECT_TRUE(document) << document.error().message;
  return document ? *document : Document{};
}

void expect_refused(std::string_view text, const std::string& start) {
  const auto document = parse_toml(text, "study.toml");
  ASSERT_FALSE(document) << text.substr(0, 100);
  const std::string& message = document.error().message;
  EXPECT_EQ(message.find(start), 0u) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_LT(message.size(), 500u) << message;
}

const TomlValue& at(const TomlTable& table, std::string_view key) {
  const TomlValue* value = table.find(key);
  EXPECT_NE(value, nullptr) << key;
  return *value;
}

const TomlTable& table_at(const TomlTable& table, std::string_view key) {
  return std::get<TomlTable>(at(table, key).data);
}

const std::string everything = R"(
name = "a \"study\"\n"
flag = true
count = -3
large = 9223372036854775807
rate = 1e-3
whole = 2.0
third = 0.3333333333333333
inf = -inf
nan = nan
mixed = [1, "two", [3.5], {four = 4}]
nothing = []
"odd key" = 1

[model]
layers = 2
[model.norm]
kind = "layer"
[model.empty]

[[arm]]
name = "two-layer"
[arm.model]
layers = 2
[[arm.claim]]
id = 1
[[arm.claim]]
id = 2
[[arm]]
name = "parallel"
)";

TEST(TomlDocument, KeepsKindsAndValues) {
  const Document document = parsed(everything);
  EXPECT_EQ(document.file_name, "study.toml");
  EXPECT_EQ(std::get<std::string>(at(document.root, "name").data), "a \"study\"\n");
  EXPECT_TRUE(std::get<bool>(at(document.root, "flag").data));
  EXPECT_EQ(std::get<std::int64_t>(at(document.root, "count").data), -3);
  EXPECT_EQ(std::get<double>(at(document.root, "rate").data), 1e-3);
  EXPECT_EQ(std::get<double>(at(document.root, "whole").data), 2.0);
  EXPECT_EQ(std::get<TomlArray>(at(document.root, "mixed").data).size(), 4u);
  EXPECT_EQ(std::get<TomlArray>(at(document.root, "arm").data).size(), 2u);
  EXPECT_EQ(document.root.find("none"), nullptr);
}

TEST(TomlDocument, RemembersLines) {
  const Document document = parsed(everything);
  EXPECT_EQ(at(document.root, "name").line, 2u);
  EXPECT_EQ(at(document.root, "nothing").line, 12u);
  EXPECT_EQ(at(document.root, "model").line, 15u);
  EXPECT_EQ(at(table_at(document.root, "model"), "layers").line, 16u);
  const auto& arms = std::get<TomlArray>(at(document.root, "arm").data);
  EXPECT_EQ(arms[1].line, 29u);
}

TEST(TomlDocument, KeepsTheOrderOfTheText) {
  const Document document = parsed("b = 1\na = 2\n[z]\nx.q = 1\nx.p = 2\n[y]\n");
  ASSERT_EQ(document.root.entries.size(), 4u);
  EXPECT_EQ(document.root.entries[0].key, "b");
  EXPECT_EQ(document.root.entries[1].key, "a");
  EXPECT_EQ(document.root.entries[2].key, "z");
  EXPECT_EQ(document.root.entries[3].key, "y");
  const TomlTable& dotted = table_at(table_at(document.root, "z"), "x");
  EXPECT_EQ(dotted.entries[0].key, "q");
  EXPECT_EQ(at(dotted, "q").line, 4u);
}

TEST(TomlDocument, ErrorsNameFileAndLine) {
  expect_refused("a = 1\nb = \n", "study.toml:2: not TOML: ");
  expect_refused("a = 1\na = 2\n", "study.toml:2: not TOML: ");
  expect_refused("[x]\n[x]\n", "study.toml:2: not TOML: ");
  expect_refused("a = \"\xff\"\n", "study.toml:1: not TOML: ");
  expect_refused("\n\nday = 2024-01-01\n", "study.toml:3: found a date or time");
  expect_refused("[{a]\n", "study.toml:1: not TOML: ");
  expect_refused("a = 99999999999999999999\n", "study.toml:1: not TOML: ");
  expect_refused("\"a\nb\" = 1", "study.toml:1: not TOML: ");
}

TEST(TomlDocument, HostileNestingIsRefused) {
  expect_refused("a = " + std::string(100000, '['), "study.toml:1: ");
  expect_refused("a = 1\nb = " + std::string(40, '[') + std::string(40, ']'),
                 "study.toml:2: found tables or arrays nested too deeply");
  std::string dotted = "a";
  for (int i = 0; i < 9999; ++i) dotted += ".a";
  expect_refused(dotted + " = 1", "study.toml:1: found tables or arrays nested too deeply");
  expect_refused("[" + dotted + "]", "study.toml:1: found tables or arrays nested too deeply");
  expect_refused(dotted + ".a.a = 1", "study.toml: found more than 10000 dots");
}

TEST(TomlDocument, HostileSizesAreRefused) {
  expect_refused(std::string((std::size_t{1} << 20) + 1, '\n'), "study.toml: found 1048577 bytes");
  std::string keys;
  for (int i = 0; i < 5000; ++i) keys += "k" + std::to_string(i) + "=1\n";
  expect_refused(keys, "study.toml:1: found 5000 keys");
}

TEST(TomlDocument, IsReadFromAFile) {
  const test::TemporaryDirectory directory;
  ASSERT_TRUE(write_file_atomically(directory / "a.toml", "x = 1\ny ="));
  const std::string path = (directory / "a.toml").string();
  const auto broken = read_toml(path);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().message.find(path + ":2: "), 0u) << broken.error().message;
  ASSERT_TRUE(write_file_atomically(directory / "a.toml", "x = 1"));
  EXPECT_TRUE(read_toml(path));
  EXPECT_FALSE(read_toml((directory / "none.toml").string()));
}

TEST(TomlText, ReadsBackToTheSameValues) {
  const Document document = parsed(everything);
  const std::string text = to_text(document);
  const Document again = parsed(text);
  EXPECT_TRUE(same_values(document.root, again.root)) << text;
  EXPECT_EQ(to_text(again), text);
}

TEST(TomlText, KeepsEveryBitOfANumber) {
  Document document;
  const double smallest = std::numeric_limits<double>::denorm_min();
  int i = 0;
  for (const double x : {0.1, 1.0 / 3.0, 1e300, 1e22, 123456789.0, smallest, -0.0, 5e-324}) {
    document.set("x" + std::to_string(i++), {x});
  }
  EXPECT_TRUE(same_values(document.root, parsed(to_text(document)).root)) << to_text(document);
}

TEST(TomlText, EscapesAnyText) {
  Document document;
  std::string all;
  for (char c = 1; c < 127; ++c) all += c;
  all += std::string(1, '\0') + "\x7f" + "\xc3\xa4";
  document.set("text", {all});
  document.root.entries.push_back({"key \"with\" \n all", {std::int64_t{1}}});
  document.root.entries.push_back({"", {TomlTable{{{"a.b", {TomlTable{}}}}}}});
  EXPECT_TRUE(same_values(document.root, parsed(to_text(document)).root)) << to_text(document);
}

TEST(TomlText, LooksAsPeopleWriteIt) {
  Document document;
  document.set("model.layers", {std::int64_t{2}});
  document.set("name", {std::string("x")});
  document.set("model.norm.kind", {std::string("none")});
  document.set("train.rate", {1.0});
  document.set("train.betas", {TomlArray{{0.9}, {0.98}}});
  EXPECT_EQ(to_text(document),
            "name = \"x\"\n\n[model]\nlayers = 2\n\n[model.norm]\nkind = \"none\"\n\n"
            "[train]\nrate = 1.0\nbetas = [0.9, 0.98]\n");
}

TEST(TomlDocument, SetReplacesWhatIsInTheWay) {
  Document document = parsed("a = 1\n[b]\nc = 2\n");
  document.set("a.x", {true});
  document.set("b.c", {std::int64_t{3}});
  EXPECT_TRUE(same_values(document.root, parsed("a.x = true\nb.c = 3").root));
}

TEST(TomlMerge, TablesAreMergedAndTheRestReplaced) {
  const Document base = parsed("a = 1\nlist = [1, 2]\n[t]\nx = 1\ny = 2\n[t.deep]\nz = 3\n");
  const Document over = parsed("a = 2\nlist = [3]\nnew = 4\n[t]\ny = 5\n[t.deep]\nw = 6\n");
  const Document both = merged(base, over);
  EXPECT_TRUE(same_values(
      both.root,
      parsed("a = 2\nlist = [3]\nnew = 4\n[t]\nx = 1\ny = 5\n[t.deep]\nz = 3\nw = 6\n").root))
      << to_text(both);
}

TEST(TomlMerge, ATableReplacesAValueAndTheOtherWayRound) {
  EXPECT_TRUE(same_values(merged(parsed("a = 1"), parsed("a.x = 1")).root, parsed("a.x = 1").root));
  EXPECT_TRUE(same_values(merged(parsed("a.x = 1"), parsed("a = 1")).root, parsed("a = 1").root));
}

TEST(TomlMerge, ValuesKeepTheirLines) {
  const Document both = merged(parsed("x = 1\ny = 2\n"), parsed("\n\n\n\ny = 3\nz = 4\n"));
  EXPECT_EQ(at(both.root, "x").line, 1u);
  EXPECT_EQ(at(both.root, "y").line, 5u);
  EXPECT_EQ(at(both.root, "z").line, 6u);
}

TEST(TomlSameValues, TellsValuesAndKindsApart) {
  const auto same = [](std::string_view a, std::string_view b) {
    return same_values(parsed(a).root, parsed(b).root);
  };
  EXPECT_TRUE(same("a = 1\nb = 2", "b = 2\n\na = 1"));
  EXPECT_TRUE(same("a = nan", "a = nan"));
  EXPECT_FALSE(same("a = 1", "a = 1.0"));
  EXPECT_FALSE(same("a = 1", "a = 2"));
  EXPECT_FALSE(same("a = 1", "b = 1"));
  EXPECT_FALSE(same("a = 1", "a = 1\nb = 1"));
  EXPECT_FALSE(same("a = [1]", "a = [1, 2]"));
  EXPECT_FALSE(same("a = true", "a = false"));
  EXPECT_FALSE(same("a = \"x\"", "a = \"y\""));
  EXPECT_FALSE(same("a.x = 1", "a.x = 2"));
}

struct Difference {
  const char *a, *b, *key, *found, *asked;
};

TEST(TomlDocument, NamesTheFirstDifference) {
  const Difference differences[] = {
      {"x = 1", "x = 2", "x", "1", "2"},
      {"x = 1", "x = 2.5", "x", "1", "2.5"},
      {"x = 1", "y = 1", "x", "1", "nothing"},
      {"", "y = true", "y", "nothing", "true"},
      {"[a]\nx = 1\ny = 2", "[a]\nx = 1\ny = 3", "a.y", "2", "3"},
      {"[[arm]]\nn = 1\n[[arm]]\nn = 2", "[[arm]]\nn = 1\n[[arm]]\nn = 3", "arm[1].n", "2", "3"},
      {"p = [1, 2]", "p = [1, 3]", "p[1]", "2", "3"},
      {"p = [1, 2]", "p = [1]", "p[1]", "2", "nothing"},
  };
  for (const Difference& expected : differences) {
    const auto a = parse_toml(expected.a, "a"), b = parse_toml(expected.b, "b");
    ASSERT_TRUE(a && b);
    const auto found = first_difference(a->root, b->root);
    ASSERT_TRUE(found) << expected.a;
    EXPECT_EQ(found->key, expected.key);
    EXPECT_EQ(found->a, expected.found) << expected.key;
    EXPECT_EQ(found->b, expected.asked) << expected.key;
    EXPECT_FALSE(first_difference(a->root, a->root));
  }
  const auto a = parse_toml("x = 1\ny = nan\n[t]\nz = [1]", "a");
  const auto b = parse_toml("y = nan\nx = 1\n[t]\nz = [1]", "b");
  ASSERT_TRUE(a && b);
  EXPECT_FALSE(first_difference(a->root, b->root)) << "the order of keys is no difference";
}

}  // namespace
}  // namespace lookback::base
