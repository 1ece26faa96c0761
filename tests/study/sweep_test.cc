// [sweep] of a study file: the arms that it makes, what they are called, and the one line that each
// mistake gets.
#include "lookback/study/sweep.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "lookback/model/cpu_engine.h"
#include "lookback/study/arm_name.h"
#include "lookback/study/run_config.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using spec::changed;
using spec::parsed;
using spec::small_study;

/// The small study with a sweep whose first key is on line 35.
std::string swept(const std::string& sweep) {
  return std::string(small_study) + "[sweep]\n" + sweep + "\n";
}

/// The small study with its tables alone: no [[arm]].
std::string without_arms(const std::string& sweep) {
  std::string text = small_study;
  return text.substr(0, text.find("[[arm]]")) + "[sweep]\n" + sweep + "\n";
}

std::string sweep_refusal(const std::string& text, const Overrides& overrides = {}) {
  const Result<Study> study = parse_study(text, "s.toml", overrides);
  return study ? "" : study.error().message;
}

std::vector<double> contexts(const Study& study) {
  std::vector<double> found;
  for (const RunConfig& arm : study.arms) {
    found.push_back(static_cast<double>(arm.architecture.context));
  }
  return found;
}

std::vector<double> values_of(const std::string& column) {
  const Study study = parsed(without_arms("\"train.learning_rate\" = " + column));
  return study.swept.axes.empty() ? std::vector<double>() : study.swept.axes[0].values;
}

TEST(Sweep, RunsEveryArmAtEachValue) {
  const Study study = parsed(swept("\"model.context\" = [24, 32, 48]"));
  ASSERT_EQ(study.arms.size(), 9U);
  EXPECT_EQ(study.run_count(), 9U);
  EXPECT_EQ(study.arms[0].arm, "two-layer,context=24");
  EXPECT_EQ(study.arms[2].arm, "two-layer,context=48");
  EXPECT_EQ(study.arms[3].arm, "parallel,context=24");
  EXPECT_EQ(contexts(study), std::vector<double>({24, 32, 48, 24, 32, 48, 24, 32, 48}));
  EXPECT_EQ(study.arms[0].data.length, 24U);
  EXPECT_EQ(study.arms[0].architecture.layers, 2U);
  EXPECT_EQ(study.arms[3].architecture.heads, 2U);
  EXPECT_EQ(study.run(4, 7).seed, 7U);
}

TEST(Sweep, KeepsOfEachArmItsBaseAndItsPlace) {
  const Study study = parsed(swept("\"model.context\" = [24, 32]"));
  ASSERT_EQ(study.swept.arms.size(), study.arms.size());
  EXPECT_EQ(study.swept.axes[0].key, "model.context");
  EXPECT_EQ(study.swept.axes[0].label, "context");
  EXPECT_EQ(study.swept.arms[3].name, study.arms[3].arm);
  EXPECT_EQ(study.swept.arms[3].base, "parallel");
  EXPECT_EQ(study.swept.arms[3].at, std::vector<double>({32}));
  EXPECT_EQ(study.swept.bases(), std::vector<std::string>({"two-layer", "parallel", "sequential"}));
}

TEST(Sweep, OfSeveralKeysIsAGrid) {
  const Study study = parsed(
      without_arms("\"model.context\" = [24, 32]\n\"train.learning_rate\" = [1e-3, 0.01, 0.1]"));
  ASSERT_EQ(study.arms.size(), 6U);
  EXPECT_EQ(study.arms[0].arm, "context=24,learning_rate=0.001");
  EXPECT_EQ(study.arms[1].arm, "context=24,learning_rate=0.01");
  EXPECT_EQ(study.arms[5].arm, "context=32,learning_rate=0.1");
  EXPECT_EQ(study.arms[5].train.learning_rate, 0.1);
  EXPECT_EQ(study.swept.arms[4].at, std::vector<double>({32, 0.01}));
  EXPECT_EQ(study.swept.bases(), std::vector<std::string>({""}));
}

TEST(Sweep, NamesAKeyInFullWhereTwoEndAlike) {
  base::Document table{"s.toml", {}};
  for (const char* key : {"a.rate", "b.rate"}) {
    table.root.entries.push_back({key, {base::TomlArray{{1.0, 1}}, 1}});
  }
  const Result<Sweep> both = read_sweep(table, 1);
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(both->points.at(0).name, "a.rate=1,b.rate=1");
}

