// The table of optimizers: what [train.optimizer] reads, writes and refuses, and what holds for every
// row.
#include "lookback/train/optimizer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "lookback/base/file.h"
#include "lookback/train/trainer.h"
#include "tests/base/documented_kind.h"
#include "tests/train/steps.h"

namespace lookback::train {
namespace {

Result<OptimizerConfig> read_table(const std::string& text) {
  Result<base::Document> document = base::parse_toml(text, "study.toml");
  if (!document) return document.error();
  base::TableReader reader(std::move(*document));
  const OptimizerConfig config = read_optimizer(reader.table("train").table("optimizer"));
  if (Status status = reader.finish(); !status) return status.error();
  return config;
}

/// A value that is allowed and not the default.
base::KeyValue another(const base::Key& key) {
  if (const bool* flag = std::get_if<bool>(&key.fallback)) return !*flag;
  if (std::holds_alternative<std::string>(key.fallback)) {
    return key.options.front() == std::get<std::string>(key.fallback) ? key.options.back()
                                                                      : key.options.front();
  }
  return key.least + (key.most - key.least) / 3;
}

TEST(Optimizers, EachReadsBackWhatItWrote) {
  for (const OptimizerKind& kind : optimizer_kinds()) {
    OptimizerConfig config(kind.name);
    for (const base::Key& key : kind.keys) config.values[key.name] = another(key);
    const Result<OptimizerConfig> read = read_table(to_toml(config));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, config) << kind.name;
    EXPECT_EQ(to_toml(*read), to_toml(config));
    EXPECT_NE(*read, OptimizerConfig(kind.name));
  }
}

TEST(Optimizers, AKindAloneHasItsDefaults) {
  for (const OptimizerKind& kind : optimizer_kinds()) {
    const Result<OptimizerConfig> read =
        read_table(fmt::format("[train.optimizer]\nkind = \"{}\"\n", kind.name));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, OptimizerConfig(kind.name));
  }
}

TEST(Optimizers, WithoutATableItIsAdamW) {
  const Result<OptimizerConfig> read = read_table("");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, OptimizerConfig("adamw"));
  EXPECT_EQ(read->number("beta2"), 0.98);
}

TEST(Optimizers, HaveDefaultsWithinTheirLimitsAndNoNameTwice) {
  std::set<std::string> kinds;
  for (const OptimizerKind& kind : optimizer_kinds()) {
    EXPECT_TRUE(kinds.insert(kind.name).second) << kind.name;
    std::set<std::string> keys = {"kind"};
    for (const base::Key& key : kind.keys) {
      EXPECT_TRUE(keys.insert(key.name).second) << kind.name << ": " << key.name;
      if (const double* number = std::get_if<double>(&key.fallback)) {
        EXPECT_LE(key.least, *number) << kind.name << ": " << key.name;
        EXPECT_GE(key.most, *number) << kind.name << ": " << key.name;
      }
    }
  }
}

/// What is refused, with the line and the key that the message must name, and a word it must have.
struct Refused {
  std::string table;
  std::size_t line;
  std::string key;
  std::string word;
};

void expect_refused(const Refused& refused) {
  const Result<OptimizerConfig> read = read_table("[train.optimizer]\n" + refused.table);
  ASSERT_FALSE(read) << refused.table;
  const std::string& why = read.error().message;
  const std::string at =
      fmt::format("study.toml:{}: key 'train.optimizer.{}'", refused.line, refused.key);
  EXPECT_EQ(why.rfind(at, 0), 0U) << why;
  EXPECT_NE(why.find(refused.word), std::string::npos) << why;
  EXPECT_EQ(why.find('\n'), std::string::npos) << why;
}

TEST(Optimizers, RefuseWhatIsNotAllowedAtItsLine) {
  expect_refused({"kind = \"adam\"\n", 2, "kind", "\"adamw\""});
  expect_refused({"kind = 3\n", 2, "kind", "\"adamw\""});
  expect_refused({"kind = \"adamw\"\nbeta1 = 1\n", 3, "beta1", "0.999999"});
  expect_refused({"beta2 = -0.1\n", 2, "beta2", "from 0"});
  expect_refused({"beta2 = nan\n", 2, "beta2", "a number"});
  expect_refused({"epsilon = 0\n", 2, "epsilon", "1e-30"});
  expect_refused({"weight_decay = \"0.1\"\n", 2, "weight_decay", "a number"});
  expect_refused({"decay_all = 1\n", 2, "decay_all", "true or false"});
  expect_refused({"\nbetta1 = 0.9\n", 3, "betta1", "beta1"});
}

TEST(Optimizers, AnOptimizerThatIsNoTableIsRefused) {
  const Result<OptimizerConfig> read = read_table("[train]\noptimizer = \"adamw\"\n");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message.rfind("study.toml:2: key 'train.optimizer'", 0), 0U)
      << read.error().message;
}

