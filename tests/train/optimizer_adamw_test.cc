// The update against AdamW as it stands in the paper, in double precision: Loshchilov and Hutter,
// "Decoupled weight decay regularization" (2019), algorithm 2, with the schedule in the rate.
#include "lookback/train/optimizer_adamw.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/train/steps.h"

namespace lookback::train {
namespace {

using spec::small_program;
using spec::u;

/// The numbers of a configuration, for the formulas.
struct Constants {
  double beta1 = 0.9, beta2 = 0.95, epsilon = 1e-6, weight_decay = 0.1;
  bool decay_all = false;

  OptimizerConfig config() const {
    OptimizerConfig config("adamw");
    config.values = {{"beta1", beta1},
                     {"beta2", beta2},
                     {"epsilon", epsilon},
                     {"weight_decay", weight_decay},
                     {"decay_all", decay_all}};
    return config;
  }
};

/// One number of the state and what a step makes of it.
struct Number {
  double p = 0, m = 0, v = 0;
};

/// How a step may be wrong; the last two for showing that the bounds would tell.
enum class Textbook { adamw, l2_in_the_gradient, no_bias_correction };

Number step(const Constants& c, Textbook kind, Number old, double g, double rate, double decay,
            std::uint64_t count) {
  if (kind == Textbook::l2_in_the_gradient) g += decay * old.p;
  const double m = c.beta1 * old.m + (1 - c.beta1) * g;
  const double v = c.beta2 * old.v + (1 - c.beta2) * g * g;
  const bool corrected = kind != Textbook::no_bias_correction;
  const double m_hat = corrected ? m / (1 - std::pow(c.beta1, count)) : m;
  const double v_hat = corrected ? v / (1 - std::pow(c.beta2, count)) : v;
  const double decoupled = kind == Textbook::l2_in_the_gradient ? 0 : decay * old.p;
  return {old.p - rate * (m_hat / (std::sqrt(v_hat) + c.epsilon) + decoupled), m, v};
}

/// What float rounding may do to a step. A constant 1 - b of a rounded b errs by u b / (1 - b); the
/// scaled gradient by 2 u, its product with 1 - b by u more, and each sum by u.
struct Allowed {
  double p = 0, m = 0, v = 0;
};

Allowed allowed(const Constants& c, Number old, Number next, double g, double rate, double decay,
                std::uint64_t count) {
  const double share1 = 1 - c.beta1, share2 = 1 - c.beta2;
  Allowed a;
  a.m = u * (3 * c.beta1 * std::abs(old.m) + (5 + c.beta1 / share1) * share1 * std::abs(g));
  // All terms are positive, so v errs relative to itself; g counts twice.
  const double v_relative = u * (8 + c.beta2 / share2);
  a.v = v_relative * next.v;
  const double correction = 1 - std::pow(c.beta1, count);
  const double root = std::sqrt(next.v / (1 - std::pow(c.beta2, count))) + c.epsilon;
  const double adam = std::abs(next.m) / correction / root;
  // The two corrections, root, sum, product and quotient: 8 u and half of what v is wrong by.
  const double adam_error = a.m / correction / root + adam * (v_relative / 2 + 8 * u);
  const double whole = adam + decay * std::abs(old.p);
  a.p = u * std::abs(next.p) + rate * (adam_error + 4 * u * whole);
  return a;
}

/// Takes six steps of gradients scaled by `scale`, each held against the textbook's from the same
/// state. The largest difference as a share of what is allowed.
double worst_share(const Constants& constants, Textbook kind, double scale = 1) {
  const model::Program program = small_program();
  base::Workers workers(2);
  const OptimizerConfig config = constants.config();
  const auto optimizer = make_optimizer(program, config);
  TrainState state = spec::fresh_state(program, 3, config);
  double worst = 0;
  for (std::uint64_t count = 1; count <= 6; ++count) {
    const std::vector<float> gradient = spec::random_gradient(program, count, 0.01);
    const double rate = 0.01 / static_cast<double>(count);
    const TrainState old = state;
    optimizer->update({gradient, scale, rate}, workers, state);
    EXPECT_EQ(state.step, old.step);
    ++state.step;
    const std::vector<float>&first = state.buffers["first_moment"],
          &second = state.buffers["second_moment"];
    for (const model::ParameterInfo& info : program.parameters) {
      const double decay = info.matrix || constants.decay_all ? constants.weight_decay : 0;
      for (std::size_t i = info.offset; i < info.offset + info.size(); ++i) {
        const Number before{old.parameters[i], old.buffers.at("first_moment")[i],
                            old.buffers.at("second_moment")[i]};
        const double g = scale * static_cast<double>(gradient[i]);
        const Number next = step(constants, kind, before, g, rate, decay, count);
        const Allowed most = allowed(constants, before, next, g, rate, decay, count);
        worst =
            std::max({worst, std::abs(state.parameters[i] - next.p) / most.p,
                      std::abs(first[i] - next.m) / most.m, std::abs(second[i] - next.v) / most.v});
      }
    }
  }
  return worst;
}

TEST(AdamW, IsThatOfThePaperUpToRoundingOnEveryInstructionSet) {
  spec::on_every_instruction_set([] {
    EXPECT_LE(worst_share({}, Textbook::adamw), 1);
    EXPECT_LE(worst_share({.beta1 = 0, .weight_decay = 0}, Textbook::adamw), 1);
    EXPECT_LE(worst_share({.decay_all = true}, Textbook::adamw), 1);
  });
}

TEST(AdamW, TakesTheGradientTimesTheScaleOfClipping) {
  EXPECT_LE(worst_share({}, Textbook::adamw, 0.3), 1);
}

TEST(AdamW, TheBoundsWouldTellOtherOptimizers) {
  EXPECT_GT(worst_share({}, Textbook::l2_in_the_gradient), 100);
  EXPECT_GT(worst_share({}, Textbook::no_bias_correction), 100);
}

TEST(AdamW, DecaysMatricesOnlyUnlessToldAll) {
  const model::Program program = spec::program_with_everything();
  const TrainState start = spec::fresh_state(program, 3);
  for (const bool decay_all : {false, true}) {
    base::Workers workers(1);
    TrainState state = start;
    const std::vector<float> none(program.buffer_size);
    const OptimizerConfig config = Constants{.decay_all = decay_all}.config();
    make_optimizer(program, config)->update({none, 1, 0.5}, workers, state);
    for (const model::ParameterInfo& info : program.parameters) {
      const float keep = info.matrix || decay_all ? 1.0F - 0.5F * 0.1F : 1.0F;
      for (std::size_t i = info.offset; i < info.offset + info.size(); ++i) {
        const float p = start.parameters[i];
        EXPECT_NEAR(state.parameters[i], keep * p, keep == 1.0F ? 0 : 3 * u * std::abs(p))
            << info.name;
      }
    }
  }
}

TEST(AdamW, OnSomeParametersLeavesTheOthersAsTheyWere) {
  const model::Program program = small_program();
  base::Workers workers(2);
  TrainState state = spec::fresh_state(program, 3), whole = state;
  const OptimizerConfig config = Constants{}.config();
  const std::vector<float> gradient = spec::random_gradient(program, 1, 0.01);
  AdamW some(
      program, config, [](const model::ParameterInfo& info) { return info.is_hidden(); }, 0.5);
  some.update({gradient, 1, 0.02}, workers, state);
  const TrainState start = spec::fresh_state(program, 3);
  make_optimizer(program, config)->update({gradient, 1, 0.01}, workers, whole);
  for (const model::ParameterInfo& info : program.parameters) {
    const TrainState& expected = info.is_hidden() ? whole : start;
    EXPECT_TRUE(spec::same_bits(spec::tensor(program, state.parameters, info.name),
                                spec::tensor(program, expected.parameters, info.name)))
        << info.name;
  }
}

}  // namespace
}  // namespace lookback::train