TEST(Sweep, RangesAreEvenOnTheirScale) {
  EXPECT_EQ(values_of("{ from = 0.1, to = 0.5, count = 5 }"),
            std::vector<double>({0.1, 0.2, 0.3, 0.4, 0.5}));
  EXPECT_EQ(values_of("{ from = 1e-4, to = 1e-2, count = 5, scale = \"log\" }"),
            std::vector<double>({1e-4, 0.0003162, 1e-3, 0.003162, 1e-2}));
  const Study whole = parsed(
      without_arms("\"model.context\" = { from = 24, to = 48, count = 3, scale = \"log\" }"));
  EXPECT_EQ(contexts(whole), std::vector<double>({24, 34, 48}));  // whole where both ends are
  EXPECT_TRUE(whole.swept.axes[0].logarithmic);
}

TEST(Sweep, AKeyMayMoveWithAnother) {
  const Study study = parsed(
      without_arms("\"model.context\" = { values = [24, 48], scale = \"log\" }\n"
                   "\"data.period\" = { with = \"model.context\", values = [[3, 8], [6, 16]] }\n"
                   "\"train.tokens\" = { with = \"model.context\", values = [\"1k\", \"2k\"] }"));
  ASSERT_EQ(study.arms.size(), 2U);
  EXPECT_EQ(study.arms[1].arm, "context=48");
  EXPECT_EQ(study.arms[1].data.min_period, 6U);
  EXPECT_EQ(study.arms[1].data.max_period, 16U);
  EXPECT_EQ(study.arms[1].train.tokens, 2000U);
}

TEST(Sweep, TheCommandLinesTokensTakeThePlaceOfThoseThatMoveWithAKey) {
  const std::string text = without_arms(
      "\"model.context\" = [24, 32]\n"
      "\"train.tokens\" = { with = \"model.context\", values = [\"1k\", \"2k\"] }");
  for (const RunConfig& arm : parsed(text, {.tokens = 512}).arms) EXPECT_EQ(arm.train.tokens, 512U);
  EXPECT_EQ(sweep_refusal(without_arms("\"train.tokens\" = [512, 1024]"), {.tokens = 512}),
            "s.toml:23: --tokens: found with a sweep over train.tokens, allowed: one of the two");
}

TEST(Sweep, ASizeMayChangeIt) {
  const std::string text = swept("\"model.context\" = [24, 32]") +
                           "[sizes.large.sweep]\n\"model.context\" = [32, 48, 64]\n";
  EXPECT_EQ(parsed(text).arms.size(), 6U);
  const Study large = parsed(text, {.size = "large"});
  ASSERT_EQ(large.arms.size(), 9U);
  EXPECT_EQ(large.arms[2].arm, "two-layer,context=64");
  EXPECT_EQ(parsed(large.text).arms, large.arms);
}

TEST(Sweep, ItsTextIsTheSameStudy) {
  const Study study = parsed(swept(
      "\"model.context\" = [24, 32]\n\"train.learning_rate\" = { from = 1e-4, to = 0.01, count = "
      "3, scale = \"log\" }"));
  const Study again = parsed(study.text);
  EXPECT_EQ(again.arms, study.arms);
  EXPECT_EQ(again.text, study.text);
}

TEST(Sweep, AnArmAtAPointIsReadBackFromItsRun) {
  const Study study = parsed(swept("\"train.learning_rate\" = [1e-5, 0.01]"));
  EXPECT_EQ(study.arms[0].arm, "two-layer,learning_rate=1e-05");
  const Result<RunConfig> again = parse_run_config(to_toml(study.arms[0]), "config.toml");
  ASSERT_TRUE(again) << again.error().message;
  RunConfig written = study.arms[0];
  written.evaluate.inspect = true;  // the one key that is no part of a run, and not written
  EXPECT_EQ(*again, written);
}

TEST(Sweep, ItsRunsLieInDirectoriesOfTheirNames) {
  const test::TemporaryDirectory directory;
  const Study study = parsed(without_arms("\"model.d_model\" = [8, 16]"), {.tokens = 512});
  model::CpuEngine engine(1);
  spec::Listening listener;
  const auto ending = run_study(study, directory / "out", false, engine, listener);
  ASSERT_TRUE(ending) << ending.error().message;
  for (const char* arm : {"d_model=8", "d_model=16"}) {
    EXPECT_TRUE(std::filesystem::exists(directory / "out" / arm / "seed-0/findings.json")) << arm;
  }
}

