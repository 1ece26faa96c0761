// The article's own size: its parameters, and a few steps of it.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "lookback/base/json_file.h"
#include "lookback/model/program.h"
#include "lookback/study/study_file.h"
#include "tests/program/language_study.h"
#include "tests/study/small_text.h"

namespace lookback::program {
namespace {

using spec::lookback;

const std::string study_file = std::string(LOOKBACK_SOURCE_DIR) + "/studies/language-gpt2.toml";

TEST(LanguageGpt2, HasTheArticlesParametersRecipeAndTokens) {
  const Result<study::Study> study = study::read_study(study_file, {});
  ASSERT_TRUE(study) << study.error().message;
  ASSERT_EQ(study->arms.size(), 2U);
  const auto parameters = [&](std::size_t arm) {
    return model::compile(study->arms[arm].architecture)->parameter_count();
  };
  EXPECT_EQ(parameters(0), 123'653'376U);
  EXPECT_EQ(parameters(1), 109'479'168U);
  for (const study::RunConfig& arm : study->arms) {
    EXPECT_EQ(arm.train.tokens, 3'600'000'000U);
    EXPECT_EQ(arm.train.batch * arm.data.length, 524'288U);
  }
}

TEST(LanguageSmall, GivesTheMlpWhatTheMatricesTook) {
  const std::string file = std::string(LOOKBACK_SOURCE_DIR) + "/studies/language-small.toml";
  const Result<study::Study> study = study::read_study(file, {});
  ASSERT_TRUE(study) << study.error().message;
  ASSERT_EQ(study->arms.size(), 3U);
  const auto parameters = [&](std::size_t arm) {
    return static_cast<double>(model::compile(study->arms[arm].architecture)->parameter_count());
  };
  EXPECT_LT(parameters(1), 0.9 * parameters(0));
  EXPECT_NEAR(parameters(2) / parameters(0), 1, 0.001);
}

TEST(SlowLanguageGpt2, TrainsAFewSteps) {
  const test::TemporaryDirectory directory;
  std::ofstream(directory / "text") << study::spec::made_up_text(400);
  const std::string tokens = directory / "tokens", tokenizer = directory / "tokenizer.json";
  ASSERT_EQ(spec::run(lookback({"tokens", "train", directory / "text", "--vocabulary", "280",
                                "--out", tokenizer}))
                .exit_code,
            0);
  const spec::Ended prepared = spec::run(
      lookback({"tokens", "prepare", directory / "text", "--tokenizer", tokenizer, "--out", tokens,
                "--documents", "paragraphs", "--validation-share", "0.3"}));
  ASSERT_EQ(prepared.exit_code, 0) << prepared.err;
  const std::string out = directory / "ov";
  const spec::Ended ended = spec::run(lookback(
      {"train", study_file, "--size", "trial", "--arm", "ov", "--data", tokens, "--out", out}));
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(spec::json_of(out + "/findings.json")["tokens"], 512);
  EXPECT_TRUE(spec::json_of(out + "/evaluation.json").is_object()) << ended.err;
}

// Says what a user asks first: how much memory a step takes, and how long all tokens would.
TEST(SlowLanguageGpt2, SaysWhatAllTokensWouldTake) {
  const spec::Ended bench =
      spec::run(lookback({"bench", "--model", "gpt2-small", "--length", "128", "--batch", "2",
                          "--threads", "2", "--seconds", "0.1", "--json"}));
  ASSERT_EQ(bench.exit_code, 0) << bench.err;
  const nlohmann::json line = base::parse_json(bench.out);
  ASSERT_TRUE(line.contains("tokens_per_second") && line.contains("peak_gibibytes")) << bench.out;
  const auto rate = line["tokens_per_second"].get<double>();
  EXPECT_GT(rate, 0);
  EXPECT_LT(line["peak_gibibytes"].get<double>(), 12);
  std::cout << line["peak_gibibytes"] << " GiB, " << 3.6e9 / rate / 86400
            << " days for 3.6B tokens on two threads\n";
}

}  // namespace
}  // namespace lookback::program
