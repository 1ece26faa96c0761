// A run in which a tap replaces an activation is still a function of the parameters, and backward
// is its derivative: checked by the complex step of the same function, replacement included.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "tests/model/running.h"

namespace lookback::model::spec {
namespace {

template <class N, class Function>
void for_each_element(Matrix<N> m, Function function) {
  for (std::size_t r = 0; r < m.rows; ++r) {
    for (std::size_t c = 0; c < m.cols; ++c) function(m(r, c));
  }
}

/// Numbers between 1/2 and 3/2 that depend on the place only, so that every number type sees the
/// same constants. (Positive, for they also replace a norm's scale.)
template <class N>
Hook<N> constant() {
  return [](const Tapped& at, Matrix<N> m) {
    base::RandomStream random(3, base::StreamPurpose::test, 100 * at.sequence + at.head);
    for_each_element(m, [&](N& x) { x = static_cast<N>(0.5 + random.uniform()); });
  };
}

/// x -> x + sin(x) / 2, elementwise, and the gradient that belongs to it. It keeps activations of
/// their size and a norm's scale positive.
class Bend {
 public:
  template <class N>
  static Hook<N> forward() {
    return [](const Tapped&, Matrix<N> m) {
      for_each_element(m, [](N& x) { x += 0.5 * std::sin(x); });
    };
  }
  Hook<double> forward_and_keep() {
    return [this](const Tapped& at, Matrix<double> m) {
      Numbers& kept = kept_[{std::string(at.name), at.sequence, at.head}];
      kept.clear();
      for_each_element(m, [&](double& x) {
        kept.push_back(x);
        x += 0.5 * std::sin(x);
      });
    };
  }
  Hook<double> backward() {
    return [this](const Tapped& at, Matrix<double> gradient) {
      auto x = kept_.at({std::string(at.name), at.sequence, at.head}).begin();
      for_each_element(gradient, [&](double& g) { g *= 1 + 0.5 * std::cos(*x++); });
    };
  }

