// One run's configuration: config.toml says all of it.
#include "lookback/study/run_config.h"

#include <gtest/gtest.h>

#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

/// Away from every default that can be.
RunConfig unusual() {
  RunConfig config = spec::parsed(spec::small_study).run(2, 9'000'000'000);
  config.architecture.shared_weights = true;
  config.architecture.norm_between = model::NormKind::rmsnorm;
  config.architecture.step_input = model::StepInput::raw;
  config.architecture.layers = 3;
  config.architecture.layers_without_norm = {0, 2};
  config.architecture.positions = model::Positions::rotary;
  config.architecture.rotary_base = 500;
  config.architecture.d_mlp = 8;
  config.architecture.biases = true;
  config.architecture.initialization.gain = 0.1;
  config.data.task = data::probe_config("broken-period", config.data.task);
  config.data.length = 30;
  config.train.decay = train::Decay::cosine;
  config.train.optimizer.values["epsilon"] = 1e-9;
  config.evaluate.probes = {"random-repeat", "repeated-blocks"};
  config.clamps = {
      {"copy", train::ClampKind::copying, 2, 1, "", {}, 0.1, 512, 2048},
      {"still", train::ClampKind::freeze, 0, {}, "hook_embed", train::FreezeTo::zero, 0, 0, 2560}};
  return config;
}

TEST(RunConfig, ReadsBackWhatItWrote) {
  RunConfig config = unusual();
  config.evaluate.inspect = true;  // the one key that is not written
  const Result<RunConfig> read = parse_run_config(to_toml(config), "config.toml");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, config);
  EXPECT_EQ(to_toml(*read), to_toml(config));
}

TEST(RunConfig, HasNoWordOfClampsWhereThereAreNoneNorOfItsInspection) {
  RunConfig config = spec::parsed(spec::small_study).run(0, 0);
  EXPECT_FALSE(config.evaluate.inspect);
  EXPECT_TRUE(config.clamps.empty());
  EXPECT_EQ(to_toml(config).find("clamp"), std::string::npos);
  EXPECT_TRUE(to_toml(config).ends_with("probes = [\"repeated-blocks\"]\n"));
}

TEST(RunConfig, OfTextSaysWhichButNotWhereItLies) {
  RunConfig config = unusual();
  config.evaluate.inspect = true;
  config.data.task = data::probe_config("tokens", config.data.task);
  config.data.task.values["checksum"] = "0123456789abcdef";
  config.data.directory = "somewhere";
  config.evaluate.windows = 7;
  const std::string text = to_toml(config);
  EXPECT_NE(text.find("kind = \"tokens\"\nchecksum = \"0123456789abcdef\"\n"), std::string::npos);
  EXPECT_NE(text.find("windows = 7\n"), std::string::npos);
  EXPECT_EQ(text.find("somewhere"), std::string::npos);
  const Result<RunConfig> read = parse_run_config(text, "config.toml");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, config);  // wherever it lies
  EXPECT_EQ(read->data.directory, "");
  EXPECT_EQ(to_toml(*read), text);
}

TEST(RunConfig, RepeatsArePartOfARun) {
  RunConfig config = unusual();
  config.evaluate.inspect = true;
  config.data.task = data::probe_config("tokens", config.data.task);
  RunConfig repeating = config;
  repeating.data.task.values["repeats"] = 0.1;
  EXPECT_NE(config, repeating);
  const Result<RunConfig> read = parse_run_config(to_toml(repeating), "config.toml");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, repeating);
  const Result<RunConfig> beyond =
      parse_run_config("[data]\nkind = \"tokens\"\nrepeats = 1.5\n", "config.toml");
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().message.find("config.toml:3: key 'data.repeats'"), 0U)
      << beyond.error().message;
}

TEST(RunConfig, WithoutTextHasNoWordOfIt) {
  const std::string text = to_toml(unusual());
  EXPECT_EQ(text.find("checksum"), std::string::npos);
  EXPECT_EQ(text.find("windows"), std::string::npos);
  const Result<RunConfig> read =
      parse_run_config("[data]\nkind = \"repeated-blocks\"\ndirectory = \"here\"\n", "config.toml");
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("config.toml:3: key 'data.directory' is unknown"),
            std::string::npos)
      << read.error().message;
}

TEST(RunConfig, AChecksumIsHexadecimal) {
  const Result<RunConfig> read =
      parse_run_config("[data]\nkind = \"tokens\"\nchecksum = \"12\\nx\"\n", "config.toml");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message.find("config.toml:3: key 'data.checksum': found \""), 0U)
      << read.error().message;
  EXPECT_EQ(read.error().message.find('\n'), std::string::npos);
}

TEST(RunConfig, AnUnknownKeyIsRefusedAtItsLine) {
  const Result<RunConfig> read = parse_run_config("[run]\narm = \"a\"\nsede = 3\n", "config.toml");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "config.toml:3: key 'run.sede' is unknown; nearest: 'seed'");
}

TEST(RunConfig, WhatDoesNotFitIsRefusedWithTheFilesName) {
  RunConfig config = unusual();
  config.data.length = 33;
  const Result<RunConfig> read = parse_run_config(to_toml(config), "config.toml");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message,
            "config.toml: data.length is 33, but model.context is 32; sequences must fit");
}

TEST(RunConfig, EachSeedTrainsOnItsOwnSequencesAndAllAreMeasuredOnTheSame) {
  const Study study = spec::parsed(spec::small_study);
  const auto first = training_task(study.run(0, 0)), second = training_task(study.run(0, 1));
  ASSERT_TRUE(first && second);
  EXPECT_NE((*first)->sequence(0), (*second)->sequence(0));
  const auto probe = probe_task(study.run(0, 0), "repeated-blocks"),
             other = probe_task(study.run(2, 1), "repeated-blocks");
  ASSERT_TRUE(probe && other);
  EXPECT_EQ((*probe)->sequence(0), (*other)->sequence(0));
  EXPECT_NE((*probe)->sequence(0), (*first)->sequence(0));
}

}  // namespace
}  // namespace lookback::study
