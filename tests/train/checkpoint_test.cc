// Checkpoints: back to the same bits, or refused in one line.
#include "lookback/train/checkpoint.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <set>

#include "lookback/base/file.h"
#include "lookback/base/random.h"
#include "tests/base/like.h"
#include "tests/base/temporary_directory.h"
#include "tests/train/small_run.h"

namespace lookback::train {
namespace {

using spec::small_program;
using test::TemporaryDirectory;

const std::vector<std::string> buffer_names = {"long", "short"};

const CheckpointHeader header{"[run]\narm = \"a\"\n", 7, 12, 3072, 96, "cpu float32 AVX2",
                              "0123456789abcdef"};

/// A state in the middle of training: every number another.
TrainState busy_state(const model::Program& program) {
  TrainState state = initial_state(program, buffer_names, 7);
  base::RandomStream random(7, base::StreamPurpose::test, 0);
  for (const model::ParameterInfo& info : program.parameters) {
    for (std::size_t i = info.offset; i < info.offset + info.size(); ++i) {
      state.buffers["short"][i] = static_cast<float>(random.normal());
      state.buffers["long"][i] = static_cast<float>(std::exp(20 * random.normal()));
    }
  }
  state.parameters[0] = -0.0F;
  state.buffers["short"][1] = 1e-42F;  // below the normal range
  state.step = header.step;
  state.first_loss = 2.0 / 3.0;
  return state;
}

std::string bytes_of_file(const std::filesystem::path& path) {
  Result<std::string> bytes = base::read_file(path, 1 << 24);
  EXPECT_TRUE(bytes) << bytes.error().message;
  return bytes ? *bytes : std::string();
}

/// As a torn or damaged file comes about: not by our own careful writing.
void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

void write(const std::filesystem::path& path, const TrainState& state,
           const CheckpointHeader& with = header) {
  const Status written = write_checkpoint(path, small_program(), state, with);
  ASSERT_TRUE(written) << written.error().message;
}

/// Why reading a file's state fails; "" when it does not.
std::string refusal(const std::filesystem::path& path, const model::Program& program) {
  const Result<Checkpoint> checkpoint = Checkpoint::read(path);
  if (!checkpoint) return checkpoint.error().message;
  const Result<TrainState> state = checkpoint->state(program, buffer_names);
  return state ? "" : state.error().message;
}

TEST(Checkpoint, GivesBackTheSameBits) {
  const TemporaryDirectory directory;
  const model::Program program = small_program();
  const TrainState state = busy_state(program);
  write(directory / "a.safetensors", state);
  const Result<Checkpoint> checkpoint = Checkpoint::read(directory / "a.safetensors");
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_EQ(checkpoint->header().config, header.config);
  EXPECT_EQ(checkpoint->header().seed, header.seed);
  EXPECT_EQ(checkpoint->header().step, header.step);
  EXPECT_EQ(checkpoint->header().tokens, header.tokens);
  EXPECT_EQ(checkpoint->header().next_sequence, header.next_sequence);
  EXPECT_EQ(checkpoint->header().tokenizer, header.tokenizer);
  EXPECT_EQ(checkpoint->header().engine, header.engine);
  const Result<TrainState> read = checkpoint->state(program, buffer_names);
  ASSERT_TRUE(read) << read.error().message;
  spec::expect_same_bits(*read, state);
  const Result<std::vector<float>> parameters = checkpoint->parameters(program);
  ASSERT_TRUE(parameters);
  EXPECT_TRUE(spec::same_bits(*parameters, state.parameters));
}

TEST(Checkpoint, OfAModelAloneGivesBackItsParametersAndNoState) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory / "model.safetensors";
  const model::Program program = small_program();
  const std::vector<float> parameters = busy_state(program).parameters;
  const Status written = write_model(file, program, parameters, header);
  ASSERT_TRUE(written) << written.error().message;
  const Result<Checkpoint> checkpoint = Checkpoint::read(file);
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_EQ(checkpoint->header().config, header.config);
  EXPECT_EQ(checkpoint->header().step, header.step);
  EXPECT_EQ(checkpoint->header().tokens, header.tokens);
  const Result<std::vector<float>> read = checkpoint->parameters(program);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(spec::same_bits(*read, parameters));
  EXPECT_TRUE(test::like(refusal(file, program), file.string() + ": *optimizer state*"));
}

TEST(Checkpoint, OfAModelNeedsABufferOfItsProgram) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory / "model.safetensors";
  const Status written = write_model(file, small_program(), std::vector<float>(3), header);
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("found a buffer of 3 parameters"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(Checkpoint, NamesEachTensorByItsBuffer) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory / "a.safetensors";
  const model::Program program = small_program();
  write(file, busy_state(program));
  const Result<base::SafetensorsFile> read = base::SafetensorsFile::read(file);
  ASSERT_TRUE(read) << read.error().message;
  const std::vector<std::string> found = read->names();
  std::set<std::string> expected;
  for (const model::ParameterInfo& info : program.parameters) {
    expected.insert({info.name, "optimizer.long." + info.name, "optimizer.short." + info.name});
  }
  EXPECT_EQ(std::set<std::string>(found.begin(), found.end()), expected);
}

TEST(Checkpoint, WithoutABufferThatIsAskedForIsRefusedByName) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory / "a.safetensors";
  const model::Program program = small_program();
  write(file, busy_state(program));
  const std::vector<std::string> others = {"long", "longer"};
  const Result<TrainState> state = Checkpoint::read(file)->state(program, others);
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().message.rfind(file.string() + ": ", 0), 0U) << state.error().message;
  EXPECT_NE(state.error().message.find("optimizer.longer.embed.W_E"), std::string::npos)
      << state.error().message;
}