 private:
  std::map<std::tuple<std::string, std::size_t, std::size_t>, Numbers> kept_;
};

/// Columns in reverse order: a permutation, which is its own gradient's as well.
template <class N>
Hook<N> reverse() {
  return [](const Tapped&, Matrix<N> m) {
    for (std::size_t r = 0; r < m.rows; ++r) std::reverse(m.row(r), m.row(r) + m.cols);
  };
}

/// The gradient with `taps` is the derivative of the run with `complex_taps`, along two directions
/// and for a few single parameters.
void expect_derivative(const Ready& ready, const Taps<double>& taps,
                       const Taps<Complex>& complex_taps, std::string_view name) {
  const Numbers gradient = ready.run(&taps).gradient;
  const double allowed = tolerance<double>(ready, &taps).gradient;
  std::vector<Numbers> directions = {random_direction(ready.program, 1),
                                     random_direction(ready.program, 2)};
  base::RandomStream random(1, base::StreamPurpose::test, 0);
  for (int sample = 0; sample < 2; ++sample) {
    const ParameterInfo& info =
        ready.program.parameters[random.below(ready.program.parameters.size())];
    directions.emplace_back(gradient.size())[info.offset + random.below(info.size())] = 1;
  }
  for (const Numbers& direction : directions) {
    EXPECT_NEAR(complex_step(ready, direction, &complex_taps), dot(gradient, direction),
                allowed * norm(direction))
        << name;
  }
}

class Replacing : public ::testing::TestWithParam<Case> {
 protected:
  Ready ready{GetParam()};
};

TEST_P(Replacing, ByAConstantLeavesTheGradientOfTheRest) {
  const Numbers plain = ready.run().logits;
  for (const std::string_view name : activation_names(ready.program)) {
    Taps<double> taps(ready.program);
    Taps<Complex> complex_taps(ready.program);
    EXPECT_TRUE(taps.replace(name, constant<double>()));
    EXPECT_TRUE(complex_taps.replace(name, constant<Complex>()));
    EXPECT_NE(ready.run(&taps).logits, plain) << name;
    expect_derivative(ready, taps, complex_taps, name);
  }
}

TEST_P(Replacing, ByAFunctionOfItselfWithItsGradientIsThatFunctionsDerivative) {
  for (const std::string_view name : activation_names(ready.program)) {
    Bend bend;
    Taps<double> taps(ready.program);
    Taps<Complex> complex_taps(ready.program);
    EXPECT_TRUE(taps.on_forward(name, bend.forward_and_keep()));
    EXPECT_TRUE(taps.on_backward(name, bend.backward()));
    EXPECT_TRUE(complex_taps.on_forward(name, Bend::forward<Complex>()));
    expect_derivative(ready, taps, complex_taps, name);
  }
}

TEST_P(Replacing, OneHeadOnlyLeavesTheOthers) {
  const auto last_head = [&](const Tapped& at) {
    return at.sequence == 0 && at.head + 1 == GetParam().architecture.heads_per_layer();
  };
  for (const std::string_view name : activation_names(ready.program)) {
    const bool has_heads =
        name.find(".attn.") != std::string_view::npos || name.ends_with("_input");
    if (!has_heads) continue;
    Taps<double> taps(ready.program);
    Taps<Complex> complex_taps(ready.program);
    EXPECT_TRUE(taps.on_forward(name, [&](const Tapped& at, Matrix<double> m) {
      if (last_head(at)) constant<double>()(at, m);
    }));
    EXPECT_TRUE(taps.on_backward(name, [&](const Tapped& at, Matrix<double> m) {
      if (last_head(at)) for_each_element(m, [](double& g) { g = 0; });
    }));
    EXPECT_TRUE(complex_taps.on_forward(name, [&](const Tapped& at, Matrix<Complex> m) {
      if (last_head(at)) constant<Complex>()(at, m);
    }));
    expect_derivative(ready, taps, complex_taps, name);
  }
}

TEST_P(Replacing, SeveralActivationsAtOnce) {
  // One of each kind: a stream, a head's input, a pattern that is a function of itself, a scale.
  Bend bend;
  Taps<double> taps(ready.program);
  Taps<Complex> complex_taps(ready.program);
  EXPECT_TRUE(taps.replace("hook_embed", constant<double>()));
  EXPECT_TRUE(complex_taps.replace("hook_embed", constant<Complex>()));
  EXPECT_TRUE(taps.replace("blocks.0.hook_k_input", constant<double>()));
  EXPECT_TRUE(complex_taps.replace("blocks.0.hook_k_input", constant<Complex>()));
  EXPECT_TRUE(taps.on_forward("blocks.0.attn.hook_pattern", bend.forward_and_keep()));
  EXPECT_TRUE(taps.on_backward("blocks.0.attn.hook_pattern", bend.backward()));
  EXPECT_TRUE(complex_taps.on_forward("blocks.0.attn.hook_pattern", Bend::forward<Complex>()));
  if (GetParam().architecture.final_norm != NormKind::none) {
    EXPECT_TRUE(taps.replace("ln_final.hook_scale", constant<double>()));
    EXPECT_TRUE(complex_taps.replace("ln_final.hook_scale", constant<Complex>()));
  }
  expect_derivative(ready, taps, complex_taps, "several");
}

INSTANTIATE_TEST_SUITE_P(Model, Replacing, ::testing::ValuesIn(cases(small_sizes)),
                         [](const auto& instance) { return instance.param.name; });

// --- several hooks on one activation: forward in the order in which they were set, backward in the
// reverse of it, as the chain rule wants. Bending and reversing do not commute, backward.

class SeveralHooks : public ::testing::Test {
 protected:
  void bend_then_reverse(std::string_view first, std::string_view second) {
    EXPECT_TRUE(taps.on_forward(first, bend.forward_and_keep()));
    EXPECT_TRUE(taps.on_backward(first, bend.backward()));
    EXPECT_TRUE(complex_taps.on_forward(first, Bend::forward<Complex>()));
    EXPECT_TRUE(taps.on_forward(second, reverse<double>()));
    EXPECT_TRUE(taps.on_backward(second, reverse<double>()));
    EXPECT_TRUE(complex_taps.on_forward(second, reverse<Complex>()));
    expect_derivative(ready, taps, complex_taps, second);
  }

  Ready ready{two_layer(small_sizes)};
  Bend bend;
  Taps<double> taps{ready.program};
  Taps<Complex> complex_taps{ready.program};
};

TEST_F(SeveralHooks, OnOneName) {
  bend_then_reverse("blocks.0.attn.hook_z", "blocks.0.attn.hook_z");
}

TEST_F(SeveralHooks, OnTheOwnInputOfAHead) {
  bend_then_reverse("blocks.1.hook_v_input", "blocks.1.hook_v_input");
}

TEST_F(SeveralHooks, OnTheResultOfAHead) {
  bend_then_reverse("blocks.1.attn.hook_result", "blocks.1.attn.hook_result");
}

TEST_F(SeveralHooks, OnTwoNamesOfOneActivation) {
  bend_then_reverse("blocks.0.hook_resid_post", "blocks.1.hook_resid_pre");
}

TEST_F(SeveralHooks, AReaderOfTheGradientSeesThatByTheConstantBeforeItIsZeroed) {
  const std::string_view name = "blocks.0.hook_attn_out";
  double size = 0;
  EXPECT_TRUE(taps.replace(name, constant<double>()));
  EXPECT_TRUE(taps.on_backward(name, [&](const Tapped&, Matrix<double> gradient) {
    for_each_element(gradient, [&](double& g) { size += g * g; });
  }));
  ready.run(&taps);
  EXPECT_GT(size, 0);
}

}  // namespace
}  // namespace lookback::model::spec
