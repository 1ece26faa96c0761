// An independent check of the whole: trained models, written out, and what this program computes
// with them, against tests/reference/, which computes it again in NumPy.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "lookback/base/safetensors.h"
#include "lookback/lens/evaluate.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/model/executor.h"
#include "lookback/study/study_file.h"
#include "lookback/train/checkpoint.h"
#include "tests/program/studies.h"

namespace lookback::program {
namespace {

using test::TemporaryDirectory;

constexpr const char* check = LOOKBACK_SOURCE_DIR "/tests/reference/check.py";
constexpr std::size_t sequences = 3;

/// What check.py wants to know, by its names for it.
struct Expected {
  std::vector<float> tokens, periods, logits, losses, patterns, scores;
};

/// Copies pattern of (sequence, layer, head) to its place in [B,L,H,T,T].
Status keep_patterns(const model::Program& program, std::size_t sequence, std::vector<float>& to,
                     model::Taps<float>& taps) {
  const std::size_t heads = program.architecture.heads_per_layer();
  const std::size_t layers = program.architecture.layers;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const std::size_t first = (sequence * layers + layer) * heads;
    const auto copy = [first, &to](const model::Tapped& place, math::Matrix<float> pattern) {
      float* at = to.data() + (first + place.head) * pattern.rows * pattern.cols;
      for (std::size_t t = 0; t < pattern.rows; ++t) {
        at = std::copy_n(pattern.row(t), pattern.cols, at);
      }
    };
    if (Status set = taps.on_forward(lens::pattern_name(layer), copy); !set) return set;
  }
  return {};
}

/// Runs the model over held-out sequences, one at a time as training does.
Result<Expected> compute(const model::Program& program, std::span<const float> parameters,
                         const data::Task& probe) {
  const std::size_t length = probe.length();
  const model::Architecture& a = program.architecture;
  Expected e;
  e.patterns.resize(sequences * a.layers * a.heads_per_layer() * length * length);
  model::Executor<float> executor(program, 1, length);
  for (std::size_t i = 0; i < sequences; ++i) {
    const std::vector<model::Token> tokens = probe.sequence(i);
    e.periods.push_back(static_cast<float>(probe.structure(i).opening));
    for (const model::Token token : tokens) e.tokens.push_back(static_cast<float>(token));
    model::Taps<float> taps(program);
    if (Status set = keep_patterns(program, i, e.patterns, taps); !set) return set.error();
    executor.forward(parameters, tokens, &taps);
    const math::Matrix<const float> logits = executor.logits();
    for (std::size_t t = 0; t < length; ++t) {
      e.logits.insert(e.logits.end(), logits.row(t), logits.row(t) + logits.cols);
    }
    const std::span<const float> losses = executor.losses();
    e.losses.insert(e.losses.end(), losses.begin(), losses.end());
  }
  model::CpuEngine engine(1);
  const auto measured = lens::evaluate(program, parameters, probe, sequences, engine);
  if (!measured) return measured.error();
  for (const lens::HeadSummary& head : measured->heads) {
    e.scores.push_back(static_cast<float>(head.mean.induction_score));
  }
  return e;
}

Status write(const Expected& e, const model::Program& program, std::size_t length,
             const std::filesystem::path& file) {
  const std::size_t layers = program.architecture.layers;
  const std::size_t heads = program.architecture.heads_per_layer();
  const base::Tensor tensors[] = {
      {"tokens", {sequences, length}, e.tokens},
      {"periods", {sequences}, e.periods},
      {"logits", {sequences, length, program.architecture.vocabulary}, e.logits},
      {"losses", {sequences, length - 1}, e.losses},
      {"patterns", {sequences, layers, heads, length, length}, e.patterns},
      {"induction_score", {layers, heads}, e.scores}};
  return base::write_safetensors(file, tensors, {});
}

/// From a checkpoint to the file that check.py holds against its own.
Status write_expected(const study::RunConfig& config, const std::filesystem::path& checkpoint_file,
                      const std::filesystem::path& file) {
  const Result<train::Checkpoint> checkpoint = train::Checkpoint::read(checkpoint_file);
  if (!checkpoint) return checkpoint.error();
  const Result<model::Program> program = model::compile(config.architecture);
  if (!program) return program.error();
  const Result<std::vector<float>> parameters = checkpoint->parameters(*program);
  if (!parameters) return parameters.error();
  const auto probe = study::probe_task(config, "repeated-blocks");
  if (!probe) return probe.error();
  const Result<Expected> expected = compute(*program, *parameters, **probe);
  if (!expected) return expected.error();
  return write(*expected, *program, (*probe)->length(), file);
}

TEST(SlowReference, EveryTrainedWiringIsReproducedInNumPy) {
  if (!std::filesystem::exists(spec::python)) GTEST_SKIP() << "there is no " << spec::python;
  const TemporaryDirectory directory;
  const std::string file = spec::write_study(directory, spec::six_wirings());
  const Result<study::Study> study = study::read_study(file, {});
  ASSERT_TRUE(study) << study.error().message;
  const spec::Ended trained =
      spec::run(spec::lookback({"study", file, "--out", directory / "out"}));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  for (const study::RunConfig& arm : study->arms) {
    SCOPED_TRACE(arm.arm);
    const std::string checkpoint =
        directory / ("out/" + arm.arm + "/seed-0/checkpoints/5120.safetensors");
    const std::string expected = directory / (arm.arm + ".safetensors");
    const Status written = write_expected(arm, checkpoint, expected);
    ASSERT_TRUE(written) << written.error().message;
    const spec::Ended checked =
        spec::run({{spec::python, check, checkpoint, expected}, {}, {}, {}});
    if (checked.exit_code == 77) GTEST_SKIP() << checked.out;
    EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
  }
}

TEST(SlowReference, AWeightThatIsAThousandthOffIsNoticed) {
  if (!std::filesystem::exists(spec::python)) GTEST_SKIP() << "there is no " << spec::python;
  const TemporaryDirectory directory;
  const std::string file = spec::write_study(directory, spec::six_wirings());
  const Result<study::Study> study = study::read_study(file, {});
  ASSERT_TRUE(study) << study.error().message;
  const study::RunConfig arm = study->run(0, 0);
  const Result<model::Program> program = model::compile(arm.architecture);
  ASSERT_TRUE(program) << program.error().message;
  const std::string right = directory / "right.safetensors",
                    wrong = directory / "wrong.safetensors";
  train::TrainState state = train::initial_state(*program, {}, 0);
  const train::CheckpointHeader header{study::to_toml(arm), 0, 0, 0, 0};
  ASSERT_TRUE(train::write_checkpoint(right, *program, state, header));
  const model::ParameterInfo* value = program->find_parameter("blocks.1.attn.W_V");
  ASSERT_NE(value, nullptr);
  for (std::size_t i = 0; i < value->size(); ++i) state.parameters[value->offset + i] *= 1.001F;
  ASSERT_TRUE(train::write_checkpoint(wrong, *program, state, header));
  const std::string expected = directory / "expected.safetensors";
  const Status written = write_expected(arm, right, expected);
  ASSERT_TRUE(written) << written.error().message;
  const spec::Ended same = spec::run({{spec::python, check, right, expected}, {}, {}, {}});
  if (same.exit_code == 77) GTEST_SKIP() << same.out;
  EXPECT_EQ(same.exit_code, 0) << same.out << same.err;
  const spec::Ended other = spec::run({{spec::python, check, wrong, expected}, {}, {}, {}});
  EXPECT_EQ(other.exit_code, 1) << other.out << other.err;
}

}  // namespace
}  // namespace lookback::program
