// Study files: what each arm becomes, and the one line that each mistake gets.
#include "lookback/study/study_file.h"

#include <gtest/gtest.h>

#include "tests/base/like.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using spec::changed;
using spec::parsed;
using spec::small_study;

TEST(StudyFile, GivesEachArmTheStudysTablesWithItsOwnLaidOver) {
  const Study study = parsed(changed("heads = 2", "heads = 2\n[arm.train]\nbatch = 16"));
  EXPECT_EQ(study.name, "small");
  EXPECT_EQ(study.question, "Does it run?");
  EXPECT_EQ(study.seeds, 1U);
  ASSERT_EQ(study.arms.size(), 3U);
  EXPECT_EQ(study.arms[0].arm, "two-layer");
  EXPECT_EQ(study.arms[0].architecture.layers, 2U);
  EXPECT_EQ(study.arms[0].architecture.vocabulary, 16U);
  EXPECT_EQ(study.arms[0].train.batch, 8U);
  EXPECT_EQ(study.arms[1].architecture.layers, 1U);
  EXPECT_EQ(study.arms[1].architecture.heads, 2U);
  EXPECT_EQ(study.arms[1].train.batch, 16U);
  EXPECT_EQ(study.arms[1].train.shards, 4U);
  EXPECT_EQ(study.arms[2].architecture.steps, 2U);
  EXPECT_EQ(study.arms[2].train.batch, 8U);
}

TEST(StudyFile, AnArmsClampsAreLaidOverTheStudys) {
  const std::string common =
      "[clamp.look-back]\nkind = \"previous-token\"\nlayer = 0\nhead = 0\n[[arm]]\nname = "
      "\"two-layer\"";
  const std::string own =
      "layers = 2\n[arm.clamp.look-back]\ntokens = [0, \"1k\"]\n[arm.clamp.match]\nkind = "
      "\"matching\"\nlayer = 1\nhead = 0\n";
  std::string text = changed("[[arm]]\nname = \"two-layer\"", common);
  text.replace(text.find("layers = 2"), 10, own);
  const Study study = parsed(text);
  ASSERT_EQ(study.arms.size(), 3U);
  ASSERT_EQ(study.arms[0].clamps.size(), 2U);
  EXPECT_EQ(study.arms[0].clamps[0].name, "look-back");
  EXPECT_EQ(study.arms[0].clamps[0].end, 1000U);
  EXPECT_EQ(study.arms[0].clamps[1].kind, train::ClampKind::matching);
  EXPECT_EQ(study.arms[0].clamps[1].end, 2560U);
  ASSERT_EQ(study.arms[1].clamps.size(), 1U);
  EXPECT_EQ(study.arms[1].clamps[0].end, 2560U);
  EXPECT_EQ(parsed(study.text).arms, study.arms);
}

TEST(StudyFile, TheClampingStudyPinsTheCircuitPartByPart) {
  const Result<Study> study = read_study(LOOKBACK_SOURCE_DIR "/studies/clamping.toml", {});
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_TRUE(study->arms.front().clamps.empty());
  for (const RunConfig& arm : study->arms) {
    EXPECT_EQ(arm.architecture.layers * arm.architecture.heads_per_layer(), 2U) << arm.arm;
  }
}

TEST(StudyFile, ARunIsAnArmWithASeed) {
  const Study study = parsed(small_study);
  const RunConfig run = study.run(2, 5);
  EXPECT_EQ(run.arm, "sequential");
  EXPECT_EQ(run.seed, 5U);
  EXPECT_EQ(study.arms[2].seed, 0U);
}

TEST(StudyFile, TheCommandLineChangesTokensAndSeeds) {
  const Study study = parsed(small_study, {.tokens = 5120, .seeds = 3});
  EXPECT_EQ(study.seeds, 3U);
  for (const RunConfig& arm : study.arms) EXPECT_EQ(arm.train.tokens, 5120U);
  // Its text is the study as it is run: read again without the changes it is the same.
  const Study again = parsed(study.text);
  EXPECT_EQ(again.seeds, 3U);
  EXPECT_EQ(again.arms, study.arms);
  EXPECT_EQ(again.text, study.text);
}

