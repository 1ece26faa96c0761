// A study's directory for the tests: made, and then spoiled, grown or cut by a test.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "lookback/base/file.h"
#include "lookback/report/load_study.h"
#include "lookback/study/manifest.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/run_manifest.h"
#include "lookback/study/study_directory.h"
#include "lookback/study/study_file.h"
#include "tests/base/temporary_directory.h"
#include "tests/report/example_study.h"

namespace lookback::report::test {

/// A line of metrics as a run writes it: what findings are made from.
inline nlohmann::json line_of(std::uint64_t tokens, double score, double loss) {
  nlohmann::json line = record(tokens, score, loss);
  line["step"] = tokens / 100;
  line["probes"]["repeated-blocks"]["first_half_loss"] = 5.5;
  return line;
}

/// A claim about the runs of that arm.
inline constexpr const char* claim_text =
    "[[claim]]\nname = \"low\"\nsays = \"The loss is low.\"\n[[claim.test]]\n"
    "finding = \"second_half_loss\"\narm = \"composed\"\nbelow = 2\n";

/// A finished study of one arm with one run of two evaluations, without checkpoints.
class StudyDirectory : public testing::Test {
 protected:
  StudyDirectory() {
    std::filesystem::create_directories(run() / "checkpoints");
    write_study(study_text("seeds = 1"));
    write(run() / "config.toml", study::to_toml(config()));
    write(metrics(), lines({line_of(1000, 0.2, 5.0), line_of(2000, 0.8, 1.0)}));
    end(R"({"seed":0,"status":"finished","tokens":2000})");
  }

  /// The study file as lookback writes it.
  void write_study(const std::string& text) const {
    const auto study = study::parse_study(text, "study.toml", {});
    ASSERT_TRUE(study) << study.error().message;
    const Status written = study::write_study_file(*study, directory_.path());
    ASSERT_TRUE(written) << written.error().message;
  }

  /// The run ends with these findings.
  void end(const std::string& findings, const std::string& seed = "seed-0") const {
    write(run(seed) / "findings.json", findings);
    list_all(seed);
  }

  /// The run has not ended.
  void unend() const {
    std::filesystem::remove(run() / "findings.json");
    ASSERT_TRUE(study::note_reopening(run()));
  }

  /// The study's run of that seed.
  study::RunConfig config(std::uint64_t seed = 0) const {
    const auto study = study::read_study((directory_ / "study.toml").string(), {});
    EXPECT_TRUE(study);
    return study ? study->run(0, seed) : study::RunConfig();
  }

  /// What metrics.jsonl of that run has with these lines.
  std::string lines(const std::vector<nlohmann::json>& lines, std::uint64_t seed = 0) const {
    const std::filesystem::path file = directory_ / ".lines";
    study::MetricsWriter writer(file, study::identity_of(config(seed)));
    EXPECT_TRUE(writer.begin(lines));
    const auto text = base::read_file(file, 1 << 20);
    std::filesystem::remove(file);
    return text ? *text : "";
  }

  /// Makes manifests that list what is there now, as if lookback had written all of it.
  void list_all(const std::string& seed = "seed-0") const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(run(seed))) {
      const std::string name = entry.path().lexically_relative(run(seed)).generic_string();
      if (entry.is_regular_file() && !name.starts_with('.') && name != study::manifest_name) {
        names.push_back(name);
      }
    }
    const auto of = study::read_run_config(run(seed));
    ASSERT_TRUE(study::update_manifest(run(seed), [&](study::Manifest& m) {
      m.files.clear();
      if (of) m.owner = study::owner_of(*of);
    }));
    ASSERT_TRUE(study::list_files(run(seed), names));
  }

  /// Two steps of training, so 32768 tokens.
  static std::string study_text(const std::string& seeds, const std::string& arm = "composed") {
    return "name = \"example\"\nquestion = \"Does it?\"\n" + seeds +
           "\n[train]\ntokens = 32768\n[evaluate]\nsequences = 4\n[[arm]]\nname = \"" + arm +
           "\"\n";
  }

  static void write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  static void append(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary | std::ios::app) << text;
  }

  std::filesystem::path run(const std::string& seed = "seed-0") const {
    return directory_ / "composed" / seed;
  }
  std::filesystem::path metrics() const { return run() / "metrics.jsonl"; }
  std::filesystem::path checkpoint(const std::string& name) const {
    return run() / "checkpoints" / name;
  }

  static Result<HeldOutSequence> sequence(const study::Study&) {
    return HeldOutSequence{{7, 9, 7, 9}, 2};
  }

  lookback::test::TemporaryDirectory directory_;
};

}  // namespace lookback::report::test
