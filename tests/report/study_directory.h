// A study's directory for the tests: made, and then spoiled, grown or cut by a test.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "lookback/report/load_study.h"
#include "tests/base/temporary_directory.h"
#include "tests/report/example_study.h"

namespace lookback::report::test {

/// A line of metrics as a run writes it: what findings are made from.
inline std::string line_of(std::uint64_t tokens, double score, double loss) {
  nlohmann::json line = record(tokens, score, loss);
  line["step"] = tokens / 100;
  line["probes"]["repeated-blocks"]["first_half_loss"] = 5.5;
  return line.dump() + "\n";
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
    write(directory_ / "study.toml", study_text("seeds = 1"));
    write(run() / "findings.json", R"({"seed":0,"status":"finished","tokens":2000})");
    write(metrics(), line_of(1000, 0.2, 5.0) + line_of(2000, 0.8, 1.0));
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
