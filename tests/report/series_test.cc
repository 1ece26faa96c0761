#include "lookback/report/series.h"

#include <gtest/gtest.h>

#include "tests/report/example_study.h"

namespace lookback::report {
namespace {

using Counts = std::vector<std::uint64_t>;
using Values = std::vector<double>;

TEST(InductionScoreCurves, TakeTheBestHeadOfEveryRecord) {
  const std::vector<Curve> curves = induction_score_curves(test::example_study());
  ASSERT_EQ(curves.size(), 3U);
  EXPECT_EQ(curves[1].arm, "composed");
  EXPECT_EQ(curves[1].seed, 1U);
  EXPECT_EQ(curves[1].tokens, (Counts{1000, 10000}));
  EXPECT_EQ(curves[1].values, (Values{0.25, 0.7}));
}

TEST(InductionScoreCurves, LeaveOutAHeadWhosePatternAClampSets) {
  StudyReport study = test::example_study();
  nlohmann::json& heads = study.arms[0].runs[0].metrics[0]["probes"]["repeated-blocks"]["heads"];
  heads[1]["pinned"] = true;
  const std::vector<Curve> curves = induction_score_curves(study);
  EXPECT_EQ(curves[0].values[0], heads[0]["induction_score"].get<double>());
  EXPECT_LT(curves[0].values[0], heads[1]["induction_score"].get<double>());
}

TEST(InductionScoreCurves, LeaveOutARecordInWhichClampsSetEveryPattern) {
  StudyReport study = test::example_study();
  for (auto& head : study.arms[0].runs[0].metrics[1]["probes"]["repeated-blocks"]["heads"]) {
    head["pinned"] = true;
  }
  EXPECT_EQ(induction_score_curves(study)[0].tokens, (Counts{1000}));
  EXPECT_FALSE(probe_ends(study)[1].induction_score.has_value());
}

TEST(InductionScoreCurves, LeaveOutTheUntrainedModelAndRecordsWithoutTheScore) {
  StudyReport study = test::example_study();
  std::vector<nlohmann::json>& metrics = study.arms[0].runs[0].metrics;
  metrics.insert(metrics.begin(), test::record(0, 0.2, 5.0));
  metrics.push_back({{"tokens", 20000}, {"probes", "not an object"}});
  metrics.push_back({{"tokens", -1}});
  metrics.push_back("not an object");
  const std::vector<Curve> curves = induction_score_curves(study);
  EXPECT_EQ(curves[0].tokens, (Counts{1000, 10000}));
}

TEST(SecondHalfLossCurves, ReadTheTrainedProbe) {
  const std::vector<Curve> curves = second_half_loss_curves(test::example_study());
  ASSERT_EQ(curves.size(), 3U);
  EXPECT_EQ(curves[0].values, (Values{5.0, 1.0}));
}

TEST(IdealLosses, AreThoseOfAnArmsIdealPredictor) {
  StudyReport study = test::example_study();
  EXPECT_TRUE(ideal_losses(study).empty());
  for (report::Run& run : study.arms[0].runs) {
    run.metrics.back()["probes"]["repeated-blocks"]["predictors"] = {
        {{"name", "uniform"}, {"ideal", false}, {"second_half_loss", 5.5}},
        {{"name", "bayes"}, {"ideal", true}, {"second_half_loss", 0.25}},
        "not an object"};
  }
  const std::vector<IdealLoss> found = ideal_losses(study);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].arm, study.arms[0].name);
  EXPECT_DOUBLE_EQ(found[0].loss, 0.25);
}

TEST(PredictorCurves, AreALineForEachPredictorOfEachRun) {
  StudyReport study = test::example_study();
  Arm& arm = study.arms[0];
  std::vector<std::string> names;
  EXPECT_TRUE(predictor_curves(arm, names).empty());
  for (nlohmann::json& line : arm.runs[0].metrics) {
    line["probes"]["repeated-blocks"]["predictors"] = {{{"name", "uniform"}, {"kl", 0.5}},
                                                       {{"name", "bigram"}, {"kl", 0.125}}};
  }
  const std::vector<Curve> curves = predictor_curves(arm, names);
  EXPECT_EQ(names, (std::vector<std::string>{"uniform", "bigram"}));
  ASSERT_EQ(curves.size(), 2U);
  EXPECT_EQ(curves[1].arm, "bigram");
  EXPECT_EQ(curves[1].tokens, (Counts{1000, 10000}));
  EXPECT_EQ(curves[1].values, (Values{0.125, 0.125}));
}

