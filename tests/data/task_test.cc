#include "lookback/data/task.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "lookback/base/file.h"
#include "tests/base/documented_kind.h"

namespace lookback::data {
namespace {

Result<base::KindConfig> read(const std::string& text) {
  Result<base::Document> document = base::parse_toml(text, "study.toml");
  if (!document) return document.error();
  base::TableReader reader(std::move(*document));
  base::TableReader table = reader.table("data");
  base::KindConfig config = base::read_kind(table, base::kinds_of(task_kinds()), "task");
  if (Status status = reader.finish(); !status) return status.error();
  return config;
}

TEST(Tasks, HaveNamesOfTheirOwnAndProbesOfTheTable) {
  std::set<std::string> names;
  for (const TaskKind& kind : task_kinds()) {
    EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
    EXPECT_FALSE(kind.meaning.empty()) << kind.name;
    ASSERT_FALSE(kind.probes.empty()) << kind.name;
    for (const std::string& probe : kind.probes) {
      const auto row = find_task(probe);
      ASSERT_TRUE(row) << row.error().message;
      EXPECT_NE((*row)->make, nullptr) << probe << " has no held-out sequences";
    }
  }
}

TEST(Tasks, WithTheirDefaultsAreReadAsTheyAreWritten) {
  for (const TaskKind& kind : task_kinds()) {
    const base::KindConfig config(kind);
    const Result<base::KindConfig> found = read("[data]\n" + base::to_toml(config, kind));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(*found, config);
    EXPECT_EQ(*read(fmt::format("[data]\nkind = \"{}\"\n", kind.name)), config);
  }
  EXPECT_EQ(*read(""), base::KindConfig(task_kinds().front()));
}

/// Every task, at sizes that fit its defaults.
class EveryTask : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Task> make(std::uint64_t seed = 3) const {
    auto task = make_task(base::KindConfig(**find_task(GetParam())),
                          {.vocabulary = 96, .length = 160, .seed = seed});
    if (!task) ADD_FAILURE() << task.error().message;
    return task ? std::move(*task) : nullptr;
  }
};

TEST_P(EveryTask, DrawsEachSequenceFromItsSeedAndNumberAlone) {
  const auto one = make(), same = make(), other = make(4);
  ASSERT_TRUE(one && same && other);
  EXPECT_EQ(one->profile().name, GetParam());
  EXPECT_EQ(one->length(), 160U);
  EXPECT_EQ(one->vocabulary(), 96U);
  for (const std::uint64_t index : {7U, 0U, 3U}) {
    EXPECT_EQ(one->sequence(index), same->sequence(index));
    EXPECT_NE(one->sequence(index), other->sequence(index));
    for (const Token token : one->sequence(index)) ASSERT_LT(token, 96U);
  }
  EXPECT_NE(one->sequence(0), one->sequence(1));
}

// What measures take for granted.
TEST_P(EveryTask, AnswersEachPredictionFromThePastByWhatComesNext) {
  const auto task = make();
  ASSERT_TRUE(task);
  std::size_t answered = 0;
  for (std::uint64_t index = 0; index < 8; ++index) {
    const Structure structure = task->structure(index);
    const std::vector<float> weights = task->weights(index);
    ASSERT_EQ(structure.length(), 160U);
    ASSERT_EQ(structure.occurrence.size(), 160U);
    EXPECT_LE(structure.opening, 160U);
    EXPECT_TRUE(weights.empty() || weights.size() == 159U);
    EXPECT_FALSE(structure.is_answered(159));
    for (std::size_t t = 0; t < 160; ++t) {
      std::optional<Position> last;
      for (const Position source : structure.answers(t)) {
        ASSERT_LE(source, t);
        ASSERT_TRUE(!last || *last < source);
        last = source;
        ++answered;
      }
    }
  }
  EXPECT_GT(answered, 0U);
}

INSTANTIATE_TEST_SUITE_P(OfTheTable, EveryTask,
                         testing::ValuesIn(task_names().begin(), task_names().end()),
                         [](const auto& name) {
                           std::string plain = name.param;
                           std::ranges::replace(plain, '-', '_');
                           return plain;
                         });

TEST(Tasks, AKeyOfAnotherTaskIsRefusedAtItsLine) {
  const auto refused = read("[data]\nkind = \"repeated-blocks\"\nrepeats = 0.5\n");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message.find("study.toml:3: key 'data.repeats'"), 0U)
      << refused.error().message;
  EXPECT_NE(refused.error().message.find("\"tokens\""), std::string::npos);
}

TEST(Tasks, AnUnknownNameIsRefusedWithTheNearest) {
  const auto refused = find_task("broken-periods");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message.ends_with("nearest: broken-period"))
      << refused.error().message;
}

TEST(Tasks, TextHasNoSequencesToDraw) {
  EXPECT_FALSE(make_task(base::KindConfig(text_kind()), {}));
}

TEST(Tasks, AProbeTakesTheValuesThatItShares) {
  base::KindConfig text(text_kind());
  text.values["period"] = base::Range{3, 9};
  const base::KindConfig probe = probe_config("unseen-period", text);
  EXPECT_EQ(probe.kind, "unseen-period");
  EXPECT_EQ(probe.range("period"), (base::Range{3, 9}));
  EXPECT_FALSE(probe.has("repeats"));
}

TEST(Tasks, DocsFormatsHasTheirRows) {
  const Result<std::string> text =
      base::read_file(LOOKBACK_SOURCE_DIR "/docs/formats.md", std::size_t{1} << 20);
  ASSERT_TRUE(text) << text.error().message;
  for (const TaskKind& kind : task_kinds()) {
    const std::string rows =
        fmt::format("| \"{}\" | | | {} |\n", kind.name, kind.meaning) + test::documented_keys(kind);
    EXPECT_NE(text->find(rows), std::string::npos) << rows;
  }
}

}  // namespace
}  // namespace lookback::data
