// The ledger is refused where a file of a run is not as it was written.
#include "tests/study/made_up_runs.h"

namespace lookback::study {
namespace {

using spec::made_up_record;
using spec::text_of;

class LedgerOfSpoiledRuns : public spec::MadeUpRuns {};

TEST_F(LedgerOfSpoiledRuns, IsRefusedWhereAListedFileIsNoJson) {
  for (const char* file : {"findings.json", "inspection.json", "evaluation.json"}) {
    for (const char* text : {"", "[]", "3", "{", "\xff\xfe"}) {
      put_text("two-layer", 1, file, text);
      EXPECT_EQ(refusal().find((run_path("two-layer", 1) / file).string() + ": "), 0U) << text;
    }
    put("two-layer", 1, made_up_record());
  }
}

TEST_F(LedgerOfSpoiledRuns, IsRefusedWhereAFileOfARunWasChangedOrRemoved) {
  for (const char* file :
       {"findings.json", "inspection.json", "evaluation.json", "metrics.jsonl"}) {
    const std::filesystem::path path = run_path("two-layer", 1) / file;
    std::string text = text_of(path);
    text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
    put_text("two-layer", 1, file, text, false);
    EXPECT_EQ(refusal().find(path.string() + ": "), 0U) << file;
    std::filesystem::remove(path);
    EXPECT_EQ(refusal().find(path.string() + ": "), 0U) << file;
    put("two-layer", 1, made_up_record());
    EXPECT_EQ(refusal(), "");
  }
}

TEST_F(LedgerOfSpoiledRuns, IsRefusedWhereARunHasTheFilesOfAnother) {
  const auto copy = [&](const char* arm, std::uint64_t seed, const char* file) {
    std::filesystem::copy_file(run_path(arm, seed) / file, run_path("two-layer", 1) / file,
                               std::filesystem::copy_options::overwrite_existing);
  };
  for (const char* file : {"findings.json", "metrics.jsonl"}) {
    copy("parallel", 1, file);
    EXPECT_EQ(refusal().find((run_path("two-layer", 1) / file).string() + ": "), 0U) << file;
    put("two-layer", 1, made_up_record());
  }
  // With the manifest, as when a whole directory is copied.
  for (const char* file : {"config.toml", "findings.json", "metrics.jsonl", "inspection.json",
                           "evaluation.json", manifest_name}) {
    copy("two-layer", 2, file);
  }
  EXPECT_EQ(refusal().find((run_path("two-layer", 1) / "config.toml").string() + ": "), 0U);
}

TEST_F(LedgerOfSpoiledRuns, IsRefusedWhereARunWasCutShortInItsConfiguration) {
  const std::filesystem::path file = run_path("two-layer", 1) / "config.toml";
  std::string text = text_of(file);
  text.replace(text.find("\ntokens = 2560"), 14, "\ntokens = 1280");
  put_text("two-layer", 1, "config.toml", text, false);
  EXPECT_EQ(refusal().find(file.string() + ": was changed "), 0U) << refusal();
}

TEST_F(LedgerOfSpoiledRuns, IsRefusedWhereAManifestIsOfAnotherRun) {
  const std::filesystem::path run = run_path("two-layer", 1);
  ASSERT_TRUE(update_manifest(
      run, [](Manifest& manifest) { manifest.owner = owner_of(config_of("two-layer", 2)); }));
  EXPECT_EQ(refusal().find((run / manifest_name).string() + ": "), 0U) << refusal();
}

TEST_F(LedgerOfSpoiledRuns, IsRefusedWhereANumberCannotBe) {
  const auto refused_with = [&](const char* file, const auto& change) {
    json object = spec::json_of(run_path("two-layer", 1) / file);
    change(object);
    put_text("two-layer", 1, file, object.dump());
    EXPECT_EQ(refusal().find((run_path("two-layer", 1) / file).string() + ": "), 0U) << refusal();
    put("two-layer", 1, made_up_record());
  };
  refused_with("findings.json", [](json& findings) { findings["induction_score_peak"] = 8.17; });
  refused_with("inspection.json", [](json& inspection) {
    inspection["circuits"]["direct"][0]["eigenvalue_score"] = -1.5;
  });
  refused_with("evaluation.json",
               [](json& evaluation) { evaluation["results"]["copy"]["acc,none"] = 5.56; });
  EXPECT_EQ(refusal(), "");
}

TEST_F(LedgerOfSpoiledRuns, OfAFinishedStudyIsRefusedWhereARunIsGoneOrHasNotEnded) {
  // The two arms that claims speak of are all that this study has.
  std::string text = spec::study_with(spec::two_claims);
  const std::size_t third = text.find("[[arm]]\nname = \"sequential\"");
  text.erase(third, text.find("[[claim]]") - third);
  const Study study = spec::parsed(text);
  ASSERT_TRUE(write_listed(directory_.path(), "summary.json", "{}"));
  EXPECT_TRUE(write_ledger(study, directory_.path()));
  ASSERT_TRUE(note_reopening(run_path("parallel", 2)));
  const auto expect_named = [&](const std::filesystem::path& run) {
    const auto ledger = write_ledger(study, directory_.path());
    ASSERT_FALSE(ledger);
    EXPECT_EQ(ledger.error().message.find(run.string() + ": "), 0U) << ledger.error().message;
  };
  expect_named(run_path("parallel", 2));
  std::filesystem::remove_all(directory_ / "parallel");
  expect_named(run_path("parallel", 0));
}

TEST_F(LedgerOfSpoiledRuns, IsRefusedWhereAManifestIsGone) {
  std::filesystem::remove(run_path("two-layer", 1) / manifest_name);
  EXPECT_EQ(refusal().find((run_path("two-layer", 1) / manifest_name).string() + ": "), 0U);
}

}  // namespace
}  // namespace lookback::study
