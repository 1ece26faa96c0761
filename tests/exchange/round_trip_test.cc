// What lookback exports and imports again is the same checkpoint, to the bit.
#include <gtest/gtest.h>

#include "lookback/exchange/export.h"
#include "lookback/exchange/import.h"
#include "lookback/model/executor.h"
#include "tests/base/temporary_directory.h"
#include "tests/exchange/models.h"
#include "tests/model/running.h"

namespace lookback::exchange {
namespace {

std::vector<float> logits(const study::SavedModel& model) {
  const model::Architecture& a = model.config.architecture;
  const std::vector<model::Token> tokens = model::spec::random_tokens(a.vocabulary, a.context);
  model::Executor<float> executor(model.program, 1, a.context);
  executor.forward(model.parameters, tokens);
  const math::Matrix<const float> found = executor.logits();
  return {found.data, found.data + found.rows * found.cols};
}

void expect_same(const study::SavedModel& found, const study::SavedModel& expected) {
  EXPECT_EQ(found.config, expected.config);
  EXPECT_EQ(found.header.config, expected.header.config);
  EXPECT_EQ(found.header.seed, expected.header.seed);
  EXPECT_EQ(found.header.step, expected.header.step);
  EXPECT_EQ(found.header.tokens, expected.header.tokens);
  EXPECT_EQ(found.header.next_sequence, expected.header.next_sequence);
  EXPECT_EQ(found.header.tokenizer, expected.header.tokenizer);
  EXPECT_EQ(found.parameters, expected.parameters);
  EXPECT_EQ(logits(found), logits(expected));
}

void expect_round_trip(const spec::Named& named, Target target) {
  SCOPED_TRACE(named.name);
  const test::TemporaryDirectory directory;
  const study::SavedModel model = spec::make_model(named.architecture);
  const Status written = write_export(model, target, directory.path());
  ASSERT_TRUE(written) << written.error().message;
  const Result<study::SavedModel> found = import_model(directory.path());
  ASSERT_TRUE(found) << found.error().message;
  expect_same(*found, model);
}

TEST(RoundTrip, TransformerLensGivesBackEveryBit) {
  for (const spec::Named& named : spec::for_transformer_lens()) {
    expect_round_trip(named, Target::transformer_lens);
  }
}

TEST(RoundTrip, HuggingFaceGivesBackEveryBit) {
  for (const spec::Named& named : spec::for_huggingface()) {
    expect_round_trip(named, Target::huggingface);
  }
}

TEST(RoundTrip, AnImportedModelIsACheckpointThatIsReadAgain) {
  const test::TemporaryDirectory directory;
  const study::SavedModel model = spec::make_model(spec::gpt2());
  ASSERT_TRUE(write_export(model, Target::huggingface, directory / "export"));
  const Result<study::SavedModel> imported = import_model(directory / "export");
  ASSERT_TRUE(imported) << imported.error().message;
  const std::filesystem::path file = directory / "model.safetensors";
  const Status written =
      train::write_model(file, imported->program, imported->parameters, imported->header);
  ASSERT_TRUE(written) << written.error().message;
  const Result<study::SavedModel> read = study::read_model(file);
  ASSERT_TRUE(read) << read.error().message;
  expect_same(*read, model);
}

TEST(RoundTrip, BetweenTheTwoProgramsTheLogitsStay) {
  const test::TemporaryDirectory directory;
  const study::SavedModel model = spec::make_model(spec::gpt2());
  ASSERT_TRUE(write_export(model, Target::huggingface, directory / "hugging"));
  const Result<study::SavedModel> hugging = import_model(directory / "hugging");
  ASSERT_TRUE(hugging) << hugging.error().message;
  ASSERT_TRUE(write_export(*hugging, Target::transformer_lens, directory / "lens"));
  const Result<study::SavedModel> lens = import_model(directory / "lens");
  ASSERT_TRUE(lens) << lens.error().message;
  EXPECT_EQ(logits(*lens), logits(model));
}

}  // namespace
}  // namespace lookback::exchange