TEST(Optimizers, ATableOfLookback02IsMovedAndAnyOtherLeftAsItIs) {
  const auto moved = [](const std::string& text) {
    base::Document document = std::move(*base::parse_toml(text, ""));
    move_optimizer_keys(document);
    return base::to_text(document);
  };
  EXPECT_EQ(moved("[train]\nbatch = 8\nbeta1 = 0.5\nclip = 1\ndecay_all = true\n"),
            "[train]\nbatch = 8\nclip = 1\n\n[train.optimizer]\nbeta1 = 0.5\ndecay_all = true\n");
  for (const std::string text : {"", "[train]\nbatch = 8\n", "train = 3\n",
                                 "[train]\nbeta1 = 0.5\n\n[train.optimizer]\nbeta2 = 0.5\n"}) {
    EXPECT_EQ(moved(text), text);
  }
}

TEST(Optimizers, DocsFormatsHasTheirRows) {
  const Result<std::string> text =
      base::read_file(LOOKBACK_SOURCE_DIR "/docs/formats.md", std::size_t{1} << 20);
  ASSERT_TRUE(text) << text.error().message;
  for (const OptimizerKind& kind : optimizer_kinds()) {
    std::string rows = fmt::format("| \"{}\" | | | {}; keeps `{}` |\n", kind.name, kind.meaning,
                                   fmt::join(kind.buffers, "`, `"));
    rows += test::documented_keys(kind);
    EXPECT_NE(text->find(rows), std::string::npos) << rows;
  }
}

/// What six steps make of a state, the third with a gradient that clipping halves.
TrainState after_six_steps(const model::Program& program, const OptimizerConfig& config,
                           std::size_t threads) {
  base::Workers workers(threads);
  const auto optimizer = make_optimizer(program, config);
  TrainState state = spec::fresh_state(program, 3, config);
  for (; state.step < 6; ++state.step) {
    const std::vector<float> gradient = spec::random_gradient(program, state.step, 0.01);
    optimizer->update({gradient, state.step == 2 ? 0.5 : 1, 0.01}, workers, state);
  }
  return state;
}

TEST(Optimizers, GiveTheSameBitsOnAnyNumberOfWorkers) {
  model::Architecture architecture = spec::small_architecture();
  architecture.vocabulary = 5000;  // several slices
  architecture.heads = 2;
  const model::Program program = spec::compiled(architecture);
  for (const OptimizerKind& kind : optimizer_kinds()) {
    SCOPED_TRACE(kind.name);
    const OptimizerConfig config(kind.name);
    const TrainState one = after_six_steps(program, config, 1);
    for (const std::size_t threads : {2U, 3U, 8U}) {
      spec::expect_same_bits(after_six_steps(program, config, threads), one);
    }
  }
}

TEST(Optimizers, KeepNothingButTheirBuffersBetweenSteps) {
  const model::Program program = spec::program_with_everything();
  base::Workers workers(2);
  for (const OptimizerKind& kind : optimizer_kinds()) {
    SCOPED_TRACE(kind.name);
    const OptimizerConfig config(kind.name);
    TrainState state = spec::fresh_state(program, 3, config);
    for (; state.step < 6; ++state.step) {  // each by an optimizer of its own
      const std::vector<float> gradient = spec::random_gradient(program, state.step, 0.01);
      make_optimizer(program, config)
          ->update({gradient, state.step == 2 ? 0.5 : 1, 0.01}, workers, state);
    }
    spec::expect_same_bits(state, after_six_steps(program, config, 2));
  }
}

TEST(Optimizers, LeaveTheGapsBetweenParametersZero) {
  const model::Program program = spec::program_with_everything();
  std::vector<bool> gap(program.buffer_size, true);
  for (const model::ParameterInfo& info : program.parameters) {
    for (std::size_t i = 0; i < info.size(); ++i) gap[info.offset + i] = false;
  }
  for (const OptimizerKind& kind : optimizer_kinds()) {
    const TrainState state = after_six_steps(program, OptimizerConfig(kind.name), 2);
    for (std::size_t i = 0; i < gap.size(); ++i) {
      if (!gap[i]) continue;
      EXPECT_EQ(state.parameters[i], 0) << kind.name;
      for (const auto& [name, buffer] : state.buffers) EXPECT_EQ(buffer[i], 0) << kind.name;
    }
  }
}

TEST(Optimizers, AreCountedInTheMemoryThatTrainingNeeds) {
  const model::Program program = spec::program_with_everything();
  const std::uint64_t buffer = program.buffer_size * sizeof(float);
  for (const OptimizerKind& kind : optimizer_kinds()) {
    TrainConfig config = spec::small_config();
    config.optimizer = OptimizerConfig(kind.name);
    const std::uint64_t scratch =
        kind.worker_memory == nullptr ? 0 : kind.worker_memory(program, config.optimizer);
    EXPECT_EQ(training_memory(program, config, spec::length, 2),
              (1 + kind.buffers.size()) * buffer + 2 * scratch +
                  gradient_memory(program, spec::length, config.shards, 2))
        << kind.name;
  }
}

}  // namespace
}  // namespace lookback::train
