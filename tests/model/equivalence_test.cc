// Different ways to say or to run the same model give the same: bit for bit where the same numbers
// meet in the same order, to rounding elsewhere.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/model/running.h"

namespace lookback::model::spec {
namespace {

std::span<double> tensor(const Program& program, Numbers& buffer, const std::string& name) {
  const ParameterInfo* info = program.find_parameter(name);
  if (info == nullptr) {
    ADD_FAILURE() << "no parameter " << name;
    return {};
  }
  return std::span(buffer).subspan(info->offset, info->size());
}

// --- one model, two descriptions

/// The name that a tensor of the two-layer model has in the sequential one.
std::string in_sequential(const std::string& name) {
  for (const char* layer : {"0", "1"}) {
    const std::string attention = std::string("blocks.") + layer + ".attn.";
    if (name.starts_with(attention)) {
      return std::string("blocks.0.steps.") + layer + ".attn." + name.substr(attention.size());
    }
  }
  if (name.starts_with("blocks.1.ln1.")) return "blocks.0.steps.1.ln." + name.substr(13);
  return name;
}

TEST(Equivalence, SequentialHeadsThatReadTheRawStreamThroughANormAreTwoLayers) {
  const Ready layers(two_layer(small_sizes));
  Architecture a = sequential(small_sizes);
  a.step_input = StepInput::raw;
  a.norm_between = NormKind::layernorm;
  Ready steps(a);
  ASSERT_EQ(steps.program.parameters.size(), layers.program.parameters.size());
  Numbers parameters = layers.parameters;
  for (const ParameterInfo& info : layers.program.parameters) {
    std::ranges::copy(tensor(layers.program, parameters, info.name),
                      tensor(steps.program, steps.parameters, in_sequential(info.name)).begin());
  }

  Outcome<double> one = layers.run();
  Outcome<double> other = steps.run();
  const Tolerance allowed = tolerance<double>(layers);
  EXPECT_LE(norm(difference(one.logits, other.logits)), allowed.logits);
  for (const ParameterInfo& info : layers.program.parameters) {
    EXPECT_LE(norm(difference(tensor(layers.program, one.gradient, info.name),
                              tensor(steps.program, other.gradient, in_sequential(info.name)))),
              allowed.gradient)
        << info.name;
  }
}

TEST(Equivalence, SharedWeightsHaveTheSumOfTheStepsGradients) {
  Architecture a = sequential(small_sizes);
  a.heads = 2;
  a.steps = 3;
  a.biases = true;
  a.smeared_keys = true;
  a.norm_between = NormKind::rmsnorm;
  Ready own(a);
  a.shared_weights = true;
  Ready shared(a);
  for (const ParameterInfo& info : shared.program.parameters) {
    const auto from = tensor(shared.program, shared.parameters, info.name);
    const std::string attention = "blocks.0.attn.";
    if (!info.name.starts_with(attention)) {
      std::ranges::copy(from, tensor(own.program, own.parameters, info.name).begin());
      continue;
    }
    for (const char* step : {"0", "1", "2"}) {
      const std::string name =
          std::string("blocks.0.steps.") + step + ".attn." + info.name.substr(attention.size());
      std::ranges::copy(from, tensor(own.program, own.parameters, name).begin());
    }
  }

  Outcome<double> one = shared.run();
  Outcome<double> three = own.run();
  EXPECT_EQ(one.losses, three.losses) << "the same numbers in the same order";
  for (const char* weight : {"W_Q", "b_Q", "W_K", "smear", "W_V", "b_V", "W_O", "b_O"}) {
    Numbers sum;
    for (const char* step : {"0", "1", "2"}) {
      const auto part = tensor(own.program, three.gradient,
                               std::string("blocks.0.steps.") + step + ".attn." + weight);
      sum.resize(part.size());
      for (std::size_t i = 0; i < part.size(); ++i) sum[i] += part[i];
    }
    const auto together =
        tensor(shared.program, one.gradient, std::string("blocks.0.attn.") + weight);
    EXPECT_LE(norm(difference(together, sum)), tolerance<double>(own).gradient) << weight;
  }
}

// --- one program, two runs; in double and in the float of the vector kernels

class SameModel : public ::testing::TestWithParam<Case> {
 protected:
  template <class N>
  Outcome<N> run(std::size_t batch, std::size_t length, const std::vector<Token>& tokens) {
    return spec::run<N>(ready.program, batch, length, as<N>(ready.parameters), tokens);
  }

  /// Rows `first` to `last` of logits.
  template <class N>
  std::vector<N> rows(const Outcome<N>& outcome, std::size_t first, std::size_t last) {
    const std::size_t width = ready.program.architecture.vocabulary;
    return {outcome.logits.begin() + static_cast<std::ptrdiff_t>(first * width),
            outcome.logits.begin() + static_cast<std::ptrdiff_t>(last * width)};
  }

