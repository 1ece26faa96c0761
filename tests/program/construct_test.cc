// lookback construct: a checkpoint that reads back as the model it names.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "lookback/model/construct.h"
#include "lookback/study/run_config.h"
#include "lookback/train/checkpoint.h"
#include "tests/base/like.h"
#include "tests/program/studies.h"

namespace lookback::program {
namespace {

using spec::lookback;
using spec::one_line;
using test::TemporaryDirectory;

void expect_model(const std::string& file, const model::Construction& construction) {
  const Result<train::Checkpoint> checkpoint = train::Checkpoint::read(file);
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  const auto config = study::parse_run_config(checkpoint->header().config, file);
  ASSERT_TRUE(config) << config.error().message;
  const auto expected = model::construct(construction);
  ASSERT_TRUE(expected) << expected.error().message;
  EXPECT_TRUE(config->architecture == expected->architecture);
  EXPECT_EQ(config->data.length, construction.context / 2 * 2);
  EXPECT_EQ(config->evaluate.probes.size(), 4U);
  const auto program = model::compile(config->architecture);
  ASSERT_TRUE(program) << program.error().message;
  const auto parameters = checkpoint->parameters(*program);
  ASSERT_TRUE(parameters) << parameters.error().message;
  EXPECT_EQ(*parameters, expected->parameters);
}

TEST(ConstructCommand, WritesEveryKindAtItsLeastSizes) {
  const TemporaryDirectory directory;
  const auto names = model::construction_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string file = directory / (names[i] + ".safetensors");
    const spec::Ended ended = spec::run(lookback({"construct", names[i], "--out", file}));
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    const std::string promise =
        names[i] == "smeared"
            ? "one head*up to 9%*"
            : "*below 0.01 nats*: repeated-blocks, unseen-period, broken-period, random-repeat";
    EXPECT_TRUE(test::like(ended.out, fmt::format("{}\n{}\n", file, promise)));
    model::Construction construction{static_cast<model::ConstructionKind>(i), 512, 256, 0, 0};
    const model::Circuit circuit = model::circuit_of(construction);
    construction.d_model = circuit.least_d_model;
    construction.d_head = circuit.least_d_head;
    expect_model(file, construction);
  }
}

TEST(ConstructCommand, TakesSizesAndTheTaskItIsMeasuredBy) {
  const TemporaryDirectory directory;
  const std::string file = directory / "a.safetensors";
  const spec::Ended ended = spec::run(
      lookback({"construct", "sequential", "--out", file, "--vocabulary", "224", "--context", "60",
                "--d-model", "130", "--d-head", "61", "--min-period", "4", "--max-period", "20"}));
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  expect_model(file, {model::ConstructionKind::sequential, 224, 60, 130, 61});
}

TEST(ConstructCommand, SaysOnWhichProbesFewerTokensDoNotDo) {
  const TemporaryDirectory directory;
  const spec::Ended ended = spec::run(lookback(
      {"construct", "two-layer", "--out", directory / "a.safetensors", "--vocabulary", "256"}));
  EXPECT_NE(ended.out.find("broken-period; above it: random-repeat (up to about 0.018)\n"),
            std::string::npos)
      << ended.out;
}

TEST(ConstructCommand, FitsItsTaskToTheContext) {
  const TemporaryDirectory directory;
  const std::string file = directory / "a.safetensors";
  for (const std::size_t context : {4U, 33U, 64U, 120U, 1000U}) {
    const spec::Ended ended = spec::run(
        lookback({"construct", "two-layer", "--out", file, "--context", std::to_string(context)}));
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    model::Construction construction{model::ConstructionKind::two_layer, 512, context, 0, 0};
    const model::Circuit circuit = model::circuit_of(construction);
    construction.d_model = circuit.least_d_model;
    construction.d_head = circuit.least_d_head;
    expect_model(file, construction);
  }
}

struct Refused {
  const char* name;
  std::vector<std::string> arguments;
  const char* line;
};
class ConstructRefuses : public testing::TestWithParam<Refused> {};

TEST_P(ConstructRefuses, WithOneLineAndWritesNothing) {
  const TemporaryDirectory directory;
  const std::string file = directory / "a.safetensors";
  std::vector<std::string> arguments = {"construct", "--out", file};
  arguments.insert(arguments.end(), GetParam().arguments.begin(), GetParam().arguments.end());
  EXPECT_TRUE(test::like(one_line(spec::run(lookback(arguments)), 2), GetParam().line));
  EXPECT_FALSE(std::filesystem::exists(file));
}

const Refused refused[] = {
    {"AnUnknownKind",
     {"parallel"},
     "kind: parallel not in {two-layer,sequential,smeared}; see lookback construct --help"},
    {"TooLittleRoom",
     {"two-layer", "--d-model", "100"},
     "two-layer: found d_model 100, * 125: *p = 29 *V = 512"},
    {"TooFewTokens",
     {"sequential", "--vocabulary", "208"},
     "sequential: found a vocabulary of 208, * 209 for periods up to 48 of 256*0.01 nats*"},
    {"TooFewTokensForLongPeriods",
     {"two-layer", "--vocabulary", "224", "--context", "512", "--min-period", "100", "--max-period",
      "170"},
     "two-layer: found a vocabulary of 224, * 404 for periods up to 170 of 512*0.01 nats*"},
    {"AVocabularyBeyondAll",
     {"two-layer", "--vocabulary", "4000000000"},
     "--vocabulary: Value 4000000000 not in range 2 to 1048576; see lookback construct --help"},
    {"PeriodsThatDoNotFit",
     {"smeared", "--context", "128", "--max-period", "65"},
     "repeated-blocks: found a length of 128, allowed at least 130: two copies of the longest "
     "block, 65"},
};
INSTANTIATE_TEST_SUITE_P(All, ConstructRefuses, testing::ValuesIn(refused),
                         [](const auto& test) { return test.param.name; });

TEST(ConstructCommand, NamesAFileThatCannotBeWritten) {
  const TemporaryDirectory directory;
  const std::string file = directory / "missing/a.safetensors";
  const std::string line = one_line(spec::run(lookback({"construct", "two-layer", "--out", file})));
  EXPECT_EQ(line.rfind(directory / "missing", 0), 0U) << line;
}

}  // namespace
}  // namespace lookback::program
