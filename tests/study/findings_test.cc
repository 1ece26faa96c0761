// What a run found, from metrics made up for the purpose.
#include "lookback/study/findings.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using nlohmann::json;

constexpr double chance = 0.1;

/// A line of metrics in which two heads have these induction scores.
json line(std::uint64_t tokens, const json& first, const json& second) {
  const auto head = [](int number, const json& score) {
    return json{
        {"layer", 0}, {"head", number}, {"induction_score", score}, {"induction_chance", chance}};
  };
  return {{"step", tokens / 10},
          {"tokens", tokens},
          {"main_probe", "repeated-blocks"},
          {"probes",
           {{"repeated-blocks",
             {{"first_half_loss", 2.5},
              {"second_half_loss", 1.0 / static_cast<double>(tokens + 1)},
              {"heads", {head(0, first), head(1, second)}}}}}}};
}

RunConfig config() { return spec::parsed(spec::small_study).run(1, 3); }

const RunEnd finished{false, "", 10'000, 1234};

TEST(Findings, TellTheScoreOfTheBestHeadAtTheEndAndAtItsPeak) {
  const std::vector<json> metrics = {line(0, 0.1, 0.1), line(100, 0.1, 0.2), line(1000, 0.1, 0.9),
                                     line(10'000, 0.7, 0.3)};
  const json found = make_findings(config(), finished, metrics);
  EXPECT_EQ(found["arm"], "parallel");
  EXPECT_EQ(found["seed"], 3);
  EXPECT_EQ(found["status"], "finished");
  EXPECT_FALSE(found.contains("message"));
  EXPECT_EQ(found["tokens"], 10'000);
  EXPECT_EQ(found["parameters"], 1234);
  EXPECT_EQ(found["induction_score"], 0.7);
  EXPECT_EQ(found["induction_score_peak"], 0.9);
  EXPECT_EQ(found["peak_tokens"], 1000);
  EXPECT_EQ(found["induction_chance"], chance);
  EXPECT_EQ(found["first_half_loss"], 2.5);
  EXPECT_EQ(found["second_half_loss"], 1.0 / 10'001);
  EXPECT_EQ(found["last"], metrics.back());
}

TEST(Findings, SayWhichWindowsValidationIsOf) {
  std::vector<json> metrics = {line(0, 0.1, 0.1), line(1000, 0.1, 0.1)};
  EXPECT_FALSE(make_findings(config(), finished, metrics).contains("validation_windows"));
  for (json& measured : metrics) measured["validation"] = {{"loss", 3.5}, {"windows", "spread"}};
  EXPECT_EQ(make_findings(config(), finished, metrics)["validation_windows"], "spread");
}

TEST(Findings, LeaveOutAHeadWhosePatternAClampSets) {
  std::vector<json> metrics = {line(0, 1.0, 0.1), line(1000, 1.0, 0.6), line(10'000, 0.2, 0.5)};
  for (std::size_t i = 0; i < 2; ++i) {  // released before the last
    metrics[i]["probes"]["repeated-blocks"]["heads"][0]["pinned"] = true;
  }
  const json found = make_findings(config(), finished, metrics);
  EXPECT_EQ(found["induction_score"], 0.5);
  EXPECT_EQ(found["induction_score_peak"], 0.6);
  EXPECT_EQ(found["peak_tokens"], 1000);
}

TEST(Findings, PlaceTheTransitionWhereTheScoreCrossesHalfItsMaximum) {
  // From 0.1 at 100 to 0.9 at 10,000 tokens, straight on a log axis: 0.45, half of the maximum, lies
  // at 7/16 of the way, 10^(2 + 2 * 7/16) = 749.9.
  const std::vector<json> metrics = {line(0, 0.1, 0.1), line(100, 0.1, 0.1),
                                     line(10'000, 0.1, 0.9)};
  const json found = make_findings(config(), finished, metrics);
  EXPECT_EQ(found["transition_tokens"], 750);
  EXPECT_EQ(found["transition"]["tokens"], 750);
  EXPECT_EQ(found["transition"]["interval"], nlohmann::json({100, 10'000}));
  EXPECT_EQ(found["transition"]["peak_score"], 0.9);
  EXPECT_EQ(found["transition"]["peak_tokens"], 10'000);
  EXPECT_TRUE(found["later_transitions"].empty());
}

TEST(Findings, TellOfALaterTransition) {
  const std::vector<json> metrics = {line(0, 0.1, 0.1), line(10, 0.1, 0.1), line(100, 0.9, 0.1),
                                     line(1000, 0.5, 0.1), line(10'000, 0.95, 0.1)};
  const json found = make_findings(config(), finished, metrics);
  ASSERT_EQ(found["later_transitions"].size(), 1U);
  EXPECT_GT(found["later_transitions"][0]["tokens"], 1000);
  EXPECT_LT(found["later_transitions"][0]["tokens"], 10'000);
}

TEST(Findings, WithoutARiseTheTransitionIsNull) {
  const std::vector<json> metrics = {line(0, 0.1, 0.1), line(10'000, 0.2, 0.15)};
  const json found = make_findings(config(), finished, metrics);
  EXPECT_TRUE(found["transition"].is_null());
  EXPECT_TRUE(found["transition_tokens"].is_null());
  EXPECT_TRUE(found["later_transitions"].empty());
}

TEST(Findings, AScoreThatCouldNotBeMeasuredIsNone) {
  const std::vector<json> metrics = {line(0, nullptr, 0.1), line(100, nullptr, nullptr)};
  const json found = make_findings(config(), finished, metrics);
  EXPECT_EQ(found["induction_score"], nullptr);
  EXPECT_EQ(found["induction_score_peak"], 0.1);
  EXPECT_EQ(found["peak_tokens"], 0);
  EXPECT_NE(line_of(found).find("induction score none (peak 0.1)"), std::string::npos);
}

TEST(Findings, OfARunInWhichClampsSetEveryPatternHaveNoScore) {
  std::vector<json> metrics = {line(0, 1.0, 1.0), line(1000, 1.0, 1.0)};
  for (json& one : metrics) {
    for (json& head : one["probes"]["repeated-blocks"]["heads"]) head["pinned"] = true;
  }
  const json found = make_findings(config(), finished, metrics);
  for (const char* key : {"induction_score", "induction_score_peak", "peak_tokens", "transition",
                          "transition_tokens"}) {
    ASSERT_TRUE(found.contains(key)) << key;
    EXPECT_EQ(found[key], nullptr) << key;
  }
  EXPECT_EQ(found["induction_chance"], chance);
  EXPECT_TRUE(found["later_transitions"].empty());
  EXPECT_NE(line_of(found).find("induction score none (peak none)"), std::string::npos);
}

TEST(Findings, AnEvaluationWithoutAScoreIsNoLowPoint) {
  // Pinned at 1000, where the free head would have been: the rise lies between 100 and 10,000, and
  // there is no second one.
  std::vector<json> metrics = {line(0, 0.1, 0.1), line(100, 0.1, 0.9), line(1000, 1.0, 1.0),
                               line(10'000, 0.1, 0.95)};
  for (json& head : metrics[2]["probes"]["repeated-blocks"]["heads"]) head["pinned"] = true;
  const json found = make_findings(config(), finished, metrics);
  EXPECT_EQ(found["induction_score_peak"], 0.95);
  EXPECT_TRUE(found["later_transitions"].empty());
}

TEST(Findings, WithoutAChanceLevelThereIsNoTransition) {
  std::vector<json> metrics = {line(0, 0.1, 0.1), line(10'000, 0.1, 0.9)};
  for (json& head : metrics[1]["probes"]["repeated-blocks"]["heads"]) {
    head["induction_chance"] = nullptr;
  }
  const json found = make_findings(config(), finished, metrics);
  EXPECT_EQ(found["induction_chance"], nullptr);
  EXPECT_EQ(found["transition"], nullptr);
}

TEST(Findings, OfADivergedRunSayWhy) {
  const RunEnd end{true, "diverged at step 3", 512, 1234};
  const json found = make_findings(config(), end, std::vector<json>{line(0, 0.1, 0.2)});
  EXPECT_EQ(found["status"], "diverged");
  EXPECT_EQ(found["message"], "diverged at step 3");
  EXPECT_EQ(found["tokens"], 512);
  EXPECT_EQ(found["induction_score"], 0.2);
}

TEST(Findings, WithoutMetricsAreOnlyHowItEnded) {
  const json found = make_findings(config(), finished, {});
  EXPECT_EQ(found["status"], "finished");
  EXPECT_FALSE(found.contains("induction_score"));
}

TEST(Findings, TheirSummaryIsAllButTheLastLine) {
  const json found = make_findings(config(), finished, std::vector<json>{line(0, 0.1, 0.2)});
  json row = summary_of(found);
  EXPECT_FALSE(row.contains("last"));
  row["last"] = found["last"];
  EXPECT_EQ(row, found);
}

}  // namespace
}  // namespace lookback::study
