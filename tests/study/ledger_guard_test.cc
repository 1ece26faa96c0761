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

TEST_F(LedgerOfSpoiledRuns, IsRefusedWhereAManifestIsGone) {
  std::filesystem::remove(run_path("two-layer", 1) / manifest_name);
  EXPECT_EQ(refusal().find((run_path("two-layer", 1) / manifest_name).string() + ": "), 0U);
}

}  // namespace
}  // namespace lookback::study
