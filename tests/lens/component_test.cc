#include "lookback/lens/component.h"

#include <gtest/gtest.h>

#include <cmath>

#include "lookback/lens/ablation_edits.h"
#include "lookback/model/architecture_toml.h"
#include "tests/lens/all_wirings.h"
#include "tests/lens/runner.h"

namespace lookback::lens {
namespace {

using Kind = Component::Kind;

std::vector<std::string> names(const std::vector<Component>& components) {
  std::vector<std::string> all;
  all.reserve(components.size());
  for (const Component& component : components) all.push_back(name_of(component));
  return all;
}

double largest(math::Matrix<const float> m) {
  double result = 0;
  for (std::size_t r = 0; r < m.rows; ++r) {
    for (std::size_t c = 0; c < m.cols; ++c) {
      result = std::max(result, std::abs(static_cast<double>(m(r, c))));
    }
  }
  return result;
}

/// Expects that the components sum to the stream. Each number is a sum of the components, and that
/// of a head one of its E products: n additions of terms bounded by `size` are off by at most
/// n epsilon size, on either side.
void expect_sum(const Model& model, const Recording& recording,
                const std::vector<Component>& components, math::Matrix<const float> stream) {
  std::vector<double> sums(stream.rows * stream.cols);
  std::vector<float> memory(stream.rows * stream.cols);
  const math::Matrix<float> value{memory.data(), stream.rows, stream.cols, stream.cols};
  double size = 0;
  for (const Component& component : components) {
    component_value(model, recording, component, value);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += static_cast<double>(memory[i]);
    size += largest(value);
    if (component.kind != Kind::head) continue;
    const auto e = static_cast<double>(model.architecture().d_head);
    size += e * largest(recording.at(z_name(component.layer), component.number)) * 2;  // |W_O| < 2
  }
  const std::size_t terms = components.size() * (1 + model.architecture().d_model);
  const double allowed =
      2 * static_cast<double>(terms) * std::numeric_limits<float>::epsilon() * size;
  for (std::size_t t = 0; t < stream.rows; ++t) {
    for (std::size_t i = 0; i < stream.cols; ++i) {
      ASSERT_NEAR(sums[t * stream.cols + i], static_cast<double>(stream(t, i)), allowed);
    }
  }
}

TEST(Components, SumToWhatEveryHeadAndTheLogitsReadInAllWirings) {
  const std::vector<model::Architecture> wirings = all_wirings();
  ASSERT_GT(wirings.size(), 500U);
  for (const model::Architecture& a : wirings) {
    SCOPED_TRACE(model::to_toml(a));
    const SmallModel small = shaken_model(a);
    const Model model{small.program, small.parameters};
    std::vector<std::string> recorded = component_activations(a);
    const std::string last = "blocks." + std::to_string(a.layers - 1) + ".hook_resid_post";
    recorded.push_back(last);
    for (std::size_t layer = 0; layer < a.layers; ++layer) {
      for (const Input input : {Input::q, Input::k, Input::v}) {
        recorded.push_back(input_name(a, layer, input));
      }
    }
    Runner runner(model, wiring_length);
    Recording recording;
    ASSERT_TRUE(runner.record(random_tokens(7, wiring_length), recorded, recording));
    for (const HeadPlace head : all_heads(a)) {
      for (const Input input : {Input::q, Input::k, Input::v}) {
        expect_sum(model, recording, components_read(a, head),
                   recording.at(input_name(a, head.layer, input), head.head));
      }
    }
    expect_sum(model, recording, components_of_logits(a), recording.at(last));
    if (HasFatalFailure()) return;
  }
}

TEST(Components, OfTwoLayersAreEmbeddingsAndWhatTheFirstWrote) {
  model::Architecture a = small_architecture();
  a.biases = true;
  a.d_mlp = 8;
  EXPECT_EQ(names(components_read(a, {0, 1})), (std::vector<std::string>{"token", "position"}));
  EXPECT_EQ(
      names(components_read(a, {1, 0})),
      (std::vector<std::string>{"token", "position", "head 0.0", "head 0.1", "bias 0.0", "mlp 0"}));
  EXPECT_EQ(components_of_logits(a).size(), 10U);
  EXPECT_FALSE(reads_earlier_parts(a, {0, 1}));
  EXPECT_TRUE(reads_earlier_parts(a, {1, 0}));
  EXPECT_TRUE(reads(a, {1, 0}, {0, 1}));
  EXPECT_FALSE(reads(a, {0, 1}, {0, 0}));
}

TEST(Components, OfALaterStepAreTheNormedBaseAndEarlierSteps) {
  model::Architecture a = small_architecture();
  a.layers = 1;
  a.heads = 1;
  a.steps = 3;
  EXPECT_EQ(names(components_read(a, {0, 2})),
            (std::vector<std::string>{"base 0", "head 0.0", "head 0.1"}));
  a.step_input = model::StepInput::raw;
  EXPECT_EQ(names(components_read(a, {0, 2})),
            (std::vector<std::string>{"token", "position", "head 0.0", "head 0.1"}));
  a.step_input = model::StepInput::normed;
  a.norm = model::NormKind::none;
  EXPECT_EQ(names(components_read(a, {0, 1})),
            (std::vector<std::string>{"token", "position", "head 0.0"}));
}

TEST(Components, OfAHeadAreItsResult) {
  const SmallModel small = shaken_model(small_architecture());
  const Model model{small.program, small.parameters};
  Runner runner(model, 6);
  Recording recording;
  const std::vector<std::string> recorded{"blocks.1.attn.hook_z", "blocks.1.attn.hook_result"};
  ASSERT_TRUE(runner.record(random_tokens(16, 6), recorded, recording));
  std::vector<float> memory(6 * 16);
  component_value(model, recording, {Kind::head, 1, 1}, {memory.data(), 6, 16, 16});
  const auto result = recording.at("blocks.1.attn.hook_result", 1);
  EXPECT_EQ(memory, std::vector<float>(result.data, result.data + memory.size()));
}

}  // namespace
}  // namespace lookback::lens
