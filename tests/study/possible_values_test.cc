// What the numbers of a run's files can be: every measure has its range.
#include "lookback/study/possible_values.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lookback/lens/losses.h"
#include "lookback/lens/scores.h"
#include "tests/base/like.h"
#include "tests/study/records.h"

namespace lookback::study {
namespace {

using nlohmann::json;

bool can_be(const json& value) { return fault_of_values(value).empty(); }

TEST(PossibleValues, OfEveryScoreAreSharesAndOfEntropyNotNegative) {
  for (const lens::HeadMeasure& measure : lens::head_measures()) {
    const std::string name(measure.name);
    EXPECT_TRUE(can_be({{name, 0}}) && can_be({{name, 1}}) && can_be({{name, nullptr}})) << name;
    EXPECT_FALSE(can_be({{name, -0.01}})) << name;
    EXPECT_EQ(can_be({{name, 1.01}}), name == "entropy") << name;
  }
}

TEST(PossibleValues, OfEveryLossAreNotNegative) {
  for (const lens::LossMeasure& measure : lens::loss_measures()) {
    const bool is_difference = std::string(measure.name) == "in_context_learning_score";
    EXPECT_EQ(can_be({{measure.name, -0.01}}), is_difference) << measure.name;
    EXPECT_TRUE(can_be({{measure.name, 12.5}})) << measure.name;
  }
  for (const char* other : {"train_loss", "validation_loss", "validation_loss_least", "kl"}) {
    EXPECT_FALSE(can_be({{other, -0.01}})) << other;
  }
}

TEST(PossibleValues, AreLookedForAtAnyDepthAndInLists) {
  EXPECT_FALSE(can_be({{"validation", {{"loss", -1}}}}));
  EXPECT_FALSE(can_be({{"probes", {{"unseen-period", {{"loss_by_position", {2.5, -0.5}}}}}}}));
  EXPECT_FALSE(can_be({{"head_similarity", {{1, 0.5}, {1.5, 1}}}}));
  EXPECT_FALSE(can_be({{"results", {{"copy", {{"acc,none", 1.5}}}}}}));
  EXPECT_FALSE(can_be({{"results", {{"copy", {{"acc_stderr,none", -0.1}}}}}}));
}

TEST(PossibleValues, OfAnEstimateAreThoseOfItsMean) {
  const auto score = [](double mean) {
    return json{
        {"induction_score",
         {{"mean", mean}, {"standard_error", 0.1}, {"interval", {mean - 0.2, mean + 0.2}}}}};
  };
  EXPECT_TRUE(can_be(score(0.95)));
  EXPECT_FALSE(can_be(score(1.05)));
  EXPECT_FALSE(can_be({{"rise", {{"mean", -3}, {"standard_error", -0.1}}}}));
  EXPECT_TRUE(can_be({{"rise", {{"mean", -3}, {"standard_error", 0.1}}}}));
}

TEST(PossibleValues, AreAllThatRunsWrite) {
  for (const json& line : spec::made_up_metrics()) EXPECT_EQ(fault_of_values(line), "");
  const RunRecord run = spec::made_up_record();
  for (const json& file : {run.findings, run.inspection, run.evaluation}) {
    EXPECT_EQ(fault_of_values(file), "");
  }
}

TEST(PossibleValues, AFaultNamesTheKeyAndTheNumber) {
  EXPECT_TRUE(test::like(fault_of_values({{"induction_score_peak", 8.17}}),
                         "induction_score_peak is 8.17*"));
}

}  // namespace
}  // namespace lookback::study
