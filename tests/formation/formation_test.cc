// The article's story at a size for every day: two heads composed form an induction head, in two
// layers or in one, and two parallel heads do not; and the lens finds in the trained models what the
// article's figures show: its claims 10 (K carries what head 0 writes), 11 (copying and matching
// circuits) and 12 (parallel heads do not specialise).
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "lookback/base/file.h"
#include "lookback/data/repeated_blocks.h"
#include "lookback/lens/ablation.h"
#include "lookback/lens/circuits.h"
#include "lookback/lens/mechanism.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/study/inspection.h"
#include "lookback/study/saved_model.h"
#include "lookback/study/study.h"
#include "lookback/study/study_file.h"
#include "tests/base/temporary_directory.h"

namespace lookback {
namespace {

// About 29,000 parameters; both composed arms form within the 2.5M tokens.
// Of fewer periods a band of offsets alone would keep half of what the induction head gives.
constexpr const char* small_study = R"(
name = "formation"
question = "Do two heads composed form an induction head, and two parallel heads not?"
[model]
vocabulary = 64
context = 64
d_model = 64
d_head = 32
[data]
period = [4, 20]
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

/// One arm after its training.
struct TrainedArm {
  nlohmann::json found;  ///< its findings
  study::Inspection inspection;
};

study::Inspection inspect_last(const std::string& run, model::Engine& engine) {
  const auto checkpoint = study::find_checkpoint(run);
  if (!checkpoint) {
    ADD_FAILURE() << checkpoint.error().message;
    return {};
  }
  const auto model = study::read_model(*checkpoint);
  if (!model) {
    ADD_FAILURE() << model.error().message;
    return {};
  }
  study::InspectionOptions options;
  options.probes = {"repeated-blocks"};
  options.sequences = 32;  // intervals of 0.1 of a share
  auto inspection = study::inspect(*model, options, engine);
  if (!inspection) ADD_FAILURE() << inspection.error().message;
  return inspection ? std::move(*inspection) : study::Inspection{};
}

TrainedArm train_arm(std::size_t arm) {
  const Result<study::Study> study = study::parse_study(small_study, "formation.toml", {});
  if (!study) {
    ADD_FAILURE() << study.error().message;
    return {};
  }
  const test::TemporaryDirectory directory;
  model::CpuEngine engine(base::usable_processors());
  Silence silence;
  const auto ending =
      study::run_single(study->run(arm, 0), directory / "run", false, engine, silence);
  EXPECT_TRUE(ending) << ending.error().message;
  const auto text = base::read_file(directory / "run/findings.json", 1 << 24);
  EXPECT_TRUE(text) << text.error().message;
  return {nlohmann::json::parse(text ? *text : "{}"), inspect_last(directory / "run", engine)};
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

/// What losing head 0 costs head 1 in one of its inputs.
lens::Estimate rise_without_head_0(const study::Inspection& inspection, lens::Input input) {
  for (const lens::PathAblation& path : inspection.ablations.paths) {
    if (path.from.kind == lens::Component::Kind::head && path.input == input &&
        path.replacement == lens::Replacement::mean) {
      return path.rise;
    }
  }
  ADD_FAILURE() << "no path from a head into " << lens::name_of(input);
  return {};
}

double eigenvalue_score(const std::vector<lens::CircuitSummary>& circuits, lens::CircuitKind kind,
                        lens::HeadPlace head) {
  for (const lens::CircuitSummary& circuit : circuits) {
    if (circuit.id.kind == kind && circuit.id.head == head) return circuit.eigenvalue_score;
  }
  ADD_FAILURE() << "no such circuit";
  return 0;
}

double previous_token_score(const study::Inspection& inspection, std::size_t head) {
  return inspection.probes.at(0).result.heads.at(head).mean.previous_token_score;
}

double similarity_of_heads(const study::Inspection& inspection) {
  return inspection.probes.at(0).result.head_similarity.at(0).at(1);
}

/// Patching finds the copy in what the induction head moved, and the match in its keys.
void expect_restored(const study::Inspection& inspection, lens::HeadPlace last) {
  ASSERT_EQ(inspection.patchings.size(), 2U);
  for (const lens::Patching& patching : inspection.patchings) {
    EXPECT_EQ(patching.length, 24U) << "blocks of 12, of periods 4 to 20";
    EXPECT_GT(patching.clean.lower() - patching.corrupted.upper(), 2)
        << lens::name_of(patching.corruption) << ": there is something to restore";
    const bool answer = patching.corruption == lens::Corruption::answer;
    const lens::Patched carrier = answer ? lens::Patched::v : lens::Patched::k;
    for (const lens::HeadPatch& patch : patching.heads) {
      if (patch.head != last) continue;
      if (patch.activation == lens::Patched::z) {
        EXPECT_GT(patch.whole.lower(), 0.8);
      } else if (patch.activation == carrier) {
        EXPECT_GT(patch.whole.lower(), 0.5);
      } else if (patch.activation == lens::Patched::q) {
        EXPECT_LT(patch.whole.upper(), 0.2);
      }
    }
  }
}

/// Claims 10, 11 and 12 on a model whose heads are composed; `last` is the induction head.
void expect_composed_circuits(const study::Inspection& inspection, lens::HeadPlace last) {
  const lens::MechanismResult& mechanism = inspection.mechanism;
  EXPECT_EQ(mechanism.verdict, lens::Mechanism::k_composition) << mechanism.reason;
  ASSERT_TRUE(mechanism.partner.has_value());
  EXPECT_EQ(mechanism.partner->head, (lens::HeadPlace{0, 0}));
  EXPECT_TRUE(mechanism.head == last);
  // Claim 10: what head 0 writes goes into the keys, nats against hundredths.
  const double k = rise_without_head_0(inspection, lens::Input::k).lower();
  EXPECT_GT(k, 1);
  EXPECT_LT(10 * rise_without_head_0(inspection, lens::Input::q).upper(), k);
  EXPECT_LT(10 * rise_without_head_0(inspection, lens::Input::v).upper(), k);
  // Claim 11: the induction head copies, and matches through head 0 alone.
  const lens::Circuits& circuits = inspection.circuits;
  EXPECT_GT(eigenvalue_score(circuits.direct, lens::CircuitKind::ov, last), 0.9);
  EXPECT_GT(eigenvalue_score(circuits.composed, lens::CircuitKind::k_composition, last), 0.9);
  EXPECT_LT(eigenvalue_score(circuits.direct, lens::CircuitKind::qk, last), 0);
  // Claim 12, its other side: these heads do not do the same.
  EXPECT_LT(similarity_of_heads(inspection), 0.3);
  expect_restored(inspection, last);
}

TEST(SlowFormation, TwoLayersFormAnInductionHeadByKComposition) {
  const TrainedArm arm = train_arm(0);
  expect_induction(arm.found);
  expect_composed_circuits(arm.inspection, {1, 0});
  // Claim 8: less clean a previous-token head than the sequential one (below).
  EXPECT_LT(previous_token_score(arm.inspection, 0), 0.94);
}

TEST(SlowFormation, TwoSequentialHeadsOfOneLayerFormAnInductionHeadByKComposition) {
  const TrainedArm arm = train_arm(2);
  expect_induction(arm.found);
  expect_composed_circuits(arm.inspection, {0, 1});
  EXPECT_GT(previous_token_score(arm.inspection, 0), 0.94);
}

TEST(SlowFormation, TwoParallelHeadsFormNoneAndDoNotSpecialise) {
  const TrainedArm arm = train_arm(1);
  const nlohmann::json& found = arm.found;
  EXPECT_LT(found["induction_score_peak"], 0.35) << found.dump(2);
  EXPECT_TRUE(found["transition_tokens"].is_null());
  EXPECT_GT(found["second_half_loss"], 0.5);
  const study::Inspection& inspection = arm.inspection;
  EXPECT_NE(inspection.mechanism.verdict, lens::Mechanism::k_composition);
  EXPECT_NE(inspection.mechanism.verdict, lens::Mechanism::q_composition);
  EXPECT_TRUE(inspection.circuits.composed.empty()) << "no head reads another";
  for (const lens::HeadPlace head : {lens::HeadPlace{0, 0}, lens::HeadPlace{0, 1}}) {
    // Both copy, and neither matches.
    EXPECT_GT(eigenvalue_score(inspection.circuits.direct, lens::CircuitKind::ov, head), 0.9);
    EXPECT_LT(eigenvalue_score(inspection.circuits.direct, lens::CircuitKind::qk, head), 0);
  }
  EXPECT_GT(similarity_of_heads(inspection), 0.6);
}

}  // namespace
}  // namespace lookback
