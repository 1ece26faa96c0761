// Claims through the program: a study that ends with its verdicts, lookback ledger, and sizes.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "lookback/base/file.h"
#include "tests/base/like.h"
#include "tests/program/studies.h"

namespace lookback::program {
namespace {

using nlohmann::json;
using spec::lookback;
using spec::one_line;
using test::TemporaryDirectory;

/// A claim of each verdict, of runs of two steps without inspections. (Parallel has 2112 parameters:
/// 256 of tokens, 512 of positions, 4 x 256 of attention, 2 x 32 of norms, 256 of the unembedding.)
constexpr const char* four_claims = R"([[claim]]
name = "some"
number = 12
says = "It has parameters."
[[claim.test]]
finding = "parameters"
arm = "parallel"
above = 0
[[claim]]
name = "forms"
says = "It forms at once."
[[claim.test]]
finding = "transition_tokens"
arm = "two-layer"
present = true
[[claim]]
name = "composes"
says = "It composes."
[[claim.test]]
finding = "mechanism"
arm = "two-layer"
is = "k-composition"
[[claim]]
name = "late"
says = "It never forms."
needs_tokens = "1M"
[[claim.test]]
finding = "transition_tokens"
arm = "parallel"
present = false
)";

constexpr const char* one_size = "[sizes.tiny.train]\ntokens = 256\n";

std::string study_text(const std::string& claims) {
  std::string text = spec::three_arms(2);
  text.replace(text.find("[train]"), 0, "inspect = false\n");
  return "seeds = 3\n" + text + claims + one_size;
}

class LedgerCommand : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = std::make_unique<TemporaryDirectory>();
    const std::string file = spec::write_study(*directory_, study_text(four_claims));
    study_ = spec::run(lookback({"study", file, "--out", out(), "--threads", "2"}));
    ASSERT_EQ(study_.exit_code, 0) << study_.err;
  }
  static void TearDownTestSuite() { directory_.reset(); }

  static std::string path(const char* name) { return (directory_->path() / name).string(); }
  static std::string out() { return path("out"); }
  static std::string file_text(const std::string& name) {
    const Result<std::string> text = base::read_file(out() + "/" + name, std::size_t{1} << 26);
    return text ? *text : text.error().message;
  }

  static inline std::unique_ptr<TemporaryDirectory> directory_;
  static inline spec::Ended study_;
};

constexpr const char* lines =
    "12  supported                It has parameters.\n"
    "      parallel: the number of parameters is above 0: 2112 [2112, 2112] (the 95% interval "
    "over "
    "3 seeds lies above the bound; it holds in 3 of 3 seeds)\n"
    " -  contradicted             It forms at once.\n"
    "      two-layer: tokens until the first transition exists: never (it holds in 0 of 3 seeds)\n"
    " -  not decided              It composes.\n"
    "      two-layer: the mechanism that interventions point to is k-composition: k-composition in "
    "0 "
    "of 0 seeds (0 seeds decide nothing, 3 are needed; 3 of 3 seeds cannot be compared)\n"
    " -  not tested at this size  It never forms.\n"
    "      parallel: tokens until the first transition does not exist: never (it needs runs of "
    "1.00M tokens, these have 512)\n";

TEST_F(LedgerCommand, AStudyEndsWithItsVerdictsOnStderr) {
  EXPECT_EQ(study_.out, out() + "/report.html\n");
  EXPECT_TRUE(study_.err.ends_with(lines)) << study_.err;
  const json ledger = json::parse(file_text("ledger.json"), nullptr, false);
  ASSERT_TRUE(ledger.is_object());
  EXPECT_EQ(ledger["claims"].size(), 4U);
  EXPECT_EQ(ledger["claims"][0]["verdict"], "supported");
}

TEST_F(LedgerCommand, PrintsTheSameFromTheRuns) {
  const std::string before = file_text("ledger.json");
  const spec::Ended ended = spec::run(lookback({"ledger", out()}));
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(ended.out, lines);
  EXPECT_EQ(ended.err, "");
  EXPECT_EQ(file_text("ledger.json"), before);
}