TEST(StudyFile, TheCommandLinesTokensHoldForArmsWithTokensOfTheirOwnToo) {
  const Study study = parsed(changed("layers = 2", "layers = 2\n[arm.train]\ntokens = 512"),
                             {.tokens = 5120, .seeds = {}});
  for (const RunConfig& arm : study.arms) EXPECT_EQ(arm.train.tokens, 5120U) << arm.arm;
}

TEST(StudyFile, TheArticlesStudyIsTheThreeSetups) {
  const Result<Study> study = read_study(LOOKBACK_SOURCE_DIR "/studies/article.toml", {});
  ASSERT_TRUE(study) << study.error().message;
  ASSERT_EQ(study->arms.size(), 3U);
  for (const RunConfig& arm : study->arms) {
    EXPECT_EQ(arm.train.tokens, 16'000'000U);
    EXPECT_EQ(arm.architecture.layers * arm.architecture.heads_per_layer(), 2U) << arm.arm;
    EXPECT_EQ(arm.evaluate.probes.size(), 4U);
  }
}

/// A mistake: `from` in the small study becomes `to`, and the message is `line`.
struct Mistake {
  const char* name;
  const char* from;
  const char* to;
  const char* line;
};

class StudyFileMistake : public testing::TestWithParam<Mistake> {};

TEST_P(StudyFileMistake, GetsItsOneLine) {
  const Result<Study> study =
      parse_study(changed(GetParam().from, GetParam().to), "small.toml", {});
  ASSERT_FALSE(study);
  EXPECT_TRUE(test::like(study.error().message, std::string(GetParam().line) + "*"));
}

