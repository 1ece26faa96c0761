#include "lookback/lens/circuit_notes.h"

#include <gtest/gtest.h>

#include "tests/lens/wirings.h"

namespace lookback::lens {
namespace {

using Notes = std::vector<CircuitNote>;

Notes notes_of(const model::Architecture& architecture, const CircuitId& id) {
  const SmallModel model = random_model(architecture);
  const auto maker = CircuitMaker::make(model.program, model.parameters);
  EXPECT_TRUE(maker);
  return maker->factors(id).notes;
}

TEST(CircuitNotes, NameEveryNormOnThePathOnce) {
  const Notes notes = notes_of(wirings()[3].architecture,  // normed, LayerNorm between
                               {CircuitKind::k_composition, {0, 2}, HeadPlace{0, 1}});
  EXPECT_EQ(notes, (Notes{{Treatment::folded, "blocks.0.ln1: gain and centering"},
                          {Treatment::frozen, "blocks.0.ln1: scale"},
                          {Treatment::ignored, "blocks.0.ln1: bias"},
                          {Treatment::folded, "blocks.0.steps.1.ln: gain and centering"},
                          {Treatment::frozen, "blocks.0.steps.1.ln: scale"},
                          {Treatment::ignored, "blocks.0.steps.1.ln: bias"},
                          {Treatment::frozen, "pattern of head 0.1: all on one source"},
                          {Treatment::ignored, "pos_embed.W_pos"}}));
}

TEST(CircuitNotes, AnRmsnormHasNeitherCentringNorBias) {
  model::Architecture a = wirings()[0].architecture;
  a.norm = a.final_norm = model::NormKind::rmsnorm;
  a.positions = model::Positions::none;
  EXPECT_EQ(notes_of(a, {CircuitKind::ov, {0, 0}, {}}),
            (Notes{{Treatment::folded, "blocks.0.ln1: gain"},
                   {Treatment::frozen, "blocks.0.ln1: scale"},
                   {Treatment::folded, "ln_final: gain"},
                   {Treatment::frozen, "ln_final: scale"}}));
}

TEST(CircuitNotes, NameMlpsBiasesRotationAndSmearWhereTheyStand) {
  model::Architecture a = wirings()[0].architecture;
  a.layers = 2;
  a.d_mlp = 3;
  a.biases = a.smeared_keys = true;
  a.norm = a.final_norm = model::NormKind::none;
  a.positions = model::Positions::rotary;
  EXPECT_EQ(notes_of(a, {CircuitKind::ov, {1, 0}, {}}),
            (Notes{{Treatment::ignored, "blocks.1.attn.b_V, blocks.1.attn.b_O"},
                   {Treatment::ignored, "paths through MLPs"}}));
  const Notes scores = {
      {Treatment::frozen, "rotation of queries and keys: as at offset 0"},
      {Treatment::ignored, "blocks.0.attn.b_Q, blocks.0.attn.b_K"},
      {Treatment::folded, "smeared keys: times s, the share of the key's own token"}};
  EXPECT_EQ(notes_of(a, {CircuitKind::qk, {0, 0}, {}}), scores);  // no MLP before the first layer
}

TEST(CircuitNotes, SayWhatAHeadWithoutOvWrites) {
  model::Architecture a = wirings()[0].architecture;
  a.no_ov = a.smeared_keys = true;
  a.d_head = 6;
  a.norm = a.final_norm = model::NormKind::none;
  a.positions = model::Positions::rotary;
  a.no_ov_value = model::NoOvValue::after_rotation;
  EXPECT_EQ(notes_of(a, {CircuitKind::ov, {0, 0}, {}}),
            (Notes{{Treatment::folded, "no OV: W_V is W_K, W_O the head's rows of the identity"},
                   {Treatment::folded, "smeared values: times s, the share of the own token"},
                   {Treatment::frozen, "rotation of values: as at position 0"}}));
}

}  // namespace
}  // namespace lookback::lens