TEST(ProbeEnds, ReadEveryProbeOfTheLastRecord) {
  const std::vector<ProbeEnd> ends = probe_ends(test::example_study());
  ASSERT_EQ(ends.size(), 6U);
  EXPECT_EQ(ends[0].probe, "broken-period");
  EXPECT_DOUBLE_EQ(ends[0].second_half_loss.value_or(-1.0), 1.5);
  EXPECT_FALSE(ends[0].induction_score.has_value());
  EXPECT_EQ(ends[1].probe, "repeated-blocks");
  EXPECT_DOUBLE_EQ(ends[1].induction_score.value_or(-1.0), 0.8);
}

TEST(Transitions, AreThoseThatTheSummariesName) {
  StudyReport study = test::example_study();
  study.arms[0].runs[1].summary["transition_tokens"] = nullptr;
  study.arms[1].runs[0].summary = "not an object";
  const std::vector<Transition> found = transitions(study);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].arm, "composed");
  EXPECT_EQ(found[0].tokens, 5000U);
  study.arms[0].runs[0].summary["transition"] = {{"tokens", 1}, {"sharpness", nullptr}};
  EXPECT_TRUE(transitions(study).empty());
  study.arms[0].runs[0].summary["transition"]["sharpness"] = 0.2;
  EXPECT_EQ(transitions(study).size(), 1U);
}

TEST(InductionChance, PrefersTheSummaryAndIsAveragedOverRuns) {
  StudyReport study = test::example_study();
  EXPECT_DOUBLE_EQ(induction_chance(study).value_or(-1.0), 0.25);
  study.arms[1].runs[0].summary["induction_chance"] = 0.5;
  EXPECT_DOUBLE_EQ(induction_chance(study).value_or(-1.0), (0.25 + 0.25 + 0.5) / 3.0);
  for (Arm& arm : study.arms) arm.runs.clear();
  EXPECT_FALSE(induction_chance(study).has_value());
}

TEST(MetricCheckpoints, AreThinnedOutEvenlyAndKeepTheLast) {
  StudyReport study = test::example_study();
  study.arms.resize(1);
  study.arms[0].runs.resize(1);
  std::vector<nlohmann::json>& metrics = study.arms[0].runs[0].metrics;
  metrics.clear();
  for (std::uint64_t i = 1; i <= 7; ++i) metrics.push_back(test::record(100 * i, 0.5, 1.0));
  EXPECT_EQ(metric_checkpoints(study, 7), (Counts{100, 200, 300, 400, 500, 600, 700}));
  EXPECT_EQ(metric_checkpoints(study, 4), (Counts{100, 300, 500, 700}));
  EXPECT_EQ(metric_checkpoints(study, 1), (Counts{700}));
  metrics.clear();
  EXPECT_TRUE(metric_checkpoints(study, 4).empty());
}

TEST(PositionLosses, TakeTheNearestRecordInLogTokens) {
  const std::vector<PositionLosses> losses = position_losses(test::example_study(), {2000, 9000});
  ASSERT_EQ(losses.size(), 6U);
  EXPECT_EQ(losses[0].checkpoint, 0U);
  EXPECT_EQ(losses[0].losses, (Values{5.5, 5.0, 5.0}));
  EXPECT_EQ(losses[1].checkpoint, 1U);
  EXPECT_EQ(losses[1].losses, (Values{5.5, 1.0, 1.0}));
}

TEST(PositionLosses, EndWhereTheRunEnded) {
  EXPECT_EQ(position_losses(test::example_study(), {10000, 20000}).size(), 3U);
}

TEST(PositionLosses, LeaveOutARecordWithAValueThatIsNoNumber) {
  StudyReport study = test::example_study();
  study.arms[0].runs[0].metrics[1]["probes"]["repeated-blocks"]["loss_by_position"][1] = nullptr;
  EXPECT_EQ(position_losses(study, {10000}).size(), 2U);
}

TEST(HeadScoresOf, AreFoundByLayerAndHead) {
  const StudyReport study = test::example_study();
  const report::Run& run = study.arms[0].runs[0];
  EXPECT_DOUBLE_EQ(head_scores(run, 9999, 0, 1).induction.value_or(-1.0), 0.8);
  EXPECT_DOUBLE_EQ(head_scores(run, 9999, 0, 0).previous_token.value_or(-1.0), 0.9);
  EXPECT_FALSE(head_scores(run, 9999, 1, 0).induction.has_value());
  EXPECT_FALSE(head_scores(report::Run{}, 0, 0, 0).induction.has_value());
}

}  // namespace
}  // namespace lookback::report
