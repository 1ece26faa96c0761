// The names of activations, and what a hook on each of them is given.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "tests/model/running.h"

namespace lookback::model::spec {
namespace {

using Names = std::vector<std::string_view>;

// --- the names, which are TransformerLens's

TEST(ActivationNames, OfTwoLayersWithMlpAreTransformerLensesInTheOrderOfTheForwardPass) {
  Architecture a = two_layer(small_sizes);
  a.d_mlp = 10;
  const Program program = compiled(a);
  EXPECT_EQ(activation_names(program), (Names{
                                           "hook_embed",
                                           "hook_pos_embed",
                                           "blocks.0.hook_resid_pre",
                                           "blocks.0.ln1.hook_scale",
                                           "blocks.0.ln1.hook_normalized",
                                           "blocks.0.hook_q_input",
                                           "blocks.0.attn.hook_q",
                                           "blocks.0.hook_k_input",
                                           "blocks.0.attn.hook_k",
                                           "blocks.0.hook_v_input",
                                           "blocks.0.attn.hook_v",
                                           "blocks.0.attn.hook_attn_scores",
                                           "blocks.0.attn.hook_pattern",
                                           "blocks.0.attn.hook_z",
                                           "blocks.0.attn.hook_result",
                                           "blocks.0.hook_attn_out",
                                           "blocks.0.hook_resid_mid",
                                           "blocks.0.ln2.hook_scale",
                                           "blocks.0.ln2.hook_normalized",
                                           "blocks.0.mlp.hook_pre",
                                           "blocks.0.mlp.hook_post",
                                           "blocks.0.hook_mlp_out",
                                           "blocks.0.hook_resid_post",
                                           "blocks.1.hook_resid_pre",
                                           "blocks.1.ln1.hook_scale",
                                           "blocks.1.ln1.hook_normalized",
                                           "blocks.1.hook_q_input",
                                           "blocks.1.attn.hook_q",
                                           "blocks.1.hook_k_input",
                                           "blocks.1.attn.hook_k",
                                           "blocks.1.hook_v_input",
                                           "blocks.1.attn.hook_v",
                                           "blocks.1.attn.hook_attn_scores",
                                           "blocks.1.attn.hook_pattern",
                                           "blocks.1.attn.hook_z",
                                           "blocks.1.attn.hook_result",
                                           "blocks.1.hook_attn_out",
                                           "blocks.1.hook_resid_mid",
                                           "blocks.1.ln2.hook_scale",
                                           "blocks.1.ln2.hook_normalized",
                                           "blocks.1.mlp.hook_pre",
                                           "blocks.1.mlp.hook_post",
                                           "blocks.1.hook_mlp_out",
                                           "blocks.1.hook_resid_post",
                                           "ln_final.hook_scale",
                                           "ln_final.hook_normalized",
                                           "logits",
                                       }));
}

/// Names that `changed` has and `plain` has not.
Names added(const Program& plain, const Program& changed) {
  const Names before = activation_names(plain);
  Names names;
  for (const std::string_view name : activation_names(changed)) {
    if (std::ranges::find(before, name) == before.end()) names.push_back(name);
  }
  return names;
}

TEST(ActivationNames, OfSequentialStepsAddWhatEachReadsAndWrites) {
  Architecture a = sequential(small_sizes);
  Architecture one_step = a;
  one_step.steps = 1;
  const Program plain = compiled(one_step);
  EXPECT_EQ(added(plain, compiled(a)),
            (Names{"blocks.0.steps.0.hook_attn_out", "blocks.0.steps.1.hook_resid_pre",
                   "blocks.0.steps.1.hook_attn_out"}));
  a.norm_between = NormKind::layernorm;
  EXPECT_EQ(added(plain, compiled(a)),
            (Names{"blocks.0.steps.0.hook_attn_out", "blocks.0.steps.1.hook_resid_pre",
                   "blocks.0.steps.1.ln.hook_scale", "blocks.0.steps.1.ln.hook_normalized",
                   "blocks.0.steps.1.hook_attn_out"}));
}

TEST(ActivationNames, OfOptionsAppearWithThem) {
  Architecture a = parallel(small_sizes);
  a.d_head = 6;
  const Program plain = compiled(a);
  Architecture rotary = a;
  rotary.positions = Positions::rotary;
  EXPECT_EQ(added(plain, compiled(rotary)),
            (Names{"blocks.0.attn.hook_rot_q", "blocks.0.attn.hook_rot_k"}));
  Architecture smeared = a;
  smeared.smeared_keys = true;
  EXPECT_EQ(added(plain, compiled(smeared)), (Names{"blocks.0.attn.hook_smeared_k"}));
  Architecture without_ov = a;
  without_ov.no_ov = true;
  EXPECT_EQ(added(compiled(without_ov), plain),
            (Names{"blocks.0.hook_v_input", "blocks.0.attn.hook_v", "blocks.0.attn.hook_result"}));
}

TEST(Taps, RefuseAnUnknownNameWithTheNearest) {
  const Program program = compiled(two_layer(small_sizes));
  Taps<double> taps(program);
  const Hook<double> nothing = [](const Tapped&, Matrix<double>) {};
  const std::string message =
      "no activation is named 'blocks.0.attn.hook_patern'; the nearest is "
      "'blocks.0.attn.hook_pattern'";
  for (const Status& status : {taps.on_forward("blocks.0.attn.hook_patern", nothing),
                               taps.on_backward("blocks.0.attn.hook_patern", nothing),
                               taps.replace("blocks.0.attn.hook_patern", nothing)}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message, message);
  }
  const Status far = taps.on_forward("something else entirely", nothing);
  ASSERT_FALSE(far);
  EXPECT_EQ(far.error().message, "no activation is named 'something else entirely'");
  EXPECT_FALSE(taps.on_forward("", nothing));
}

// --- visits

struct Shape {
  std::size_t matrices, rows, cols;  // matrices: how many a sequence
  bool operator==(const Shape&) const = default;
};

bool ends_with_any(std::string_view name, std::initializer_list<const char*> ends) {
  return std::ranges::any_of(ends, [&](const char* end) { return name.ends_with(end); });
}

/// As documented at Hook, from the name alone.
Shape expected_shape(std::string_view name, const Architecture& a, std::size_t T) {
  const std::size_t heads = a.heads * a.steps;
  if (ends_with_any(name,
                    {".hook_q", ".hook_k", ".hook_v", ".hook_z", "rot_q", "rot_k", "smeared_k"})) {
    return {heads, T, a.d_head};
  }
  if (ends_with_any(name, {"q_input", "k_input", "v_input", "result"})) {
    return {heads, T, a.d_model};
  }
  if (ends_with_any(name, {"attn_scores", "pattern"})) return {heads, T, T};
  if (name.ends_with("scale")) return {1, T, 1};
  if (ends_with_any(name, {"mlp.hook_pre", "mlp.hook_post"})) return {1, T, a.d_mlp};
  if (name == "logits") return {1, T, a.vocabulary};
  return {1, T, a.d_model};
}

/// How often each (name, sequence, head) was visited; and that each visit had the right shape.
using Visits = std::map<std::tuple<std::string, std::size_t, std::size_t>, int>;

class Visited : public ::testing::TestWithParam<Case> {
 protected:
  Hook<double> counting(Visits& visits) {
    return [this, &visits](const Tapped& at, Matrix<double> seen) {
      ++visits[{std::string(at.name), at.sequence, at.head}];
      const Shape shape = expected_shape(at.name, ready.program.architecture, ready.length);
      EXPECT_EQ((Shape{shape.matrices, seen.rows, seen.cols}), shape) << at.name;
    };
  }