TEST_F(LedgerCommand, PrintsTheFileAsJson) {
  const spec::Ended ended = spec::run(lookback({"ledger", out(), "--json"}));
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(ended.out, file_text("ledger.json"));
}

TEST_F(LedgerCommand, OfRunsThatHaveNotAllEndedDecidesByThoseThatHave) {
  const std::string copy = path("unfinished");
  std::filesystem::copy(out(), copy, std::filesystem::copy_options::recursive);
  spec::unfinish_study(copy);
  spec::unfinish(copy + "/parallel/seed-1");
  const spec::Ended ended = spec::run(lookback({"ledger", copy}));
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_TRUE(ended.out.starts_with("12  not decided ")) << ended.out;
}

TEST_F(LedgerCommand, OfAFinishedStudyThatLacksARunIsAnErrorAndSoIsItsPage) {
  const std::string copy = path("lacking");
  std::filesystem::copy(out(), copy, std::filesystem::copy_options::recursive);
  std::filesystem::remove_all(copy + "/parallel");
  const std::string gone = copy + "/parallel/seed-0: ";
  EXPECT_EQ(one_line(spec::run(lookback({"ledger", copy}))).find(gone), 0U);
  const spec::Ended page = spec::run(lookback({"report", copy}));
  EXPECT_EQ(page.exit_code, 2);
  EXPECT_NE(page.err.find(gone), std::string::npos) << page.err;
}

TEST_F(LedgerCommand, OfARunThatWasCutShortInItsConfigurationIsAnErrorAndSoIsItsPage) {
  const std::string copy = path("cut");
  std::filesystem::copy(out(), copy, std::filesystem::copy_options::recursive);
  const std::string file = copy + "/parallel/seed-1/config.toml";
  std::string text = *base::read_file(file, 1 << 20);
  text.replace(text.find("\ntokens = 512"), 13, "\ntokens = 256");
  std::ofstream(file) << text;
  EXPECT_EQ(one_line(spec::run(lookback({"ledger", copy}))).find(file + ": was changed "), 0U);
  const spec::Ended page = spec::run(lookback({"report", copy}));
  EXPECT_EQ(page.exit_code, 2);
  EXPECT_NE(page.err.find(file), std::string::npos) << page.err;
}

TEST_F(LedgerCommand, ACheckpointThatWasPutBesideARunTurnsNoVerdict) {
  const std::string copy = path("foreign");
  std::filesystem::copy(out(), copy, std::filesystem::copy_options::recursive);
  const std::string run = copy + "/two-layer/seed-0";
  std::filesystem::copy(run + "/checkpoints/0.safetensors",
                        run + "/checkpoints/9999999.safetensors");
  const spec::Ended verified = spec::run(lookback({"verify", copy}));
  EXPECT_EQ(verified.exit_code, 1);
  EXPECT_EQ(verified.out.find(run + "/checkpoints/9999999.safetensors: "), 0U) << verified.out;
  const spec::Ended inspected = spec::run(lookback({"inspect", run, "--json", "--sequences", "2"}));
  EXPECT_EQ(inspected.exit_code, 0) << inspected.err;
  EXPECT_EQ(json::parse(inspected.out, nullptr, false)["tokens"], 512);
  const spec::Ended page = spec::run(lookback({"report", copy}));
  EXPECT_EQ(page.exit_code, 2);
  EXPECT_NE(page.err.find(run + "/checkpoints/9999999.safetensors: "), std::string::npos)
      << page.err;
}

