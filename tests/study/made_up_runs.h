// Runs that are made up, in a directory as a study leaves it, for the tests of the ledger.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "lookback/study/ledger.h"
#include "lookback/study/manifest.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/output_place.h"
#include "lookback/study/run_manifest.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/records.h"
#include "tests/study/small_study.h"

namespace lookback::study::spec {

using nlohmann::json;

/// Two claims: the first is supported by the made-up runs below, the second is not.
inline constexpr const char* two_claims = R"([[claim]]
name = "earlier"
number = 4
says = "Two layers are earlier."
article = "it forms slightly earlier"
article_figure = "1M"
needs_tokens = 700
[[claim.test]]
finding = "transition_tokens"
arm = "two-layer"
below_arm = "parallel"
[[claim.test]]
finding = "mechanism"
arm = "two-layer"
is = "k-composition"
[[claim]]
name = "sharp"
says = "Both end sharp."
[[claim.test]]
finding = "induction_score"
arm = ["two-layer", "parallel"]
above = 0.5
)";

inline std::string study_with(const std::string& claims) {
  return changed("name = \"small\"\n", "name = \"small\"\nseeds = 3\n") + claims;
}

/// A claim of one test, decided by every seed.
inline std::string one_claim(const std::string& test) {
  return "[[claim]]\nname = \"one\"\nsays = \"One.\"\n[[claim.test]]\narm = \"two-layer\"\n" + test;
}

class MadeUpRuns : public testing::Test {
 protected:
  /// Runs of both arms and three seeds: transitions at 100, 110, 120 and twice that, and best scores
  /// of 0.9 and of 0.2, 0.3, 0.4.
  void SetUp() override {
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      RunRecord run = made_up_record();
      run.findings["transition_tokens"] = 100 + 10 * seed;
      put("two-layer", seed, run);
      run.findings["transition_tokens"] = 200 + 20 * seed;
      for (json& head : run.metrics.back()["probes"]["repeated-blocks"]["heads"]) {
        head["induction_score"] = 0.2 + 0.1 * static_cast<double>(seed);
      }
      put("parallel", seed, run);
    }
  }

  std::filesystem::path run_path(const char* arm, std::uint64_t seed) const {
    return run_directory(directory_.path(), arm, seed);
  }

  static RunConfig config_of(const std::string& arm, std::uint64_t seed) {
    const Study study = parsed(study_with(""));
    const auto found = std::ranges::find(study.arms, arm, &RunConfig::arm);
    return study.run(static_cast<std::size_t>(found - study.arms.begin()), seed);
  }

  /// The files of a run that has ended, as its manifest lists them.
  void put(const char* arm, std::uint64_t seed, const RunRecord& run) {
    const std::filesystem::path place = run_path(arm, seed);
    const RunConfig config = config_of(arm, seed);
    std::filesystem::create_directories(place);
    std::ofstream(place / "config.toml") << to_toml(config);
    std::ofstream(place / "findings.json") << run.findings;
    std::ofstream(place / "inspection.json") << run.inspection;
    std::ofstream(place / "evaluation.json") << run.evaluation;
    ASSERT_TRUE(MetricsWriter(place / "metrics.jsonl", identity_of(config)).begin(run.metrics));
    const std::string files[] = {"config.toml", "findings.json", "inspection.json",
                                 "evaluation.json", "metrics.jsonl"};
    ASSERT_TRUE(update_manifest(place, [&](Manifest& m) { m.owner = owner_of(config); }));
    ASSERT_TRUE(list_files(place, files));
  }

  /// What a program wrote there, or with `listed` false what came to be there otherwise.
  void put_text(const char* arm, std::uint64_t seed, const std::string& file,
                const std::string& text, bool listed = true) {
    std::ofstream(run_path(arm, seed) / file) << text;
    if (!listed) return;
    ASSERT_TRUE(list_files(run_path(arm, seed), std::span(&file, 1)));
  }

  void remove(const char* arm, std::uint64_t seed, const std::string& file) {
    ASSERT_TRUE(unlist_files(run_path(arm, seed), std::span(&file, 1)));
    std::filesystem::remove(run_path(arm, seed) / file);
  }

  json made(const std::string& claims) {
    const Result<json> ledger = write_ledger(parsed(study_with(claims)), directory_.path());
    if (ledger) return *ledger;
    ADD_FAILURE() << ledger.error().message;
    return {};
  }

  json first_claim(const std::string& claims) { return made(claims)["claims"][0]; }

  std::string refusal() {
    const auto ledger = write_ledger(parsed(study_with(two_claims)), directory_.path());
    return ledger ? "" : ledger.error().message;
  }

  test::TemporaryDirectory directory_;
};

}  // namespace lookback::study::spec