/// The lines of the indented example in docs/formats.md that begins with this one.
std::string example_of(const std::string& first) {
  const std::string text = spec::text_of(LOOKBACK_SOURCE_DIR "/docs/formats.md");
  std::size_t at = text.find("\n    " + first + "\n");
  EXPECT_NE(at, std::string::npos) << first;
  std::string example;
  while (at != std::string::npos && text.compare(at, 5, "\n    ") == 0) {
    const std::size_t end = text.find('\n', at + 1);
    example += text.substr(at + 5, end - at - 5) + "\n";
    at = end;
  }
  return example;
}

TEST(Sweep, TheExamplesOfTheDocumentAreRead) {
  const std::string grid = example_of("[sweep]");
  const std::string text = std::string(small_study) + grid;
  const Study study = parsed(text);
  EXPECT_EQ(study.arms.size(), 3U * 4 * 5);
  EXPECT_EQ(study.arms[0].arm, "two-layer,context=48,learning_rate=0.0001");
  const std::string along_one = grid.substr(0, grid.find("\"train.learning_rate\""));
  const Study claimed = parsed(small_study + along_one + example_of("[[claim]]"));
  ASSERT_EQ(claimed.claims.size(), 1U);
  EXPECT_EQ(claimed.claims[0].tests.at(0).law->places.size(), 4U);
}

TEST(ArmNames, OfStudyFilesArePlain) {
  for (const char* name : {"two-layer", "a", "L2_h1"}) {
    EXPECT_TRUE(is_arm_name(name)) << name;
    EXPECT_TRUE(is_arm_of_run(name)) << name;
  }
  for (const char* name : {"", "figures", "a=1", "a,b=1", "a/b", "..", "a b"}) {
    EXPECT_FALSE(is_arm_name(name)) << name;
  }
}

TEST(ArmNames, OfRunsMayEndInAPoint) {
  for (const char* name :
       {"a,context=32", "context=32", "a,rate=1e-05,d_model=-0.5", "a,b.c=1e+20"}) {
    EXPECT_TRUE(is_arm_of_run(name)) << name;
  }
  for (const char* name :
       {"", ",", "a,", ",a=1", "a,b", "a,b=", "a,=1", "a,b=1,", "a,../x=1", "a,b=/", "figures",
        "figures,a=1", ".a=1", "a,b=1\n", "..", "a,b=1/..", "a,b=c=1"}) {
    EXPECT_FALSE(is_arm_of_run(name)) << name;
  }
}

/// A mistake in a sweep over the small study.
struct BadSweep {
  const char* name;
  std::string text;
  std::string line;  ///< what follows "s.toml:"
};

class SweepMistake : public testing::TestWithParam<BadSweep> {};

TEST_P(SweepMistake, IsReportedWithItsLineAndKey) {
  const std::string why = sweep_refusal(GetParam().text);
  EXPECT_EQ(why.rfind("s.toml:" + GetParam().line, 0), 0U) << why;
  EXPECT_EQ(why.find('\n'), std::string::npos);
}