TEST(Checkpoint, OfOneStateAreTheSameBytes) {
  const TemporaryDirectory directory;
  const TrainState state = busy_state(small_program());
  write(directory / "a.safetensors", state);
  write(directory / "b.safetensors", state);
  EXPECT_EQ(bytes_of_file(directory / "a.safetensors"), bytes_of_file(directory / "b.safetensors"));
}

TEST(Checkpoint, CutAnywhereIsRefusedByName) {
  const TemporaryDirectory directory;
  write(directory / "whole.safetensors", busy_state(small_program()));
  const std::string whole = bytes_of_file(directory / "whole.safetensors");
  const std::filesystem::path torn = directory / "torn.safetensors";
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{8}, std::size_t{100}, whole.size() / 4,
        whole.size() / 2, whole.size() - 4, whole.size() - 1}) {
    write_bytes(torn, whole.substr(0, size));
    const std::string why = refusal(torn, small_program());
    EXPECT_EQ(why.rfind(torn.string() + ": ", 0), 0U) << size << " bytes: " << why;
    EXPECT_EQ(why.find('\n'), std::string::npos);
  }
}

TEST(Checkpoint, WithAnyBitTurnedIsRefusedByName) {
  const TemporaryDirectory directory;
  write(directory / "whole.safetensors", busy_state(small_program()));
  const std::string whole = bytes_of_file(directory / "whole.safetensors");
  const std::filesystem::path damaged = directory / "damaged.safetensors";
  for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 211) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 4);
    write_bytes(damaged, bytes);
    const std::string why = refusal(damaged, small_program());
    EXPECT_EQ(why.rfind(damaged.string() + ": ", 0), 0U) << "byte " << at << ": " << why;
  }
}

TEST(Checkpoint, ADamagedNumberIsToldByTheChecksum) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory / "a.safetensors";
  write(file, busy_state(small_program()));
  std::string bytes = bytes_of_file(file);
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 1);
  write_bytes(file, bytes);
  EXPECT_NE(refusal(file, small_program()).find("checksum"), std::string::npos)
      << refusal(file, small_program());
}

TEST(Checkpoint, WithoutItsChecksumIsRefused) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory / "a.safetensors";
  write(file, busy_state(small_program()));
  std::string bytes = bytes_of_file(file);
  bytes.replace(bytes.find("\"checksum\""), 10, "\"chexksum\"");
  write_bytes(file, bytes);
  EXPECT_EQ(refusal(file, small_program()), file.string() + ": damaged: its checksum is missing");
}

