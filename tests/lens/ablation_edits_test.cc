#include "lookback/lens/ablation_edits.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/lens/all_wirings.h"
#include "tests/lens/runner.h"

namespace lookback::lens {
namespace {

TEST(AblationEdits, OfAllPathsFromAHeadAreTheAblationOfTheHead) {
  // No rounding may stand between the two: before the norm of the second layer all numbers are
  // multiples of 1/64 below 2^10, for the first head is given an ideal pattern and reads no norm.
  model::Architecture a = one_head_a_layer();
  a.layers_without_norm = {0};
  SmallModel small = shaken_model(a);
  base::RandomStream random(1, base::StreamPurpose::test, 5);
  for (const char* name :
       {"embed.W_E", "pos_embed.W_pos", "blocks.0.attn.W_V", "blocks.0.attn.W_O"}) {
    for (float& x : small.parameter(name)) x = static_cast<float>(random.below(9)) / 4 - 1;
  }
  const Model model{small.program, small.parameters};
  const auto tokens = random_tokens(16, 48);
  std::vector<float> memory(48 * 48);
  const math::Matrix<float> pattern{memory.data(), 48, 48, 48};
  data::ideal_pattern(data::IdealPattern::previous_token, tokens, pattern);
  Edit ideal;
  ideal.activation = "blocks.0.attn.hook_pattern";
  ideal.value = pattern;

  Runner runner(model, 48);
  Recording own;
  ASSERT_TRUE(runner.record(tokens, component_activations(a), own, {ideal}));
  Context context(model, tokens, own, own, own);
  const Component head{Component::Kind::head, 0, 0};
  Edits paths{ideal};
  for (const Input input : {Input::q, Input::k, Input::v}) {
    for (const Edit& edit : edits_of(PathAblation{head, {1, 0}, input}, context)) {
      paths.push_back(edit);
    }
  }
  for (const Edit& edit : edits_of(LogitsAblation{head}, context)) paths.push_back(edit);
  Edits whole{ideal};
  for (const Edit& edit : edits_of(HeadAblation{{0, 0}}, context)) whole.push_back(edit);

  const std::vector<std::string> names{"blocks.1.attn.hook_z", "blocks.1.hook_resid_post"};
  Recording by_paths;
  Recording by_head;
  Recording unablated;
  ASSERT_TRUE(runner.record(tokens, names, by_paths, paths));
  ASSERT_TRUE(runner.record(tokens, names, by_head, whole));
  ASSERT_TRUE(runner.record(tokens, names, unablated, {ideal}));
  const auto part = context.change(head, Replacement::zero);
  bool changed = false;
  for (std::size_t t = 0; t < 48; ++t) {
    for (std::size_t i = 0; i < 8; ++i) {
      EXPECT_EQ(by_paths.at(names[0])(t, i), by_head.at(names[0])(t, i));
      changed |= by_paths.at(names[0])(t, i) != unablated.at(names[0])(t, i);
    }
    for (std::size_t i = 0; i < 16; ++i) {
      // The last stream was rounded with the head's part in it, and once more without.
      const float with_it = by_head.at(names[1])(t, i) - part(t, i);
      const float size = std::abs(with_it) + std::abs(by_head.at(names[1])(t, i));
      EXPECT_NEAR(by_paths.at(names[1])(t, i), by_head.at(names[1])(t, i),
                  std::numeric_limits<float>::epsilon() * size);
    }
  }
  EXPECT_TRUE(changed);
}

TEST(AblationEdits, OfTheOnlySequenceThatIsThereTwiceFindNothingToResample) {
  // Two sequences, the second a copy of the first: its mean and its neighbor are itself.
  const SmallModel small = shaken_model(one_head_a_layer());
  const Model model{small.program, small.parameters};
  const auto tokens = random_tokens(16, 12);
  Runner runner(model, 12);
  Recording own;
  ASSERT_TRUE(runner.record(tokens, ablation_activations(small.program.architecture, true), own));
  Context context(model, tokens, own, own, own);
  for (const HeadPlace head : {HeadPlace{0, 0}, HeadPlace{1, 0}}) {
    const auto unedited = runner.run(tokens);
    ASSERT_TRUE(unedited);
    const std::vector<float> losses(unedited->begin(), unedited->end());
    for (const Edits& edits : {edits_of(HeadAblation{head, Replacement::resample}, context),
                               edits_of(PatternAblation{head, Replacement::resample}, context)}) {
      const auto run = runner.run(tokens, edits);
      ASSERT_TRUE(run);
      EXPECT_EQ(std::vector<float>(run->begin(), run->end()), losses);
    }
  }
}

TEST(ValueAblations, MixTheMeanOfTheValues) {
  const SmallModel small = shaken_model(small_architecture());
  const Model model{small.program, small.parameters};
  const auto tokens = random_tokens(16, 20);
  const std::vector<std::string> names{"blocks.0.attn.hook_z"};
  Runner runner(model, 20);
  Recording by_v;
  Edit mean_value;  // by the value itself, from the same numbers under another name
  Recording plain;
  const std::vector<std::string> values{"blocks.0.attn.hook_v"};
  ASSERT_TRUE(runner.record(tokens, values, plain));
  const auto v = plain.at(values[0], 1);
  std::vector<float> mean(8);
  double size = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    double sum = 0;
    for (std::size_t t = 0; t < 20; ++t) sum += static_cast<double>(v(t, i));
    mean[i] = static_cast<float>(sum / 20);
    size = std::max(size, std::abs(sum / 20));
  }
  mean_value.activation = values[0];
  mean_value.head = 1;
  mean_value.value = {mean.data(), 1, 8, 8};
  ASSERT_TRUE(runner.record(tokens, names, by_v, {mean_value}));
  Recording by_z;
  const Recording none;
  Context context(model, tokens, none, none, none);
  const Edits edits = edits_of(ValueAblation{HeadPlace{0, 1}}, context);
  ASSERT_TRUE(runner.record(tokens, names, by_z, edits));
  // sum_s A[t,s] v = v but for the rounding of 20 weights, products and sums.
  const double allowed = 3 * 20 * std::numeric_limits<float>::epsilon() * size;
  for (std::size_t t = 0; t < 20; ++t) {
    for (std::size_t i = 0; i < 8; ++i) {
      EXPECT_EQ(by_z.at(names[0], 1)(t, i), mean[i]);
      EXPECT_NEAR(by_v.at(names[0], 1)(t, i), mean[i], allowed);
    }
  }
}

TEST(ValueAblations, WithoutOVLeaveTheKeysAlone) {
  model::Architecture a = small_architecture();
  a.no_ov = true;
  for (const bool rotary : {false, true}) {
    a.positions = rotary ? model::Positions::rotary : model::Positions::learned;
    const SmallModel small = shaken_model(a);
    const Model model{small.program, small.parameters};
    const auto tokens = random_tokens(16, 20);
    const std::vector<std::string> names{"blocks.0.attn.hook_pattern", "blocks.0.attn.hook_z"};
    Runner runner(model, 20);
    Recording plain;
    Recording ablated;
    const Recording none;
    Context context(model, tokens, none, none, none);
    ASSERT_TRUE(runner.record(tokens, names, plain));
    const Edits edits = edits_of(ValueAblation{HeadPlace{0, 1}}, context);
    ASSERT_TRUE(runner.record(tokens, names, ablated, edits));
    for (std::size_t t = 0; t < 20; ++t) {
      for (std::size_t s = 0; s < 20; ++s) {
        EXPECT_EQ(ablated.at(names[0], 1)(t, s), plain.at(names[0], 1)(t, s));
      }
      EXPECT_EQ(ablated.at(names[1], 1)(t, 0), ablated.at(names[1], 1)(0, 0));
    }
  }
}

TEST(NormAblations, ThatRemoveEveryNormGiveTheModelWithoutNorms) {
  model::Architecture a = small_architecture();
  a.d_mlp = 8;
  a.steps = 2;
  a.norm_between = model::NormKind::rmsnorm;
  const SmallModel normed = shaken_model(a);
  a.norm = a.norm_between = a.mlp_norm = a.final_norm = model::NormKind::none;
  SmallModel plain = make_model(a);
  for (const model::ParameterInfo& info : plain.program.parameters) {
    const model::ParameterInfo* same_name = normed.program.find_parameter(info.name);
    ASSERT_NE(same_name, nullptr) << info.name;
    std::copy_n(normed.parameters.begin() + static_cast<std::ptrdiff_t>(same_name->offset),
                info.size(), plain.parameter(info.name).begin());
  }
  EXPECT_EQ(all_norms(normed.program.architecture).size(), 7U);
  const auto tokens = random_tokens(16, 48);
  const Recording none;
  const Model model{normed.program, normed.parameters};
  Context context(model, tokens, none, none, none);
  const Edits edits = edits_of(NormAblation{std::nullopt, NormAblation::Change::removed}, context);
  Runner runner(model, 48);
  Runner without({plain.program, plain.parameters}, 48);
  const auto removed = runner.run(tokens, edits);
  const auto expected = without.run(tokens);
  ASSERT_TRUE(removed && expected);
  EXPECT_EQ(std::vector<float>(removed->begin(), removed->end()),
            std::vector<float>(expected->begin(), expected->end()));
}

TEST(PathAblations, OfShortformersPositionsGiveTheQueryOfAModelWithoutThem) {
  model::Architecture a = one_head_a_layer();
  a.positions = model::Positions::shortformer;
  SmallModel small = shaken_model(a);
  const auto tokens = random_tokens(16, 20);
  const std::vector<std::string> names{"blocks.1.attn.hook_q"};
  Recording own;
  Recording ablated;
  Recording expected;
  const Model model{small.program, small.parameters};
  {
    Runner runner(model, 20);
    ASSERT_TRUE(runner.record(tokens, component_activations(a), own));
    Context context(model, tokens, own, own, own);
    const PathAblation path{{Component::Kind::position, 0, 0}, {1, 0}, Input::q};
    ASSERT_TRUE(runner.record(tokens, names, ablated, edits_of(path, context)));
  }
  Edit no_positions;  // the first layer keeps them
  const std::vector<std::string> normed{"blocks.1.ln1.hook_normalized"};
  Recording input;
  Runner runner(model, 20);
  ASSERT_TRUE(runner.record(tokens, normed, input));
  const auto w_q = head_weight(model, {1, 0}, 'Q');
  const auto n = input.at(normed[0]);
  for (std::size_t t = 0; t < 20; ++t) {
    for (std::size_t i = 0; i < 8; ++i) {
      double sum = 0;
      double size = 0;
      for (std::size_t j = 0; j < 16; ++j) {
        sum += static_cast<double>(n(t, j)) * static_cast<double>(w_q(j, i));
        const double position = static_cast<double>(own.at("hook_pos_embed")(t, j));
        size += (std::abs(static_cast<double>(n(t, j))) + 2 * std::abs(position)) *
                std::abs(static_cast<double>(w_q(j, i)));
      }
      // Two sums of 16 products, and their difference.
      EXPECT_NEAR(ablated.at(names[0])(t, i), sum,
                  20 * std::numeric_limits<float>::epsilon() * size);
    }
  }
}

}  // namespace
}  // namespace lookback::lens