  Visits once_each() const {
    Visits visits;
    for (const std::string_view name : activation_names(ready.program)) {
      const Shape shape = expected_shape(name, ready.program.architecture, ready.length);
      for (std::size_t b = 0; b < ready.batch; ++b) {
        for (std::size_t h = 0; h < shape.matrices; ++h) visits[{std::string(name), b, h}] = 1;
      }
    }
    return visits;
  }

  Ready ready{GetParam()};
};

TEST_P(Visited, EveryNameOnceForEachSequenceAndHeadInItsShape) {
  Visits forward, backward;
  Taps<double> taps(ready.program);
  for (const std::string_view name : activation_names(ready.program)) {
    EXPECT_TRUE(taps.on_forward(name, counting(forward)));
    EXPECT_TRUE(taps.on_backward(name, counting(backward)));
  }
  ready.run(&taps);
  EXPECT_EQ(forward, once_each());
  EXPECT_EQ(backward, once_each());
}

TEST_P(Visited, HooksOfOneDirectionOnly) {
  for (const std::string_view name : activation_names(ready.program)) {
    Visits forward, backward;
    Taps<double> only_forward(ready.program), only_backward(ready.program);
    EXPECT_TRUE(only_forward.on_forward(name, counting(forward)));
    EXPECT_TRUE(only_backward.on_backward(name, counting(backward)));
    ready.run(&only_forward);
    ready.run(&only_backward);
    EXPECT_FALSE(forward.empty()) << name;
    EXPECT_EQ(forward, backward) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Model, Visited, ::testing::ValuesIn(cases(small_sizes)),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace lookback::model::spec