const BadSweep bad_sweeps[] = {
    {"UnknownKey", swept("\"model.contxt\" = [24, 32]"),
     "35: key 'model.contxt' is unknown; nearest: 'context'"},
    {"UnknownTable", swept("\"modle.context\" = [24, 32]"), "35: key 'modle' is unknown"},
    {"NotOfARun", swept("\"arm.name\" = [24, 32]"), "35: key 'arm' is unknown"},
    {"WithoutATable", swept("\"seeds\" = [1, 2]"), "35: key 'sweep.seeds'"},
    {"Unquoted", swept("model.context = [24, 32]"), "35: key 'sweep.model'"},
    {"Empty", swept("\"model.context\" = []"), "35: key 'sweep.model.context'"},
    {"Word", swept("\"data.kind\" = [\"repeated-blocks\"]"), "35: key 'sweep.data.kind'"},
    {"OneNumber", swept("\"model.context\" = 32"), "35: key 'sweep.model.context'"},
    {"Twice", swept("\"model.context\" = [24, 32, 24]"),
     "35: key 'sweep.model.context': found 24 twice"},
    {"RefusedByTheKey", swept("\"model.context\" = [24, -1]"), "35: key 'model.context': found -1"},
    {"OfAnotherKind", swept("\"model.context\" = [24, 32.5]"),
     "35: key 'model.context': found 32.5"},
    {"DoesNotFit", swept("\"model.context\" = [32,\n 8]"), "35: arm 'two-layer,context=8'"},
    {"Backward", swept("\"model.context\" = { from = 48, to = 24, count = 3 }"),
     "35: key 'sweep.model.context.from': found 48"},
    {"LogOfZero",
     swept("\"train.learning_rate\" = { from = 0, to = 1, count = 3, scale = \"log\" }"),
     "35: key 'sweep.train.learning_rate.from': found 0"},
    {"LogOfAValue", swept("\"train.learning_rate\" = { values = [0, 0.1], scale = \"log\" }"),
     "35: key 'sweep.train.learning_rate': found 0 on a log scale"},
    {"NoCount", swept("\"model.context\" = { from = 24, to = 48 }"),
     "35: key 'sweep.model.context.count': is missing"},
    {"TooDense", swept("\"model.context\" = { from = 24, to = 26, count = 9 }"),
     "35: key 'sweep.model.context': found 24 twice"},
    {"UnknownScale", swept("\"model.context\" = { values = [24, 32], scale = \"ln\" }"),
     "35: key 'sweep.model.context.scale': found \"ln\""},
    {"UnknownWord", swept("\"model.context\" = { values = [24, 32], scal = \"log\" }"),
     "35: key 'sweep.model.context.scal' is unknown; nearest: 'scale'"},
    {"TooManyValues", swept("\"model.context\" = { from = 24, to = 5000, count = 1000 }"),
     "35: key 'sweep.model.context.count': found 1000"},
    {"TooManyPoints",
     swept("\"model.context\" = { from = 24, to = 123, count = 100 }\n\"train.learning_rate\" = { "
           "from = "
           "0.1, to = 0.2, count = 11 }"),
     "34: key 'sweep': its grid has more than 1000 points"},
    {"WithNoKey", swept("\"data.period\" = { with = \"model.context\", values = [[3, 8]] }"),
     "35: key 'sweep.data.period': found with = \"model.context\""},
    {"WithFewerValues",
     swept("\"model.context\" = [24, 32]\n\"data.period\" = { with = \"model.context\", values = "
           "[[3, 8]] }"),
     "36: key 'sweep.data.period': found 1 values, allowed: 2"},
    {"AWithOfAWith",
     swept("\"model.context\" = [24, 32]\n\"data.period\" = { with = \"model.context\", values = "
           "[[3, 8], "
           "[3, 8]] }\n\"train.tokens\" = { with = \"data.period\", values = [512, 512] }"),
     "37: key 'sweep.train.tokens': found with = \"data.period\""},
    {"RefusedByAKeyThatMoves",
     swept("\"model.context\" = [24, 32]\n\"data.period\" = { with = \"model.context\", values = "
           "[[3, 8], 7] "
           "}"),
     "36: key 'data.period': found 7"},
    {"AlsoInAnArm", swept("\"model.layers\" = [1, 2]"),
     "25: key 'arm[0].model.layers': found in an arm"},
    {"InASize",
     swept("\"model.context\" = [24, 32]") + "[sizes.large.sweep]\n\"model.context\" = [24, -1]\n",
     "37: key 'model.context': found -1"},
    {"UnknownInASize", swept("") + "[sizes.large.sweep]\n\"model.contxt\" = [24, 32]\n",
     "37: key 'model.contxt' is unknown"},
    {"NoTable", "sweep = 3\n" + std::string(small_study),
     "1: key 'sweep': found 3, allowed: a table"},
    {"NameTooLong",
     changed("name = \"two-layer\"", "name = \"" + std::string(95, 'a') + "\"") +
         "[sweep]\n\"model.context\" = [24, 32]\n",
     "35: arm 'aaaa"},
};

INSTANTIATE_TEST_SUITE_P(Each, SweepMistake, testing::ValuesIn(bad_sweeps),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace lookback::study