TEST(Checkpoint, ValuesThatAreNotFiniteAreRefused) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory / "a.safetensors";
  const model::Program program = small_program();
  for (const float bad : {NAN, -INFINITY}) {
    TrainState state = busy_state(program);
    state.buffers["long"][program.find_parameter("unembed.W_U")->offset + 5] = bad;
    write(file, state);
    EXPECT_TRUE(
        test::like(refusal(file, program),
                   file.string() + ": tensor 'optimizer.long.unembed.W_U' holds non-finite *"));
  }
}

TEST(Checkpoint, OfAnotherShapeIsRefused) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory / "a.safetensors";
  write(file, busy_state(small_program()));
  model::Architecture wider = spec::small_architecture();
  wider.vocabulary = 17;
  EXPECT_EQ(refusal(file, spec::compiled(wider)),
            file.string() +
                ": tensor 'embed.W_E': found shape [16, 16], allowed [17, 16] by its "
                "configuration");
  model::Architecture deeper = spec::small_architecture();
  deeper.layers = 3;
  const std::string why = refusal(file, spec::compiled(deeper));
  EXPECT_NE(why.find("blocks.2.ln1.w"), std::string::npos) << why;
  EXPECT_EQ(why.rfind(file.string() + ": ", 0), 0U) << why;
}

TEST(Checkpoint, AForeignFileOfTensorsIsRefused) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory / "a.safetensors";
  const std::vector<float> values(6);
  const base::Tensor tensor{"embed.W_E", {2, 3}, values};
  ASSERT_TRUE(base::write_safetensors(file, std::span(&tensor, 1), {{"format", "pt"}}));
  EXPECT_EQ(refusal(file, small_program()),
            file.string() +
                ": not a checkpoint of lookback: its metadata has no 'format' = "
                "'lookback checkpoint 1'");
}

TEST(Checkpoint, MetadataThatIsNoNumberIsRefused) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory / "a.safetensors";
  const std::vector<float> values(1);
  const base::Tensor tensor{"a", {1}, values};
  std::map<std::string, std::string> metadata{
      {"format", "lookback checkpoint 1"}, {"config", ""}, {"seed", "0"}, {"step", "-1"}};
  ASSERT_TRUE(base::write_safetensors(file, std::span(&tensor, 1), metadata));
  EXPECT_TRUE(
      test::like(refusal(file, small_program()), file.string() + ": metadata 'step' is '-1'*"));
  metadata.erase("step");
  ASSERT_TRUE(base::write_safetensors(file, std::span(&tensor, 1), metadata));
  EXPECT_EQ(refusal(file, small_program()),
            file.string() + ": not a checkpoint of lookback: its metadata has no 'step'");
}

TEST(Checkpoint, AFileThatIsNotThereIsNamed) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory / "none.safetensors";
  EXPECT_EQ(refusal(file, small_program()),
            file.string() + ": cannot open: No such file or directory");
}

/// A run's directory with checkpoints after 1, 2 and 5 steps, and one to resume from after 7.
class ResumePointTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(base::make_directories(directory_ / "checkpoints"));
    for (const std::uint64_t step : {1U, 2U, 5U}) add(checkpoint_path(run(), step * 256), step);
    add(resume_path(run()), 7);
  }

  const std::filesystem::path& run() const { return directory_.path(); }

  static void add(const std::filesystem::path& path, std::uint64_t step) {
    TrainState state = busy_state(small_program());
    state.step = step;
    write(path, state, {"", 7, step, step * 256, step * 8});
  }

  static void tear(const std::filesystem::path& path) {
    const std::string whole = bytes_of_file(path);
    write_bytes(path, whole.substr(0, whole.size() / 2));
  }

  std::uint64_t newest_step(const ResumePoint& point) const {
    return point.checkpoint ? point.checkpoint->header().step : 0;
  }

 private:
  TemporaryDirectory directory_;
};

TEST(CheckpointPath, TellsItsTokensAndNoOtherNameDoes) {
  EXPECT_EQ(tokens_named_by(checkpoint_path("run", 512)), 512U);
  for (const char* other : {"512x.safetensors", "x512.safetensors", "512.tensors", "512",
                            "-1.safetensors", ".safetensors", "resume.safetensors"}) {
    EXPECT_EQ(tokens_named_by(other), std::nullopt) << other;
  }
}

