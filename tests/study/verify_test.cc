// lookback verify: what it looks at, and that nothing that was changed escapes it.
#include "lookback/study/verify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "lookback/model/cpu_engine.h"
#include "lookback/study/manifest.h"
#include "tests/base/sanitized.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

/// A finished study of two seeds, made once for all tests and changed in a copy.
class VerifiedStudy : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    made_ = new test::TemporaryDirectory;
    model::CpuEngine engine(2);
    spec::Listening listener;
    const Study study = spec::parsed(spec::small_study, {.tokens = 512, .seeds = 2});
    ASSERT_TRUE(run_study(study, *made_ / "study", false, engine, listener));
  }
  static void TearDownTestSuite() {
    delete made_;
    made_ = nullptr;
  }

  void SetUp() override { fs::copy(*made_ / "study", study(), fs::copy_options::recursive); }

  Verification verified(const fs::path& directory) const {
    const Result<Verification> found = verify(directory);
    if (found) return *found;
    ADD_FAILURE() << found.error().message;
    return {};
  }

  /// Expects that a fault names the file.
  void expect_named(const fs::path& file) const {
    const Verification found = verified(study());
    const auto names_it = [&](const std::string& fault) {
      return fault.find(file.string()) != std::string::npos;
    };
    EXPECT_TRUE(std::ranges::any_of(found.faults, names_it)) << file;
  }

  fs::path study() const { return directory_ / "study"; }

  static test::TemporaryDirectory* made_;
  test::TemporaryDirectory directory_;
};
test::TemporaryDirectory* VerifiedStudy::made_ = nullptr;

TEST_F(VerifiedStudy, IsWholeWithAllItsRuns) {
  const Verification found = verified(study());
  EXPECT_EQ(found.studies, 1U);
  EXPECT_EQ(found.runs, 6U);
  EXPECT_EQ(found.unfinished, 0U);
  EXPECT_GT(found.files, 6U * 5);
  EXPECT_EQ(found.faults, std::vector<std::string>());
  EXPECT_EQ(verified(study() / "parallel/seed-1").runs, 1U);
  EXPECT_EQ(verified(study() / "parallel").runs, 2U);
  EXPECT_EQ(verified(directory_.path()).studies, 1U);
}

TEST_F(VerifiedStudy, NamesEveryFileThatWasChangedOrRemoved) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(study())) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && !name.starts_with('.')) files.push_back(entry.path());
  }
  ASSERT_GT(files.size(), 30U);
  for (const fs::path& file : files) {
    const bool is_of_other_seed = file.string().find("seed-1") != std::string::npos;
    if (test::sanitized && is_of_other_seed) continue;  // of the same kinds as those of seed 0
    const std::string whole = spec::text_of(file);
    std::string changed = whole;
    // In study.toml, where runs are said; elsewhere it does not matter where.
    const std::size_t at =
        file.filename() == "study.toml" ? whole.find("warmup_steps = 2") + 15 : whole.size() / 2;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    std::ofstream(file, std::ios::binary) << changed;
    expect_named(file);
    fs::remove(file);
    expect_named(file);
    std::ofstream(file, std::ios::binary) << whole;
  }
  EXPECT_EQ(verified(study()).faults, std::vector<std::string>());
}

TEST_F(VerifiedStudy, MissesARunThatIsGone) {
  fs::remove_all(study() / "two-layer/seed-1");
  expect_named(study() / "two-layer/seed-1");
}

TEST_F(VerifiedStudy, NamesFilesOfAnotherRun) {
  const auto copy = [&](const char* file) {
    fs::copy_file(study() / "two-layer/seed-1" / file, study() / "two-layer/seed-0" / file,
                  fs::copy_options::overwrite_existing);
  };
  for (const char* file : {"metrics.jsonl", "findings.json", "checkpoints/512.safetensors"}) {
    copy(file);
    expect_named(study() / "two-layer/seed-0" / file);
  }
  fs::remove_all(study() / "two-layer/seed-0");
  fs::copy(study() / "two-layer/seed-1", study() / "two-layer/seed-0", fs::copy_options::recursive);
  expect_named(study() / "two-layer/seed-0");
}

TEST_F(VerifiedStudy, NamesAFileThatWasPutThere) {
  const fs::path run = study() / "parallel/seed-0";
  for (const char* name : {"inspection.json", "inspection.safetensors", "evaluation.json",
                           "resume.safetensors", "checkpoints/9999999.safetensors"}) {
    fs::copy_file(run / "checkpoints/256.safetensors", run / name);
    expect_named(run / name);
    fs::remove(run / name);
  }
}

TEST_F(VerifiedStudy, NamesACheckpointUnderTheNameOfAnother) {
  const fs::path checkpoints = study() / "parallel/seed-0/checkpoints";
  fs::copy_file(checkpoints / "256.safetensors", checkpoints / "512.safetensors",
                fs::copy_options::overwrite_existing);
  expect_named(checkpoints / "512.safetensors");
}

TEST_F(VerifiedStudy, NamesARunThatWasCutShortInItsConfiguration) {
  const fs::path file = study() / "parallel/seed-0/config.toml";
  std::string text = spec::text_of(file);
  text.replace(text.find("\ntokens = 512"), 13, "\ntokens = 256");
  std::ofstream(file) << text;
  expect_named(file);
}

TEST_F(VerifiedStudy, NamesAChangedManifestWhateverElseIsGone) {
  const auto flip = [](const fs::path& file) {
    std::string text = spec::text_of(file);
    text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
    std::ofstream(file) << text;
  };
  flip(study() / manifest_name);
  fs::remove(study() / "study.toml");
  expect_named(study() / manifest_name);
  const fs::path run = study() / "parallel/seed-0";
  flip(run / manifest_name);
  fs::remove(run / "config.toml");
  expect_named(run / manifest_name);
  EXPECT_EQ(verified(run).faults.size(), 1U) << "where nothing else is";
}

TEST_F(VerifiedStudy, NamesARunThatWasCopiedToAnotherPlace) {
  const fs::path copy = study() / "parallel/seed-2";
  fs::copy(study() / "parallel/seed-1", copy, fs::copy_options::recursive);
  expect_named(copy);
  EXPECT_EQ(verified(copy).faults, std::vector<std::string>()) << "by itself it is a run";
}

TEST_F(VerifiedStudy, NamesAManifestOfAnotherRun) {
  const fs::path run = study() / "parallel/seed-0";
  ASSERT_TRUE(update_manifest(run, [](Manifest& manifest) { manifest.owner["run"] = "another"; }));
  expect_named(run / manifest_name);
}

TEST_F(VerifiedStudy, NamesANumberThatCannotBeInAFileThatIsAsItWasWritten) {
  const fs::path run = study() / "parallel/seed-0";
  nlohmann::json findings = spec::json_of(run / "findings.json");
  findings["induction_score_peak"] = 8.17;
  ASSERT_TRUE(write_listed(run, "findings.json", findings.dump()));
  expect_named(run / "findings.json");
}

TEST_F(VerifiedStudy, LetsQuestionAndClaimsBeEdited) {
  const fs::path file = study() / "study.toml";
  std::string text = spec::text_of(file);
  text.replace(text.find("Does it run?"), 12, "Does it walk?");
  std::ofstream(file) << text;
  EXPECT_EQ(verified(study()).faults, std::vector<std::string>());
}

TEST_F(VerifiedStudy, OfNothingIsAnError) {
  const Result<Verification> found = verify(directory_ / "nowhere");
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("nowhere"), std::string::npos);
}

}  // namespace
}  // namespace lookback::study
