// hook_q_input, hook_k_input and hook_v_input are TransformerLens's: each head's own copy of the
// stream BEFORE the norm, which is then taken for that head alone.
#include <gtest/gtest.h>

#include "lookback/model/executor.h"
#include "tests/model/running.h"

namespace lookback::model::spec {
namespace {

constexpr std::size_t length = 7;

Program two_layers(Positions positions) {
  Architecture a;
  a.vocabulary = 11;
  a.context = length;
  a.d_model = 6;
  a.d_head = 4;
  a.layers = 2;
  a.heads = 2;
  a.positions = positions;
  return *compile(a);
}

const std::vector<Token> tokens = {3, 1, 4, 1, 5, 9, 2};

/// The numbers that a hook on `name` is shown, sequence and heads one after another.
Numbers seen_at(const Program& program, const Numbers& parameters, std::string_view name) {
  Numbers seen;
  Taps<double> taps(program);
  EXPECT_TRUE(taps.on_forward(name, [&](const Tapped&, math::Matrix<double> m) {
    for (std::size_t r = 0; r < m.rows; ++r) seen.insert(seen.end(), m.row(r), m.row(r) + m.cols);
  }));
  Executor<double> executor(program, 1, length);
  executor.forward(parameters, tokens, &taps);
  return seen;
}

class SplitInputs : public testing::TestWithParam<Positions> {};

TEST_P(SplitInputs, AreTheStreamBeforeTheNormOnceAHead) {
  const Program program = two_layers(GetParam());
  const Numbers parameters = random_parameters(program);
  const Numbers stream = seen_at(program, parameters, "blocks.1.hook_resid_pre");
  Numbers twice = stream;
  twice.insert(twice.end(), stream.begin(), stream.end());
  for (const char* name :
       {"blocks.1.hook_q_input", "blocks.1.hook_k_input", "blocks.1.hook_v_input"}) {
    EXPECT_EQ(seen_at(program, parameters, name), twice) << name;
  }
}

TEST_P(SplitInputs, AreNormedAfterTheTap) {
  // A LayerNorm does not see a factor of its input (its epsilon is far below these variances), nor
  // a constant added to all of it: keys from 1000 times the stream plus 5 are the same keys.
  const Program program = two_layers(GetParam());
  const Numbers parameters = random_parameters(program);
  const Numbers keys = seen_at(program, parameters, "blocks.1.attn.hook_k");
  Numbers changed;
  Taps<double> taps(program);
  EXPECT_TRUE(taps.on_forward("blocks.1.hook_k_input", [](const Tapped&, math::Matrix<double> m) {
    for (std::size_t i = 0; i < m.rows * m.cols; ++i) m.data[i] = 1000 * m.data[i] + 5;
  }));
  EXPECT_TRUE(taps.on_forward("blocks.1.attn.hook_k", [&](const Tapped&, math::Matrix<double> m) {
    for (std::size_t r = 0; r < m.rows; ++r) {
      changed.insert(changed.end(), m.row(r), m.row(r) + m.cols);
    }
  }));
  Executor<double> executor(program, 1, length);
  executor.forward(parameters, tokens, &taps);
  ASSERT_EQ(changed.size(), keys.size());
  // Epsilon changes a norm by the factor 1 - epsilon / (2 variance): at most 50 epsilon for variances
  // above 0.01, and keys stay below 2.
  for (std::size_t i = 0; i < keys.size(); ++i)
    EXPECT_NEAR(changed[i], keys[i], 100 * norm_epsilon);
}

INSTANTIATE_TEST_SUITE_P(Positions, SplitInputs,
                         testing::Values(Positions::learned, Positions::shortformer,
                                         Positions::rotary, Positions::none));

}  // namespace
}  // namespace lookback::model::spec