const Mistake mistakes[] = {
    {"UnknownKey", "d_head = 8", "d_haed = 8",
     "small.toml:7: key 'model.d_haed' is unknown; nearest: 'd_head'"},
    {"UnknownKeyOfAnArm", "[arm.model]\nsteps = 2", "[arm.model]\nstep = 2",
     "small.toml:33: key 'model.step' is unknown; nearest: 'steps'"},
    {"UnknownTable", "[evaluate]", "[evaluation]",
     "small.toml:18: key 'evaluation' is unknown; nearest: 'evaluate'"},
    {"UnknownTableOfAnArm", "[arm.model]\nsteps", "[arm.modle]\nsteps",
     "small.toml:32: key 'arm[2].modle' is unknown; nearest: 'model'"},
    {"KeyOfATableAtTheTop", "question", "learning_rate = 1e-3\nquestion",
     "small.toml:2: key 'learning_rate' is unknown; it belongs in [train]"},
    {"KeyOfAnotherTable", "d_head = 8", "d_head = 8\nlearning_rate = 1e-3",
     "small.toml:8: key 'model.learning_rate' is unknown; it belongs in [train]"},
    {"KeyOfTheTopInATable", "batch = 8", "batch = 8\nquestion = \"Why?\"",
     "small.toml:13: key 'train.question' is unknown; it belongs at the top of the file"},
    {"KeyOfATableInAnArm", "name = \"parallel\"", "name = \"parallel\"\nlearning_rate = 1e-3",
     "small.toml:28: key 'arm[1].learning_rate' is unknown; it belongs in [arm.train]"},
    {"KeyOfSeveralTables", "question", "norm = \"none\"\nkind = \"repeated-blocks\"\nquestion",
     "small.toml:2: key 'norm' is unknown; it belongs in [model]"},
    {"KeyOfATableThatIsAbsent", "question", "residual_gain = 0.5\nquestion",
     "small.toml:2: key 'residual_gain' is unknown; it belongs in [init]"},
    {"WrongType", "d_model = 16", "d_model = \"16\"",
     "small.toml:6: key 'model.d_model': found \"16\", allowed: a whole number from 0 to 16777216"},
    {"FractionForACount", "batch = 8", "batch = 8.5",
     "small.toml:12: key 'train.batch': found 8.5, allowed: a whole number from 1 to 1048576, such "
     "as 40_000_000 or \"40M\" (k, M, G)"},
    {"TableForAValue", "d_head = 8", "d_head = {size = 8}",
     "small.toml:7: key 'model.d_head': found a table, allowed: a whole number from 0 to 16777216"},
    {"ValueForATable", "[arm.model]\nlayers = 2", "model = 2",
     "small.toml:24: key 'arm[0].model': found 2, allowed: a table"},
    {"OutOfRange", "learning_rate = 3e-3", "learning_rate = -1",
     "small.toml:14: key 'train.learning_rate': found -1, allowed: a number from 0 to 100"},
    {"NotANumber", "learning_rate = 3e-3", "learning_rate = nan",
     "small.toml:14: key 'train.learning_rate': found nan, allowed: a number from 0 to 100"},
    {"NoTokens", "tokens = 2560", "tokens = 0",
     "small.toml:11: key 'train.tokens': found 0, allowed: a whole number from 1 to "
     "1000000000000000, such as 40_000_000 or \"40M\" (k, M, G)"},
    {"BadSuffix", "tokens = 2560", "tokens = \"40X\"",
     "small.toml:11: key 'train.tokens': found \"40X\", allowed: a whole number from 1 to "
     "1000000000000000, such as 40_000_000 or \"40M\" (k, M, G)"},
    {"UnknownChoice", "d_head = 8", "d_head = 8\npositions = \"rotery\"",
     "small.toml:8: key 'model.positions': found \"rotery\", allowed: one of \"none\", "
     "\"learned\", "
     "\"shortformer\", \"rotary\""},
    {"UnknownProbe", "[\"repeated-blocks\"]", "[\"repeated-block\"]",
     "small.toml:20: key 'evaluate.probes': found \"repeated-block\", allowed: one of "},
    {"ProbeTwice", "[\"repeated-blocks\"]", "[\"repeated-blocks\", \"repeated-blocks\"]",
     "small.toml:20: key 'evaluate.probes': found \"repeated-blocks\" twice, allowed: each name "
     "once"},
    {"PeriodsReversed", "[3, 8]", "[8, 3]",
     "small.toml:9: key 'data.period': found [8, 3], allowed: [first, last], whole numbers from 1 "
     "to "
     "1048576 with first <= last"},
    {"DuplicateArm", "\"parallel\"", "\"two-layer\"",
     "small.toml:27: key 'arm[1].name': found \"two-layer\" twice, allowed: each name once"},
    {"BadArmName", "\"parallel\"", "\"../parallel\"",
     "small.toml:27: key 'arm[1].name': found \"../parallel\", allowed: letters, digits, - and _, "
     "but not \"figures\""},
    {"EmptyArmName", "\"parallel\"", "\"\"",
     "small.toml:27: key 'arm[1].name': found \"\", allowed: letters, digits, - and _, but not "
     "\"figures\""},
    {"ArmWithoutName", "name = \"parallel\"\n", "",
     "small.toml:26: key 'arm[1].name': is missing*"},
    {"StudyWithoutName", "name = \"small\"\n", "", "small.toml: key 'name': is missing*"},
    {"SharedWeightsOfOneStep", "layers = 2", "layers = 2\nshared_weights = true",
     "small.toml:23: arm 'two-layer': model.shared_weights needs model.steps > 1: with one step "
     "there is nothing to share"},
    {"NoOvOfOddSizes", "heads = 2", "heads = 3\nno_ov = true",
     "small.toml:27: arm 'parallel': model.no_ov writes the heads' outputs side by side into the "
     "stream: heads x d_head (3 x 8 = 24) must equal d_model (16)"},
    {"NoLayers", "layers = 2", "layers = 0",
     "small.toml:23: arm 'two-layer': model.layers is 0; *1 to 1024"},
    {"MoreShardsThanSequences", "shards = 4", "shards = 9",
     "small.toml:23: arm 'two-layer': train.shards is 9, but a step has only train.batch = 8 "
     "sequences; each shard needs one"},
    {"SequencesTooLong", "period = [3, 8]", "period = [3, 8]\nlength = 33",
     "small.toml:24: arm 'two-layer': data.length is 33, but model.context is 32; sequences must "
     "fit"},
    {"PeriodTooLong", "[3, 8]", "[3, 17]",
     "small.toml:23: arm 'two-layer': repeated-blocks: found a length of 32, allowed at least 34: "
     "two copies of the longest block, 17"},
    {"ProbeThatDoesNotFit", "layers = 2",
     "layers = 2\n[arm.data]\nperiod = [3, 11]\n[arm.evaluate]\n"
     "probes = [\"repeated-blocks\", \"broken-period\"]",
     "small.toml:23: arm 'two-layer': evaluate.probes: 'broken-period' does not fit: "
     "broken-period: "
     "found a length of 32, allowed at least 33: two copies of the longest block, 11, and the "
     "longest gap between them"},
    {"ClampOfNoLayer", "layers = 2",
     "layers = 2\n[arm.clamp.match]\nkind = \"matching\"\nlayer = 2\nhead = 0",
     "small.toml:23: arm 'two-layer': clamp.match: layer is 2, but the model has 2 layers, counted "
     "from 0"},
    {"ClampWithAKeyOfAnother", "layers = 2",
     "layers = 2\n[arm.clamp.match]\nkind = \"matching\"\nlayer = 1\nhead = 0\nto = \"zero\"",
     "small.toml:30: key 'clamp.match.to': found in a clamp of kind \"matching\", allowed: with "
     "\"freeze\""},
    {"WithoutTheMainProbe", "[\"repeated-blocks\"]", "[\"unseen-period\"]",
     "small.toml:23: arm 'two-layer': evaluate.probes must name \"repeated-blocks\": scores and "
     "transitions are judged by it"},
};

