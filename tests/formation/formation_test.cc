// The article's story at a size for every day: two heads composed form an induction head, in two
// layers or in one, and two parallel heads do not.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lookback/base/file.h"
#include "lookback/base/workers.h"
#include "lookback/study/study.h"
#include "lookback/study/study_file.h"
#include "tests/base/temporary_directory.h"

namespace lookback {
namespace {

// About 29,000 parameters; the composed arms form near 0.4M (sequential) and 1M tokens (two-layer).
constexpr const char* small_study = R"(
name = "formation"
question = "Do two heads composed form an induction head, and two parallel heads not?"
[model]
vocabulary = 64
context = 64
d_model = 64
d_head = 32
[data]
period = [4, 12]
[train]
tokens = "2500k"
batch = 32
shards = 8
learning_rate = 2e-3
warmup_steps = 50
evaluations_per_decade = 8
checkpoints_per_decade = 1
[evaluate]
sequences = 64
probes = ["repeated-blocks", "broken-period"]
inspect = false
[[arm]]
name = "two-layer"
[arm.model]
layers = 2
[[arm]]
name = "one-layer-parallel"
[arm.model]
heads = 2
[[arm]]
name = "one-layer-sequential"
[arm.model]
steps = 2
)";

class Silence : public study::Listener {
 public:
  void message(const std::string& /*line*/) override {}
  void progress(const study::Progress& /*progress*/) override {}
  bool stop() override { return false; }
};

/// Trains one arm and gives its findings.
nlohmann::json train_arm(std::size_t arm) {
  const Result<study::Study> study = study::parse_study(small_study, "formation.toml", {});
  if (!study) {
    ADD_FAILURE() << study.error().message;
    return {};
  }
  const test::TemporaryDirectory directory;
  base::Workers workers(base::usable_processors());
  Silence silence;
  const auto ending =
      study::run_single(study->run(arm, 0), directory / "run", false, workers, silence);
  EXPECT_TRUE(ending) << ending.error().message;
  const auto text = base::read_file(directory / "run/findings.json", 1 << 24);
  EXPECT_TRUE(text) << text.error().message;
  return nlohmann::json::parse(text ? *text : "{}");
}

double broken_period_score(const nlohmann::json& found) {
  double best = 0;
  for (const auto& head : found["last"]["probes"]["broken-period"]["heads"]) {
    best = std::max(best, head["induction_score"].get<double>());
  }
  return best;
}

void expect_induction(const nlohmann::json& found) {
  EXPECT_GT(found["induction_score_peak"], 0.8) << found.dump(2);
  EXPECT_TRUE(found["transition_tokens"].is_number()) << "no transition";
  EXPECT_LT(found["second_half_loss"], 0.5);
  // Matching by content, not counting periods: gaps between the copies do not stop it.
  EXPECT_GT(broken_period_score(found), 0.6);
}

TEST(SlowFormation, TwoLayersFormAnInductionHead) { expect_induction(train_arm(0)); }

TEST(SlowFormation, TwoSequentialHeadsOfOneLayerFormAnInductionHead) {
  expect_induction(train_arm(2));
}

TEST(SlowFormation, TwoParallelHeadsFormNone) {
  const nlohmann::json found = train_arm(1);
  EXPECT_LT(found["induction_score_peak"], 0.35) << found.dump(2);
  EXPECT_TRUE(found["transition_tokens"].is_null());
  EXPECT_GT(found["second_half_loss"], 0.5);
}

}  // namespace
}  // namespace lookback
