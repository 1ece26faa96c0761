// What interventions, circuits and the mechanism say of the hand-built circuit, whose answers are
// known: head 0 serves head 1's keys and nothing else, head 1 matches and copies.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>

#include "lookback/lens/ablation.h"
#include "lookback/lens/circuits.h"
#include "lookback/lens/mechanism.h"
#include "lookback/lens/patching.h"
#include "lookback/model/cpu_engine.h"
#include "tests/lens/constructed.h"

namespace lookback::lens {
namespace {

/// The circuit in two layers, or in two steps of one.
class SlowInterventionsOracle : public testing::TestWithParam<model::ConstructionKind> {
 protected:
  Model model() const { return {model_.program, model_.parameters}; }
  Setting setting() { return {model(), *probe_, 6, engine_}; }
  HeadPlace first() const { return {0, 0}; }
  HeadPlace second() const {
    return GetParam() == model::ConstructionKind::two_layer ? HeadPlace{1, 0} : HeadPlace{0, 1};
  }
  std::size_t period() const {
    return patching_period(probe_->profile().periods, model_.program.architecture);
  }
  model::Engine& engine() { return engine_; }

 private:
  ConstructedCase case_{GetParam(), 256, 256};
  SmallModel model_ = make_constructed(case_);
  std::unique_ptr<data::BlockSource> probe_ = probe_of(case_, data::BlockKind::repeated_blocks);
  model::CpuEngine engine_{2};
};

/// The rise when `input` of the second head loses what the first wrote.
double rise(const Ablations& found, HeadPlace from, Input input, Replacement replacement) {
  const Component head{Component::Kind::head, from.layer, from.head};
  const auto path = std::ranges::find_if(found.paths, [&](const PathAblation& one) {
    return one.from == head && one.input == input && one.replacement == replacement;
  });
  return path == found.paths.end() ? NAN : path->rise.mean;
}

TEST_P(SlowInterventionsOracle, TheFirstHeadServesTheKeysOfTheSecondAlone) {
  const auto found = ablations(setting());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_LT(found->baseline.mean, 0.01);
  for (const Replacement by : {Replacement::zero, Replacement::mean, Replacement::resample}) {
    // With wrong keys the head looks at wrong places, and copies them with a gain of many nats: the
    // loss is beyond that of knowing nothing. With none at all it looks everywhere alike, and what
    // it copies is a mean that is hardly worth anything.
    const double nothing = std::log(256.0) * (by == Replacement::zero ? 0.9 : 1);
    EXPECT_GT(rise(*found, first(), Input::k, by), nothing) << name_of(by);
    // Its values read the token alone: not one bit changes but by rounding.
    EXPECT_NEAR(rise(*found, first(), Input::v, by), 0, 1e-5) << name_of(by);
    // Its query reads the token before only to break ties, which some P / V of the queries have.
    EXPECT_LT(rise(*found, first(), Input::q, by), 0.2 * rise(*found, first(), Input::k, by))
        << name_of(by);
  }
}

TEST_P(SlowInterventionsOracle, TheFirstHeadsPatternIsOfPositionsAlone) {
  const auto found = ablations(setting());
  ASSERT_TRUE(found) << found.error().message;
  for (const PatternAblation& pattern : found->patterns) {
    if (pattern.head == first()) {
      EXPECT_NEAR(pattern.rise.mean, 0, 1e-3);
    } else if (pattern.head == second() && pattern.replacement == Replacement::resample) {
      // Nats, not hundredths, though another sequence's offsets may by chance be right here and there.
      EXPECT_GT(pattern.rise.lower(), 1);
    }
  }
}

TEST_P(SlowInterventionsOracle, TheMechanismIsKComposition) {
  const auto found = mechanism(setting());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->verdict, Mechanism::k_composition) << found->reason;
  EXPECT_EQ(found->head, second());
  ASSERT_TRUE(found->partner);
  EXPECT_EQ(found->partner->head, first());
  EXPECT_GT(found->scores.induction_score, 0.99);
}

TEST_P(SlowInterventionsOracle, PatchingFindsTheValueOfTheAnswerAndTheKeyOfTheMatch) {
  for (const Corruption corruption : {Corruption::answer, Corruption::match}) {
    const auto found = patching(model(), period(), corruption, 6, engine());
    ASSERT_TRUE(found) << found.error().message;
    // What carries the answer is a value where it stands; what finds it, the key beside the token
    // that matches, and so the pattern of the query.
    const bool answer = corruption == Corruption::answer;
    const std::size_t source = found->query - found->length / 2 + 1;
    for (const HeadPatch& patch : found->heads) {
      if (patch.head != second()) continue;
      // Where nothing matches, it is open which values are looked at.
      if (!answer && patch.activation == Patched::v) continue;
      const bool carries =
          patch.activation == Patched::z ||
          (answer ? patch.activation == Patched::v
                  : patch.activation == Patched::k || patch.activation == Patched::pattern);
      EXPECT_NEAR(patch.whole.mean, carries ? 1 : 0, 0.02)
          << name_of(corruption) << ' ' << name_of(patch.activation);
      const bool at_source = patch.activation == Patched::v || patch.activation == Patched::k;
      const std::size_t place = at_source ? source : found->query;
      if (!carries) continue;
      EXPECT_NEAR(patch.by_position[place].mean, 1, 0.02) << place;
    }
  }
}

TEST_P(SlowInterventionsOracle, ItsCircuitsCopyAndMatch) {
  const auto found = circuits(model().program, model().parameters, {}, engine().workers());
  ASSERT_TRUE(found) << found.error().message;
  const auto of = [&](CircuitKind kind) {
    for (const auto* list : {&found->direct, &found->composed}) {
      for (const CircuitSummary& one : *list) {
        if (one.id.kind == kind && one.id.head == second()) return one;
      }
    }
    return CircuitSummary{};
  };
  for (const CircuitKind kind : {CircuitKind::ov, CircuitKind::k_composition}) {
    const CircuitSummary circuit = of(kind);
    // A Gram matrix times a gain: its eigenvalues are positive, and each token is its own best.
    EXPECT_NEAR(circuit.eigenvalue_score, 1, 1e-3);
    EXPECT_EQ(circuit.matching.diagonal_share, 1);
  }
  // Nothing that head 0 wrote is read as a value.
  EXPECT_NEAR(of(CircuitKind::v_composition).frobenius_norm, 0, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Of, SlowInterventionsOracle,
                         testing::Values(model::ConstructionKind::two_layer,
                                         model::ConstructionKind::sequential),
                         [](const auto& kind) {
                           return kind.param == model::ConstructionKind::two_layer ? "TwoLayer"
                                                                                   : "Sequential";
                         });

}  // namespace
}  // namespace lookback::lens
