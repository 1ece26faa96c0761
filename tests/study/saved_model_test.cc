// Which checkpoint of a run is read, and what is said where it is damaged.
#include "lookback/study/saved_model.h"

#include <gtest/gtest.h>

#include "lookback/base/file.h"
#include "lookback/study/manifest.h"
#include "lookback/study/run_manifest.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

/// A run with three checkpoints.
class Checkpoints : public testing::Test {
 protected:
  Checkpoints() {
    std::filesystem::create_directory(directory_ / "checkpoints");
    const RunConfig config = spec::parsed(spec::small_study).run(0, 0);
    const Result<model::Program> program = model::compile(config.architecture);
    const std::vector<float> parameters = model::initialize(*program, 0);
    for (const std::uint64_t tokens : {0, 800, 1600}) {
      const Status written = train::write_model(path(tokens), *program, parameters,
                                                {.config = to_toml(config), .tokens = tokens});
      EXPECT_TRUE(written) << written.error().message;
    }
  }

  std::filesystem::path path(std::uint64_t tokens) const {
    return train::checkpoint_path(directory_.path(), tokens);
  }

  void damage(std::uint64_t tokens) const {
    std::string bytes = *base::read_file(path(tokens), std::size_t{1} << 24);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    ASSERT_TRUE(base::write_file_atomically(path(tokens), bytes));
  }

  /// The error of the run's newest checkpoint.
  std::string refusal() const {
    const auto newest = find_checkpoint(directory_.path());
    EXPECT_TRUE(newest);
    const Result<SavedModel> model = read_model(*newest);
    return model ? "" : model.error().message;
  }

  test::TemporaryDirectory directory_;
};

TEST_F(Checkpoints, TheNewestIsRead) {
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(*find_checkpoint(directory_.path()), path(1600));
}

TEST_F(Checkpoints, ADamagedOneNamesTheNewestWholeOneBeforeIt) {
  const std::string damaged =
      path(1600).string() + ": damaged: its checksum is not that of its contents";
  damage(1600);
  EXPECT_EQ(refusal(), damaged + "; the newest intact one before it is " + path(800).string());
  damage(800);
  EXPECT_EQ(refusal(), damaged + "; the newest intact one before it is " + path(0).string());
  damage(0);
  EXPECT_EQ(refusal(), damaged);
}

TEST_F(Checkpoints, OneUnderAnotherNameIsRefused) {
  std::filesystem::copy_file(path(800), path(9'999'999));
  EXPECT_EQ(refusal().find(path(9'999'999).string() + ": is the checkpoint of 800 tokens "), 0U)
      << refusal();
  EXPECT_FALSE(find_model(directory_.path()));
}

TEST_F(Checkpoints, OfAnEndedRunAreThoseOfItsManifestAsTheyWereWritten) {
  const RunConfig config = spec::parsed(spec::small_study).run(0, 0);
  for (const auto& [name, text] :
       {std::pair{"config.toml", to_toml(config)}, {"findings.json", std::string("{}")}}) {
    ASSERT_TRUE(write_listed(directory_.path(), name, text));
  }
  const std::string names[] = {"checkpoints/0.safetensors", "checkpoints/800.safetensors"};
  ASSERT_TRUE(list_files(directory_.path(), names));
  ASSERT_TRUE(update_manifest(directory_.path(), [&](Manifest& m) { m.owner = owner_of(config); }));
  EXPECT_EQ(*find_checkpoint(directory_.path()), path(800)) << "1600 is not listed";
  EXPECT_EQ(refusal(), "");
  EXPECT_FALSE(read_model(path(1600)));
  // Whole, of this run and of these tokens, and yet not the one that was written there.
  const Result<model::Program> program = model::compile(config.architecture);
  const std::vector<float> other = model::initialize(*program, 1);
  ASSERT_TRUE(
      train::write_model(path(800), *program, other, {.config = to_toml(config), .tokens = 800}));
  EXPECT_EQ(refusal().find(path(800).string() + ": was changed "), 0U) << refusal();
  std::filesystem::remove(path(800));
  EXPECT_FALSE(find_model(directory_.path())) << "its newest checkpoint is gone";
}

TEST_F(Checkpoints, OneThatIsNotThereNamesNoOther) {
  const Result<SavedModel> model = read_model(path(2400));
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().message,
            path(2400).string() + ": cannot open: No such file or directory");
}

}  // namespace
}  // namespace lookback::study
