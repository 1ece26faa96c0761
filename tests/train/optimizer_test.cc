// The update against AdamW as it stands in the paper, in double precision: Loshchilov and Hutter,
// "Decoupled weight decay regularization" (2019), algorithm 2, with the schedule in the rate and
// gradients clipped by their global norm (Pascanu et al. 2013).
#include "lookback/train/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "lookback/base/random.h"
#include "tests/train/small_run.h"

namespace lookback::train {
namespace {

using spec::small_program;

constexpr double u = 0x1p-24;  // float's unit roundoff

TrainConfig adamw_config() {
  TrainConfig config;
  config.weight_decay = 0.1;
  config.clip = 0;
  return config;
}

/// Normal gradients; a norm of about `scale` times the root of their number.
std::vector<float> random_gradient(const model::Program& program, std::uint64_t seed,
                                   double scale) {
  std::vector<float> gradient(program.buffer_size);
  base::RandomStream random(seed, base::StreamPurpose::test, 0);
  for (const model::ParameterInfo& info : program.parameters) {
    for (std::size_t i = 0; i < info.size(); ++i) {
      gradient[info.offset + i] = static_cast<float>(scale * random.normal());
    }
  }
  return gradient;
}

double norm_of(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum);
}

/// One number of the state and what a step makes of it.
struct Number {
  double p = 0, m = 0, v = 0;
};

/// How a step may be wrong; the last two for showing that the bounds would tell.
enum class Textbook { adamw, l2_in_the_gradient, no_bias_correction };

Number step(const TrainConfig& c, Textbook kind, Number old, double g, double rate, double decay,
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

Allowed allowed(const TrainConfig& c, Number old, Number next, double g, double rate, double decay,
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

/// Takes `steps` steps, each held against the textbook's from the same state. The largest difference
/// as a share of what is allowed.
double worst_share(const TrainConfig& config, Textbook kind, double gradient_scale) {
  const model::Program program = small_program();
  base::Workers workers(2);
  const std::vector<Piece> pieces = cut_into_pieces(program, config.decay_all);
  TrainState state = initial_state(program, 3);
  double worst = 0;
  for (std::uint64_t count = 1; count <= 6; ++count) {
    const std::vector<float> gradient = random_gradient(program, count, gradient_scale);
    const double norm = norm_of(gradient);
    const double scale = config.clip > 0 && norm > config.clip ? config.clip / norm : 1;
    const double rate = 0.01 / static_cast<double>(count);
    const TrainState old = state;
    EXPECT_NEAR(update(config, pieces, gradient, rate, workers, state), norm, 1e-12 * norm);
    EXPECT_EQ(state.step, count);
    for (const model::ParameterInfo& info : program.parameters) {
      const double decay = info.matrix || config.decay_all ? config.weight_decay : 0;
      for (std::size_t i = info.offset; i < info.offset + info.size(); ++i) {
        const Number before{old.parameters[i], old.first_moment[i], old.second_moment[i]};
        const double g = scale * static_cast<double>(gradient[i]);
        const Number next = step(config, kind, before, g, rate, decay, count);
        const Allowed most = allowed(config, before, next, g, rate, decay, count);
        worst = std::max({worst, std::abs(state.parameters[i] - next.p) / most.p,
                          std::abs(state.first_moment[i] - next.m) / most.m,
                          std::abs(state.second_moment[i] - next.v) / most.v});
      }
    }
  }
  return worst;
}

TEST(Update, IsAdamWUpToRounding) {
  EXPECT_LE(worst_share(adamw_config(), Textbook::adamw, 0.01), 1);
}

TEST(Update, IsAdamWWithEveryNumberDecayed) {
  TrainConfig config = adamw_config();
  config.decay_all = true;
  EXPECT_LE(worst_share(config, Textbook::adamw, 0.01), 1);
}

TEST(Update, ScalesTheWholeGradientToTheClippingNorm) {
  TrainConfig config = adamw_config();
  config.clip = 0.25;  // the norm is about 0.01 sqrt(2000) = 0.5
  EXPECT_LE(worst_share(config, Textbook::adamw, 0.01), 1);
  config.clip = 1e9;  // nothing to clip
  EXPECT_LE(worst_share(config, Textbook::adamw, 0.01), 1);
}

TEST(Update, TheBoundsWouldTellOtherOptimizers) {
  EXPECT_GT(worst_share(adamw_config(), Textbook::l2_in_the_gradient, 0.01), 100);
  EXPECT_GT(worst_share(adamw_config(), Textbook::no_bias_correction, 0.01), 100);
}

/// The state after one step without gradient: only decay moves anything.
TrainState decayed(const model::Program& program, bool decay_all) {
  TrainConfig config = adamw_config();
  config.decay_all = decay_all;
  base::Workers workers(1);
  TrainState state = initial_state(program, 3);
  const std::vector<float> none(program.buffer_size);
  update(config, cut_into_pieces(program, decay_all), none, 0.5, workers, state);
  return state;
}

TEST(Update, DecaysMatricesOnlyUnlessToldAll) {
  model::Architecture architecture = spec::small_architecture();
  architecture.biases = true;
  architecture.d_mlp = 8;
  const model::Program program = spec::compiled(architecture);
  const TrainState start = initial_state(program, 3);
  for (const bool decay_all : {false, true}) {
    const TrainState state = decayed(program, decay_all);
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

TEST(Update, AGradientThatIsNotFiniteLeavesTheStateAsItWas) {
  const model::Program program = small_program();
  base::Workers workers(2);
  for (const float bad : {NAN, INFINITY}) {
    TrainState state = initial_state(program, 3);
    std::vector<float> gradient = random_gradient(program, 1, 0.01);
    gradient[program.parameters.back().offset] = bad;
    const double norm =
        update(adamw_config(), cut_into_pieces(program, false), gradient, 0.1, workers, state);
    EXPECT_FALSE(std::isfinite(norm));
    spec::expect_same_bits(state, initial_state(program, 3));
  }
}

TEST(Update, GivesTheSameBitsOnAnyNumberOfWorkers) {
  const model::Program program = small_program();
  TrainConfig config = adamw_config();
  config.clip = 0.25;
  const auto trained = [&](std::size_t threads) {
    base::Workers workers(threads);
    TrainState state = initial_state(program, 3);
    for (std::uint64_t count = 0; count < 5; ++count) {
      update(config, cut_into_pieces(program, false), random_gradient(program, count, 0.01), 0.01,
             workers, state);
    }
    return state;
  };
  for (const std::size_t threads : {2U, 3U, 8U}) {
    spec::expect_same_bits(trained(threads), trained(1));
  }
}

TEST(Pieces, CoverEveryParameterOnce) {
  model::Architecture architecture = spec::small_architecture();
  architecture.vocabulary = 5000;  // W_E has 80,000 numbers: several pieces
  const model::Program program = spec::compiled(architecture);
  std::vector<int> covered(program.buffer_size);
  for (const Piece& piece : cut_into_pieces(program, false)) {
    for (std::size_t i = 0; i < piece.size; ++i) ++covered[piece.offset + i];
  }
  std::vector<int> expected(program.buffer_size);
  for (const model::ParameterInfo& info : program.parameters) {
    std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(info.offset), info.size(), 1);
  }
  EXPECT_EQ(covered, expected);
}

}  // namespace
}  // namespace lookback::train
