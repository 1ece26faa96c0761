// Studies and runs with an optimizer of their own, and what lookback 0.2 left, where AdamW's keys stood
// in [train].
#include <gtest/gtest.h>

#include <string>

#include "lookback/base/file.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/study/directory_lock.h"
#include "lookback/study/inspect_run.h"
#include "lookback/study/saved_model.h"
#include "lookback/study/study.h"
#include "lookback/train/checkpoint.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using spec::changed;
using spec::parsed;
using spec::small_study;

/// The small study with an optimizer, and one of the arm "parallel".
std::string with_optimizers(const std::string& of_study, const std::string& of_arm) {
  std::string text = changed("[evaluate]", "[train.optimizer]\n" + of_study + "[evaluate]");
  const std::string arm = "name = \"parallel\"\n";
  return text.insert(text.find(arm) + arm.size(), "[arm.train.optimizer]\n" + of_arm);
}

TEST(StudyOptimizer, AnArmOfTheSameKindLaysItsKeysOver) {
  const Study study = parsed(with_optimizers("beta1 = 0.8\nbeta2 = 0.9\n", "beta2 = 0.99\n"));
  const train::OptimizerConfig& arm = study.arms[1].train.optimizer;
  EXPECT_EQ(arm.kind, "adamw");
  EXPECT_EQ(arm.number("beta1"), 0.8);
  EXPECT_EQ(arm.number("beta2"), 0.99);
  EXPECT_EQ(study.arms[0].train.optimizer.number("beta2"), 0.9);
}

TEST(StudyOptimizer, AnArmOfAnotherKindBeginsWithThatKindsDefaults) {
  const Study study = parsed(
      with_optimizers("beta1 = 0.8\nweight_decay = 0.5\n", "kind = \"muon\"\nbeta2 = 0.99\n"));
  train::OptimizerConfig expected("muon");
  expected.values["beta2"] = 0.99;
  EXPECT_EQ(study.arms[1].train.optimizer, expected);
  EXPECT_EQ(study.arms[0].train.optimizer.number("weight_decay"), 0.5);
  EXPECT_EQ(parsed(study.text).arms, study.arms);
}

TEST(StudyOptimizer, SoDoesASizeOfAnotherKind) {
  const std::string text = with_optimizers("beta1 = 0.8\n", "") +
                           "[sizes.small.train.optimizer]\nkind = \"sgd\"\nmomentum = "
                           "0.5\n[sizes.small.train]\nbatch = 4\n";
  const Study study = parsed(text, {.size = "small"});
  EXPECT_EQ(study.arms[0].train.optimizer.kind, "sgd");
  EXPECT_EQ(study.arms[0].train.optimizer.number("momentum"), 0.5);
}

/// The line of a study file that is refused, and what the message must have.
void expect_refused_at(const std::string& text, const std::string& line_and_key,
                       const std::string& word) {
  const Result<Study> study = parse_study(text, "small.toml", {});
  ASSERT_FALSE(study) << text;
  const std::string& why = study.error().message;
  EXPECT_EQ(why.rfind("small.toml:" + line_and_key, 0), 0U) << why;
  EXPECT_NE(why.find(word), std::string::npos) << why;
}

TEST(StudyOptimizer, MistakesAreRefusedAtTheirLineOfTheStudyOrTheArm) {
  expect_refused_at(with_optimizers("kind = \"adam\"\n", ""), "19: key 'train.optimizer.kind'",
                    "\"adamw\"");
  expect_refused_at(with_optimizers("momentum = 0.9\n", ""), "19: key 'train.optimizer.momentum'",
                    "\"sgd\"");
  expect_refused_at(with_optimizers("", "kind = \"sgd\"\nbeta1 = 0.9\n"),
                    "31: key 'train.optimizer.beta1'", "\"adamw\"");
  expect_refused_at(with_optimizers("", "nesterof = true\n"), "30: key 'train.optimizer.nesterof'",
                    "unknown");
}

TEST(StudyOptimizer, KeysAtTheirOldPlaceAreRefusedAtTheirLineWithTheNewOne) {
  expect_refused_at(changed("batch = 8", "batch = 8\nbeta1 = 0.9"), "13: key 'train.beta1'",
                    "[train.optimizer]");
  expect_refused_at(changed("heads = 2", "heads = 2\n[arm.train]\nweight_decay = 0.9"),
                    "31: key 'train.weight_decay'", "[train.optimizer]");
}