TEST_F(LedgerCommand, AClaimThatCameAfterTheRunsIsMarkedInFileAndLines) {
  const std::string copy = path("late");
  std::filesystem::copy(out(), copy, std::filesystem::copy_options::recursive);
  const std::string mark = "      [stated after 9 of 9 runs had ended]\n";
  const std::string late =
      "[[claim]]\nname = \"late\"\nsays = \"They are alike.\"\n[[claim.test]]\nfinding = "
      "\"parameters\"\narm = \"parallel\"\nwithin = 1\nof_arm = \"two-layer\"\n";
  std::string claims = four_claims;
  claims.erase(claims.rfind("[[claim]]\n"));
  std::ofstream(copy + "/study.toml") << study_text(claims + late);
  const spec::Ended changed = spec::run(lookback({"ledger", copy}));
  EXPECT_EQ(changed.exit_code, 0) << changed.err;
  const std::size_t at = changed.out.find("They are alike.\n" + mark);
  EXPECT_NE(at, std::string::npos) << changed.out;
  EXPECT_EQ(changed.out.find(mark), changed.out.rfind(mark)) << changed.out;  // it alone
  // Without the record all of them count as stated now.
  std::filesystem::remove(copy + "/claims.json");
  const spec::Ended forgotten = spec::run(lookback({"ledger", copy, "--json"}));
  const json ledger = json::parse(forgotten.out, nullptr, false);
  ASSERT_TRUE(ledger.is_object()) << forgotten.err;
  for (const json& claim : ledger["claims"]) {
    EXPECT_EQ(claim["stated"]["mark"], "stated after 9 of 9 runs had ended") << claim["name"];
  }
}

TEST_F(LedgerCommand, HelpsWithAnExample) {
  const spec::Ended ended = spec::run(lookback({"ledger", "--help"}));
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_NE(ended.out.find("Example: lookback ledger "), std::string::npos) << ended.out;
}

TEST_F(LedgerCommand, WhatMakesNoSenseGetsItsOneLine) {
  const auto line = [](const std::vector<std::string>& arguments, int code = 2) {
    return one_line(spec::run(lookback(arguments)), code);
  };
  EXPECT_TRUE(test::like(line({"ledger", path("none")}), path("none") + ": found no study.toml*"));
  const std::string bare = path("bare");
  std::filesystem::create_directory(bare);
  std::ofstream(bare + "/study.toml") << study_text("");
  EXPECT_TRUE(test::like(line({"ledger", bare}), bare + "/study.toml: found no [[claim]]*"));
  EXPECT_FALSE(std::filesystem::exists(bare + "/ledger.json"));
  std::ofstream(bare + "/study.toml") << study_text("[[claim]]\nname = \"a\"\n");
  EXPECT_EQ(line({"ledger", bare}).rfind(bare + "/study.toml:", 0), 0U);
  std::ofstream(bare + "/study.toml") << study_text(
      "[[claim]]\nname = \"a\"\nsays = \"A.\"\n[[claim.test]]\narm = \"parallel\"\nfinding = "
      "\"parameters\"\nabove = 0\n");
  EXPECT_TRUE(test::like(line({"ledger", bare}), bare + ": found no runs*"));
  EXPECT_FALSE(std::filesystem::exists(bare + "/ledger.json"));
  EXPECT_NE(line({"ledger"}, 2), "");
  EXPECT_NE(line({"ledger", out(), "--jason"}, 2), "");
  const std::string file = path("study.toml");
  EXPECT_EQ(line({"study", file, "--out", path("other"), "--size", "article"}),
            file + ": --size: found 'article', allowed: default, tiny");
  EXPECT_FALSE(std::filesystem::exists(path("other")));
}

TEST_F(LedgerCommand, ASizeHoldsForARunAndForAStudy) {
  const spec::Ended trained =
      spec::run(lookback({"train", path("study.toml"), "--arm", "parallel", "--size", "tiny",
                          "--out", path("run"), "--threads", "1"}));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const Result<std::string> config = base::read_file(path("run/config.toml"), 1 << 20);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_NE(config->find("\ntokens = 256\n"), std::string::npos) << *config;
  const spec::Ended sized =
      spec::run(lookback({"study", path("study.toml"), "--size", "tiny", "--seeds", "1", "--out",
                          path("tiny"), "--threads", "2"}));
  ASSERT_EQ(sized.exit_code, 0) << sized.err;
  const Result<std::string> summary = base::read_file(path("tiny/summary.json"), 1 << 26);
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(json::parse(*summary, nullptr, false)["tokens"], 256);
}

}  // namespace
}  // namespace lookback::program