TEST_F(ResumePointTest, IsTheNewestCheckpoint) {
  const ResumePoint point = std::move(find_resume_point(run()).value());
  EXPECT_EQ(newest_step(point), 7U);
  EXPECT_TRUE(point.warnings.empty());
}

TEST_F(ResumePointTest, AnOlderOneToResumeFromIsPassedOver) {
  add(resume_path(run()), 3);  // older than the checkpoint of step 5
  EXPECT_EQ(newest_step(find_resume_point(run()).value()), 5U);
}

TEST_F(ResumePointTest, PassesOverATornOneAndNamesIt) {
  tear(resume_path(run()));
  const ResumePoint point = std::move(find_resume_point(run()).value());
  EXPECT_EQ(newest_step(point), 5U);
  ASSERT_EQ(point.warnings.size(), 1U);
  EXPECT_EQ(point.warnings[0].rfind(resume_path(run()).string() + ": ", 0), 0U)
      << point.warnings[0];
}

TEST_F(ResumePointTest, PassesOverSeveralTornOnes) {
  tear(resume_path(run()));
  tear(checkpoint_path(run(), 5 * 256));
  const ResumePoint point = std::move(find_resume_point(run()).value());
  EXPECT_EQ(newest_step(point), 2U);
  EXPECT_EQ(point.warnings.size(), 2U);
}

TEST_F(ResumePointTest, PassesOverOneThatIsNotFiniteAndNamesIt) {
  for (const bool buffer : {false, true}) {
    TrainState state = busy_state(small_program());
    (buffer ? state.buffers["long"] : state.parameters).back() = NAN;
    state.step = 7;
    write(resume_path(run()), state, {"", 7, 7, 7 * 256, 7 * 8});
    const ResumePoint point = std::move(find_resume_point(run()).value());
    EXPECT_EQ(newest_step(point), 5U);
    ASSERT_EQ(point.warnings.size(), 1U);
    EXPECT_EQ(point.warnings[0].rfind(resume_path(run()).string() + ": tensor '", 0), 0U)
        << point.warnings[0];
  }
}

TEST_F(ResumePointTest, ThereIsNoneWithoutAWholeCheckpoint) {
  for (const std::uint64_t step : {1U, 2U, 5U}) tear(checkpoint_path(run(), step * 256));
  tear(resume_path(run()));
  const ResumePoint point = std::move(find_resume_point(run()).value());
  EXPECT_FALSE(point.checkpoint);
  EXPECT_EQ(point.warnings.size(), 4U);
}

TEST_F(ResumePointTest, WhatIsOlderIsNotRead) {
  tear(checkpoint_path(run(), 1 * 256));
  tear(checkpoint_path(run(), 5 * 256));
  const ResumePoint point = std::move(find_resume_point(run()).value());
  EXPECT_EQ(newest_step(point), 7U);
  EXPECT_TRUE(point.warnings.empty());
  std::filesystem::remove(resume_path(run()));
  const ResumePoint without = std::move(find_resume_point(run()).value());
  EXPECT_EQ(newest_step(without), 2U);
  EXPECT_EQ(without.warnings.size(), 1U);
}

TEST_F(ResumePointTest, OtherFilesAreNotLookedAt) {
  write_bytes(run() / "checkpoints/.1792.safetensors.partial-12", "half");
  write_bytes(run() / "checkpoints/notes.txt", "mine");
  const ResumePoint point = std::move(find_resume_point(run()).value());
  EXPECT_EQ(newest_step(point), 7U);
  EXPECT_TRUE(point.warnings.empty());
}

TEST(ResumePoint, OfAnEmptyDirectoryThereIsNone) {
  const TemporaryDirectory directory;
  const ResumePoint point = std::move(find_resume_point(directory.path()).value());
  EXPECT_FALSE(point.checkpoint);
  EXPECT_TRUE(point.warnings.empty());
}

}  // namespace
}  // namespace lookback::train
