// SGD against PyTorch's documented definition in double precision: torch.optim.SGD with dampening 0,
//   g <- gradient + weight_decay p;  b <- g at the first step, then momentum b + g;
//   p <- p - lr (nesterov ? g + momentum b : b).
#include <gtest/gtest.h>

#include <cmath>

#include "tests/train/steps.h"

namespace lookback::train {
namespace {

struct Descent {
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 0.1;
  bool decay_all = false;

  OptimizerConfig config() const {
    OptimizerConfig config("sgd");
    config.values = {{"momentum", momentum},
                     {"nesterov", nesterov},
                     {"weight_decay", weight_decay},
                     {"decay_all", decay_all}};
    return config;
  }
};

/// How a step may be wrong, for showing that the bounds would tell.
enum class Formula { torch, decoupled_decay, averaged };

/// The largest difference from the formula over four steps, each from the same state, as a share of
/// what rounding may do.
double worst_of(const Descent& descent, Formula formula = Formula::torch) {
  const model::Program program = spec::program_with_everything();
  base::Workers workers(2);
  const auto optimizer = make_optimizer(program, descent.config());
  TrainState state = spec::fresh_state(program, 3, descent.config());
  double worst = 0;
  for (std::uint64_t count = 0; count < 4; ++count) {
    const std::vector<float> gradient = spec::random_gradient(program, count, 0.01);
    const double rate = 0.1 / static_cast<double>(count + 1), scale = count == 2 ? 0.3 : 1;
    const TrainState old = state;
    optimizer->update({gradient, scale, rate}, workers, state);
    EXPECT_EQ(state.step, old.step);
    ++state.step;
    for (const model::ParameterInfo& info : program.parameters) {
      const double decay = info.matrix || descent.decay_all ? descent.weight_decay : 0;
      for (std::size_t i = info.offset; i < info.offset + info.size(); ++i) {
        const double p = old.parameters[i], before = old.buffers.at("momentum")[i];
        const double scaled = scale * static_cast<double>(gradient[i]);
        const bool decoupled = formula == Formula::decoupled_decay;
        const double g = scaled + (decoupled ? 0 : decay * p);
        const double share = formula == Formula::averaged ? 1 - descent.momentum : 1;
        const double b = count == 0 ? share * g : descent.momentum * before + share * g;
        const double step = descent.nesterov ? g + descent.momentum * b : b;
        const double next = p - rate * step - (decoupled ? rate * decay * p : 0);
        // Sizes of what is summed: g has 3 roundings (the scale, two products and a sum share them),
        // b two more, the step three, and the parameter one of its own.
        const double g_size = std::abs(scaled) + decay * std::abs(p);
        const double b_size = descent.momentum * std::abs(before) + g_size;
        const double step_size = (descent.nesterov ? g_size : 0) + b_size;
        const double b_most = 6 * spec::u * b_size;
        const double p_most = spec::u * (std::abs(next) + 12 * rate * step_size);
        worst = std::max({worst, std::abs(state.buffers["momentum"][i] - b) / b_most,
                          std::abs(state.parameters[i] - next) / p_most});
      }
    }
  }
  return worst;
}

TEST(Sgd, IsPyTorchsUpToRoundingOnEveryInstructionSet) {
  spec::on_every_instruction_set([] {
    for (const bool nesterov : {false, true}) {
      EXPECT_LE(worst_of({.nesterov = nesterov}), 1);
      EXPECT_LE(worst_of({.nesterov = nesterov, .decay_all = true}), 1);
      EXPECT_LE(worst_of({.momentum = 0.5, .nesterov = nesterov, .weight_decay = 0}), 1);
    }
    EXPECT_LE(worst_of({.momentum = 0}), 1);
  });
}

TEST(Sgd, TheBoundsWouldTellOtherFormulas) {
  EXPECT_GT(worst_of({}, Formula::decoupled_decay), 100);
  EXPECT_GT(worst_of({}, Formula::averaged), 100);
}

TEST(Sgd, HasTheSameBitsOnEveryInstructionSet) {
  const model::Program program = spec::program_with_everything();
  const OptimizerConfig config = Descent{.nesterov = true}.config();
  const auto stepped = [&] {
    base::Workers workers(1);
    TrainState state = spec::fresh_state(program, 3, config);
    make_optimizer(program, config)
        ->update({spec::random_gradient(program, 1, 0.01), 0.3, 0.1}, workers, state);
    return state;
  };
  const TrainState best = stepped();
  spec::on_every_instruction_set([&] { spec::expect_same_bits(stepped(), best); });
}

TEST(Sgd, RefusesNesterovWithoutMomentumAtItsLine) {
  base::TableReader reader(std::move(*base::parse_toml(
      "[train.optimizer]\nkind = \"sgd\"\nmomentum = 0\nnesterov = true\n", "study.toml")));
  read_optimizer(reader.table("train").table("optimizer"));
  const Status status = reader.finish();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message.rfind("study.toml:4: key 'train.optimizer.nesterov'", 0), 0U)
      << status.error().message;
}

TEST(Sgd, ItsKeysAreRefusedOfAnotherOptimizerWithTheReason) {
  base::TableReader reader(std::move(
      *base::parse_toml("[train.optimizer]\nkind = \"adamw\"\nnesterov = true\n", "study.toml")));
  read_optimizer(reader.table("train").table("optimizer"));
  const Status status = reader.finish();
  ASSERT_FALSE(status);
  const std::string& why = status.error().message;
  EXPECT_EQ(why.rfind("study.toml:3: key 'train.optimizer.nesterov'", 0), 0U) << why;
  EXPECT_NE(why.find("\"sgd\""), std::string::npos) << why;
  EXPECT_NE(why.find("\"adamw\""), std::string::npos) << why;
}

}  // namespace
}  // namespace lookback::train