  template <class N>
  void expect_no_look_ahead() {
    const std::size_t changed = ready.length / 2;
    std::vector<Token> tokens = ready.tokens;
    tokens[changed] =
        static_cast<Token>((tokens[changed] + 1) % GetParam().architecture.vocabulary);
    const Outcome<N> before = ready.run<N>();
    const Outcome<N> after = run<N>(ready.batch, ready.length, tokens);
    EXPECT_EQ(rows(before, 0, changed), rows(after, 0, changed));
    EXPECT_NE(rows(before, changed, changed + 1), rows(after, changed, changed + 1));
    EXPECT_NE(rows(before, changed + 1, ready.length), rows(after, changed + 1, ready.length))
        << "later positions look back";
    EXPECT_EQ(rows(before, ready.length, ready.batch * ready.length),
              rows(after, ready.length, ready.batch * ready.length))
        << "other sequences do not look at this one";
  }

  template <class N>
  void expect_batch_is_its_sequences() {
    const std::size_t length = ready.length;
    const std::vector<Token> tokens = random_tokens(GetParam().architecture.vocabulary, 2 * length);
    const auto half = tokens.begin() + static_cast<std::ptrdiff_t>(length);
    const Outcome<N> both = run<N>(2, length, tokens);
    const Outcome<N> first = run<N>(1, length, {tokens.begin(), half});
    const Outcome<N> second = run<N>(1, length, {half, tokens.end()});
    EXPECT_EQ(rows(both, 0, length), first.logits);
    EXPECT_EQ(rows(both, length, 2 * length), second.logits);
    std::vector<N> losses = first.losses;
    losses.insert(losses.end(), second.losses.begin(), second.losses.end());
    EXPECT_EQ(both.losses, losses);
    // A weight's gradient sums over all rows of the batch at once: in another order.
    Numbers sum = as<double>(first.gradient);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += static_cast<double>(second.gradient[i]);
    Ready batch_of_two = ready;
    batch_of_two.batch = 2;
    batch_of_two.tokens = tokens;
    EXPECT_LE(norm(difference(as<double>(both.gradient), sum)),
              2 * tolerance<N>(batch_of_two).gradient);
  }

  template <class N>
  void expect_prefix_is_the_shorter_run() {
    const std::size_t length = ready.length / 2 + 1;
    const Outcome<N> whole = ready.run<N>();
    const Outcome<N> prefix =
        run<N>(1, length,
               {ready.tokens.begin(), ready.tokens.begin() + static_cast<std::ptrdiff_t>(length)});
    EXPECT_EQ(rows(whole, 0, length), prefix.logits);
    EXPECT_TRUE(std::ranges::equal(prefix.losses, std::span(whole.losses).first(length - 1)));
  }

  /// Memory that earlier runs left behind is never read.
  template <class N>
  void expect_executors_can_be_used_again() {
    const std::vector<N> parameters = as<N>(ready.parameters);
    const std::vector<Token> other =
        random_tokens(GetParam().architecture.vocabulary, ready.tokens.size(), 2);
    Executor<N> executor(ready.program, ready.batch, ready.length);
    std::vector<N> gradient(parameters.size());
    executor.forward(parameters, other);
    executor.backward(N(1), gradient);
    std::ranges::fill(gradient, N(0));
    executor.forward(parameters, ready.tokens);
    const auto losses = executor.backward(static_cast<N>(loss_weight), gradient);
    const Outcome<N> fresh = ready.run<N>();
    EXPECT_TRUE(std::ranges::equal(losses, fresh.losses));
    EXPECT_EQ(gradient, fresh.gradient);
  }

  Ready ready{GetParam()};
};

TEST_P(SameModel, ALaterTokenLeavesEarlierLogitsBitForBit) {
  expect_no_look_ahead<double>();
  expect_no_look_ahead<float>();
}

TEST_P(SameModel, ABatchOfTwoIsTwoBatchesOfOne) {
  expect_batch_is_its_sequences<double>();
  expect_batch_is_its_sequences<float>();
}

TEST_P(SameModel, AShorterRunIsThePrefixOfALongerOne) {
  expect_prefix_is_the_shorter_run<double>();
  expect_prefix_is_the_shorter_run<float>();
}

TEST_P(SameModel, AnExecutorThatRanBeforeGivesTheBitsOfANewOne) {
  expect_executors_can_be_used_again<double>();
  expect_executors_can_be_used_again<float>();
}

INSTANTIATE_TEST_SUITE_P(Model, SameModel, ::testing::ValuesIn(cases(odd_sizes)),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace lookback::model::spec