/// A configuration as lookback 0.2 wrote it: AdamW's keys among those of [train].
std::string of_lookback_0_2(const RunConfig& config) {
  const std::string table = "\n[train.optimizer]\nkind = \"adamw\"\n";
  std::string text = to_toml(config);
  const std::size_t at = text.find(table);
  EXPECT_NE(at, std::string::npos);
  return text.erase(at, table.size());
}

RunConfig unusual_run() {
  return parsed(with_optimizers("beta2 = 0.9\ndecay_all = true\n", "")).run(0, 3);
}

TEST(RunOfLookback02, IsRefusedInOneLineThatSaysSo) {
  const Result<RunConfig> read = parse_run_config(of_lookback_0_2(unusual_run()), "config.toml");
  ASSERT_FALSE(read);
  const std::string& why = read.error().message;
  EXPECT_EQ(why.rfind("config.toml:", 0), 0U) << why;
  EXPECT_NE(why.find("key 'train.beta1'"), std::string::npos) << why;
  EXPECT_NE(why.find("lookback 0.2"), std::string::npos) << why;
  EXPECT_EQ(why.find('\n'), std::string::npos) << why;
}

class OptimizerRunDirectory : public testing::Test {
 protected:
  /// A run of `config` with its last checkpoint, both written as `text`.
  void write(const RunConfig& config, const std::string& text) {
    const Result<model::Program> program = model::compile(config.architecture);
    ASSERT_TRUE(program);
    parameters_ = model::initialize(*program, 5);
    ASSERT_TRUE(base::make_directories(out_ / "checkpoints"));
    ASSERT_TRUE(base::write_file_atomically(out_ / "config.toml", text));
    ASSERT_TRUE(train::write_model(checkpoint(), *program, parameters_, {.config = text}));
  }

  std::filesystem::path checkpoint() const { return train::checkpoint_path(out_, 0); }

  Status go_on(const RunConfig& config) {
    model::CpuEngine engine(1);
    spec::Listening listener;
    return run_single(config, out_, true, engine, listener);
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path out_ = directory_ / "run";
  std::vector<float> parameters_;
};

TEST_F(OptimizerRunDirectory, OfLookback02HasCheckpointsThatOpen) {
  write(unusual_run(), of_lookback_0_2(unusual_run()));
  const Result<SavedModel> model = read_model(checkpoint());
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->parameters, parameters_);
  EXPECT_EQ(model->config.train, unusual_run().train);
}

TEST_F(OptimizerRunDirectory, OfLookback02IsNotInspectedBesideItsMetrics) {
  write(unusual_run(), of_lookback_0_2(unusual_run()));
  const Result<SavedModel> model = read_model(checkpoint());
  ASSERT_TRUE(model) << model.error().message;
  model::CpuEngine engine(1);
  InspectionOptions options;
  options.sequences = 2;
  EXPECT_TRUE(inspect_checkpoint(checkpoint(), *model, options, engine));
  ASSERT_TRUE(base::write_file_atomically(out_ / "metrics.jsonl", "{}\n"));
  const Result<Inspection> refused = inspect_checkpoint(checkpoint(), *model, options, engine);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("lookback 0.2"), std::string::npos)
      << refused.error().message;
}

TEST_F(OptimizerRunDirectory, OfLookback02DoesNotGoOn) {
  write(unusual_run(), of_lookback_0_2(unusual_run()));
  const Status ending = go_on(unusual_run());
  ASSERT_FALSE(ending);
  EXPECT_EQ(ending.error().message.rfind((out_ / "config.toml").string() + ":", 0), 0U)
      << ending.error().message;
  EXPECT_NE(ending.error().message.find("lookback 0.2"), std::string::npos)
      << ending.error().message;
}

TEST_F(OptimizerRunDirectory, DoesNotGoOnWithAnotherOptimizer) {
  write(unusual_run(), to_toml(unusual_run()));
  for (const std::string kind : {"sgd", "muon"}) {
    RunConfig other = unusual_run();
    other.train.optimizer = train::OptimizerConfig(kind);
    const Status ending = go_on(other);
    ASSERT_FALSE(ending);
    EXPECT_NE(ending.error().message.find("train.optimizer.kind: found \"adamw\", asked \"" + kind),
              std::string::npos)
        << ending.error().message;
  }
}

}  // namespace
}  // namespace lookback::study