INSTANTIATE_TEST_SUITE_P(Each, StudyFileMistake, testing::ValuesIn(mistakes),
                         [](const auto& instance) { return std::string(instance.param.name); });

std::string refusal(const std::string& text, const Overrides& overrides = {}) {
  const Result<Study> study = parse_study(text, "small.toml", overrides);
  return study ? "" : study.error().message;
}

TEST(StudyFile, WithoutArmsIsRefused) {
  EXPECT_EQ(refusal("name = \"empty\"\n"), "small.toml: no [[arm]]; a study needs at least one");
}

TEST(StudyFile, ThatIsNoTomlIsRefusedAtItsLine) {
  const std::string why = refusal("name = \"a\"\nseeds = = 3\n");
  EXPECT_EQ(why.rfind("small.toml:2: not TOML: ", 0), 0U) << why;
  EXPECT_EQ(why.find('\n'), std::string::npos) << why;
}

TEST(StudyFile, ACommandLineBeyondAllLimitsIsRefused) {
  EXPECT_EQ(
      refusal(small_study, {.tokens = 2'000'000'000'000'000, .seeds = {}}),
      "small.toml: key 'train.tokens': found 2000000000000000, allowed: a whole number from 1 "
      "to 1000000000000000, such as 40_000_000 or \"40M\" (k, M, G)");
}

TEST(StudyFile, ThatIsNotThereIsNamed) {
  const test::TemporaryDirectory directory;
  const std::string file = directory / "none.toml";
  const Result<Study> study = read_study(file, {});
  ASSERT_FALSE(study);
  EXPECT_EQ(study.error().message, file + ": cannot open: No such file or directory");
}

TEST(StudyFile, ThatIsADirectoryIsRefused) {
  const test::TemporaryDirectory directory;
  const Result<Study> study = read_study(directory.path(), {});
  ASSERT_FALSE(study);
  EXPECT_EQ(study.error().message, directory.path().string() +
                                       ": cannot read: found a directory, allowed: a regular file");
}

}  // namespace
}  // namespace lookback::study
