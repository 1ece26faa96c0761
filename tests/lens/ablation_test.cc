#include "lookback/lens/ablation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "lookback/model/cpu_engine.h"
#include "tests/lens/all_wirings.h"
#include "tests/lens/patterns.h"
#include "tests/lens/runner.h"

namespace lookback::lens {
namespace {

constexpr std::size_t sequences = 5;

Ablations ablate(const SmallModel& model, std::size_t threads = 1,
                 const AblationLimits& limits = {}) {
  const auto probe = small_probe(data::BlockKind::repeated_blocks);
  model::CpuEngine engine(threads);
  const Setting setting{{model.program, model.parameters}, *probe, sequences, engine};
  Result<Ablations> result = ablations(setting, limits);
  EXPECT_TRUE(result) << result.error().message;
  return result ? std::move(*result) : Ablations{};
}

/// Calls act(ablation) for each of all kinds.
template <class Act>
void for_each(const Ablations& all, Act act) {
  for (const auto& ablation : all.paths) act(ablation);
  for (const auto& ablation : all.logits) act(ablation);
  for (const auto& ablation : all.heads) act(ablation);
  for (const auto& ablation : all.patterns) act(ablation);
  for (const auto& ablation : all.values) act(ablation);
  for (const auto& ablation : all.norms) act(ablation);
}

bool same(const Estimate& a, const Estimate& b) {
  return a.mean == b.mean && a.standard_error == b.standard_error && a.count == b.count;
}

// --- known answers

TEST(Ablations, OfAHeadThatWritesNothingChangeNothing) {
  SmallModel model = shaken_model(small_architecture());
  const auto w_o = model.parameter("blocks.0.attn.W_O");
  std::fill_n(w_o.begin(), 8 * 16, 0.0F);  // head 0's rows
  const Ablations result = ablate(model);
  std::size_t silent = 0;
  const auto expect_nothing = [&](const Estimate& rise) {
    EXPECT_EQ(rise.mean, 0);
    EXPECT_EQ(rise.standard_error, 0);
    ++silent;
  };
  for (const auto& a : result.heads) {
    if (a.head == HeadPlace{0, 0}) {
      expect_nothing(a.rise);
    } else {
      EXPECT_NE(a.rise.mean, 0);
    }
  }
  for (const auto& a : result.patterns) {
    if (a.head == HeadPlace{0, 0}) expect_nothing(a.rise);
  }
  for (const auto& a : result.values) {
    if (a.head == HeadPlace{0, 0}) expect_nothing(a.rise);
  }
  EXPECT_EQ(silent, 3U + 2 + 1);
}

TEST(Ablations, ByAMeanOrAnotherSequenceOfWhatIsTheSameInEverySequenceChangeNothing) {
  // Every token has the same embedding and there are no positions: all activations are constants.
  model::Architecture a = one_head_a_layer();
  a.positions = model::Positions::none;
  SmallModel model = shaken_model(a);
  const auto embedding = model.parameter("embed.W_E");
  for (std::size_t i = 16; i < embedding.size(); ++i) embedding[i] = embedding[i - 16];
  const Ablations result = ablate(model);
  std::size_t constants = 0;
  const auto expect_nothing = [&](const auto& ablation) {
    if (ablation.replacement == Replacement::zero) return;
    EXPECT_EQ(ablation.rise.mean, 0);
    ++constants;
  };
  for (const auto& ablation : result.paths) expect_nothing(ablation);
  for (const auto& ablation : result.logits) expect_nothing(ablation);
  for (const auto& ablation : result.heads) expect_nothing(ablation);
  for (const auto& ablation : result.patterns) expect_nothing(ablation);
  EXPECT_EQ(constants, 2U * (3 * 2 + 3 + 2 + 3));  // paths: q, k, v from token and head 0.0
  // Attention over t + 1 equal values rounds otherwise at every t: only the first norm's scale is the
  // same at all positions.
  EXPECT_EQ(result.norms[0].norm, "blocks.0.ln1");
  EXPECT_EQ(result.norms[0].rise.mean, 0);
}

// --- what is measured, and how

TEST(Ablations, CoverEveryPathHeadPatternValueAndNorm) {
  const Ablations result = ablate(shaken_model(small_architecture()));
  // Two heads of layer 1 read 4 components by 3 inputs; all but positions in 3 ways.
  EXPECT_EQ(result.paths.size(), 2U * 3 * (3 * 3 + 1));
  EXPECT_EQ(result.logits.size(), 5U * 3 + 1);
  EXPECT_EQ(result.heads.size(), 4U * 3);
  EXPECT_EQ(result.patterns.size(), 5U * 2);
  EXPECT_EQ(result.values.size(), 5U);
  EXPECT_EQ(result.norms.size(), (3U + 1) * 2);
  EXPECT_TRUE(result.skipped.empty());
  EXPECT_EQ(result.sequences, sequences);
  EXPECT_EQ(result.baseline.count, sequences);
  for_each(result, [](const auto& ablation) {
    EXPECT_TRUE(std::isfinite(ablation.rise.mean));
    EXPECT_TRUE(std::isfinite(ablation.rise.standard_error));
    EXPECT_EQ(ablation.rise.count, sequences);
  });
}

TEST(Ablations, RunInEveryWiring) {
  std::size_t number = 0;
  const auto probe = small_probe(data::BlockKind::random_repeat, 8);
  model::CpuEngine engine(1);
  for (model::Architecture a : all_wirings()) {
    if (number++ % 89 != 0) continue;
    a.vocabulary = 16;
    a.context = 8;
    const SmallModel model = shaken_model(a);
    const Setting setting{{model.program, model.parameters}, *probe, 2, engine};
    const auto result = ablations(setting);
    ASSERT_TRUE(result) << result.error().message;
    for_each(*result, [](const auto& ablation) { EXPECT_TRUE(std::isfinite(ablation.rise.mean)); });
  }
}

TEST(Ablations, HaveTheSameBitsForAnyNumberOfThreads) {
  model::Architecture a = small_architecture();
  a.no_ov = true;
  a.steps = 2;
  const SmallModel model = shaken_model(a);
  const Ablations one = ablate(model, 1);
  for (const std::size_t threads : {2U, 3U}) {
    const Ablations other = ablate(model, threads);
    std::vector<Estimate> rises;
    for_each(one, [&](const auto& ablation) { rises.push_back(ablation.rise); });
    std::size_t i = 0;
    for_each(other, [&](const auto& ablation) { EXPECT_TRUE(same(ablation.rise, rises[i++])); });
    EXPECT_EQ(i, rises.size());
    EXPECT_TRUE(same(one.baseline, other.baseline));
  }
}

TEST(Ablations, MeasureTheDifferenceOfSecondHalfLosses) {
  const SmallModel small = shaken_model(small_architecture());
  const Ablations result = ablate(small);
  const auto probe = small_probe(data::BlockKind::repeated_blocks);
  const Model model{small.program, small.parameters};
  Runner runner(model, 48);
  const std::vector<float> zeros(8);
  Edit zero;
  zero.activation = "blocks.1.attn.hook_z";
  zero.head = 1;
  zero.value = {zeros.data(), 1, 8, 8};
  std::vector<double> baseline;
  std::vector<double> differences;
  for (std::size_t index = 0; index < sequences; ++index) {
    const auto tokens = probe->sequence(index);
    const auto loss = [&](const Edits& edits) {
      const auto run = runner.run(tokens, edits);
      return run ? score_losses(*run, probe->structure(index)).second_half_loss : 0;
    };
    baseline.push_back(loss({}));
    differences.push_back(loss({zero}) - baseline.back());
  }
  EXPECT_TRUE(same(result.baseline, estimate(baseline)));
  std::size_t found = 0;
  for (const HeadAblation& ablation : result.heads) {
    if (ablation.head != HeadPlace{1, 1} || ablation.replacement != Replacement::zero) continue;
    EXPECT_TRUE(same(ablation.rise, estimate(differences)));
    ++found;
  }
  EXPECT_EQ(found, 1U);
}

TEST(Ablations, SayWhatTheySkip) {
  const SmallModel model = shaken_model(small_architecture());
  const Ablations result =
      ablate(model, 1, {.path_heads = 3, .head_heads = 3, .pattern_heads = 3, .norms = 2});
  EXPECT_TRUE(result.paths.empty() && result.logits.empty() && result.heads.empty() &&
              result.patterns.empty());
  EXPECT_EQ(result.values.size(), 1U);  // of all heads together
  EXPECT_EQ(result.norms.size(), 2U);   // of all norms together, frozen and removed
  EXPECT_EQ(result.skipped,
            (std::vector<std::string>{"paths and logits: found 4 heads, allowed at most 3",
                                      "single heads: found 4 heads, allowed at most 3",
                                      "patterns: found 4 heads, allowed at most 3",
                                      "single norms: found 3 norms, allowed at most 2"}));
}

TEST(Ablations, RefuseWhatCannotBeMeasured) {
  const SmallModel model = shaken_model(small_architecture());
  const auto probe = small_probe(data::BlockKind::repeated_blocks);
  const auto longer = small_probe(data::BlockKind::repeated_blocks, 49);
  model::CpuEngine engine(1);
  const Model view{model.program, model.parameters};
  const auto one = ablations({view, *probe, 1, engine});
  ASSERT_FALSE(one);
  EXPECT_EQ(one.error().message, "found 1 sequences to intervene on, allowed at least 2");
  const auto beyond = ablations({view, *longer, 2, engine});
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().message,
            "found sequences of 49 tokens, allowed 2 to 48, the model's context");
}

}  // namespace
}  // namespace lookback::lens
