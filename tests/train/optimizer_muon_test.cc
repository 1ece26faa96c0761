// Muon against its publication in double precision: Jordan et al. 2024, with the iteration of
// math/reference/orthogonal.h, and AdamW where it hands over.
#include <gtest/gtest.h>

#include <cmath>

#include "lookback/math/reference.h"
#include "lookback/train/optimizer_adamw.h"
#include "tests/train/steps.h"

namespace lookback::train {
namespace {

struct MuonNumbers {
  double momentum = 0.95;
  bool nesterov = true;
  bool apart = true;
  double weight_decay = 0.1;

  OptimizerConfig config() const {
    OptimizerConfig config("muon");
    config.values["momentum"] = momentum;
    config.values["nesterov"] = nesterov;
    config.values["heads"] = apart ? "apart" : "together";
    config.values["weight_decay"] = weight_decay;
    return config;
  }
};

/// A block of a parameter, in numbers of the flat buffer.
struct Block {
  std::string parameter;
  std::size_t offset, stride, rows, cols;

  std::vector<double> gather(std::span<const float> buffer) const {
    std::vector<double> numbers;
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < cols; ++c) numbers.push_back(buffer[offset + r * stride + c]);
    }
    return numbers;
  }
};

/// The blocks of a model of two heads of 8 in each layer, D 16, an MLP of 24, by their names alone.
std::vector<Block> blocks_of(const model::Program& program, bool apart) {
  std::vector<Block> blocks;
  for (const model::ParameterInfo& info : program.parameters) {
    const std::string end = info.name.substr(info.name.rfind('.') + 1);
    const std::size_t heads = apart ? 2 : 1;
    if (end == "W_Q" || end == "W_K" || end == "W_V") {
      for (std::size_t h = 0; h < heads; ++h) {
        blocks.push_back({info.name, info.offset + h * 8, 16, 16, 16 / heads});
      }
    } else if (end == "W_O") {
      for (std::size_t h = 0; h < heads; ++h) {
        blocks.push_back({info.name, info.offset + h * 8 * 16, 16, 16 / heads, 16});
      }
    } else if (end == "W_in" || end == "W_out") {
      blocks.push_back({info.name, info.offset, info.cols, info.rows, info.cols});
    }
  }
  return blocks;
}

/// How a step may be wrong, for showing that the bounds would tell.
enum class MuonFormula { paper, no_scale, decay_in_the_gradient };

/// What a step must make of one block, in double.
std::vector<double> stepped(const MuonNumbers& numbers, MuonFormula formula, const Block& block,
                            const TrainState& old, std::span<const float> gradient, double scale,
                            double rate) {
  std::vector<double> p = block.gather(old.parameters);
  const std::vector<double> m = block.gather(old.buffers.at("first_moment"));
  const std::vector<double> g = block.gather(gradient);
  const bool decoupled = formula != MuonFormula::decay_in_the_gradient;
  std::vector<double> direction;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double clipped = scale * g[i] + (decoupled ? 0 : numbers.weight_decay * p[i]);
    const double next = numbers.momentum * m[i] + (1 - numbers.momentum) * clipped;
    const double ahead = numbers.momentum * next + (1 - numbers.momentum) * clipped;
    direction.push_back(numbers.nesterov ? ahead : next);
  }
  math::reference::orthogonalize(
      math::Matrix<double>{direction.data(), block.rows, block.cols, block.cols});
  // Their W [outputs, inputs] is the transpose of ours.
  const double factor = formula == MuonFormula::no_scale
                            ? 1
                            : std::sqrt(std::max(1.0, static_cast<double>(block.cols) /
                                                          static_cast<double>(block.rows)));
  for (std::size_t i = 0; i < p.size(); ++i) {
    p[i] *= 1 - (decoupled ? rate * numbers.weight_decay : 0);
    p[i] -= rate * factor * direction[i];
  }
  return p;
}

/// What rounding may do to a block, in the Frobenius norm: as tests/math/orthogonal_test.cc derives it,
/// with the direction's own roundings (some 6) before; then the parameter's.
double allowed_of(const Block& block, double size, double rate) {
  const auto terms = static_cast<double>(block.rows + block.cols);
  const auto shorter = static_cast<double>(std::min(block.rows, block.cols));
  double error = (6 + std::sqrt(terms)) * spec::u;
  for (int i = 0; i < 5; ++i) {
    error = 4 * error + 15 * std::sqrt(terms) * spec::u * 1.21 * std::sqrt(shorter);
  }
  const double factor = 1.7 * rate;  // the largest scale is sqrt(24 / 16), or sqrt(2) of W_O
  return 3 * spec::u * size + factor * (error + 3 * spec::u * 1.21 * std::sqrt(shorter));
}

/// The largest difference from the formula over four steps, each from the same state, as a share of
/// what rounding may do.
double worst_block(const MuonNumbers& numbers, MuonFormula formula = MuonFormula::paper,
                   bool blocks_apart = true) {
  const model::Program program = spec::program_with_everything();
  base::Workers workers(2);
  const auto optimizer = make_optimizer(program, numbers.config());
  TrainState state = spec::fresh_state(program, 3, numbers.config());
  double worst = 0;
  for (std::uint64_t count = 0; count < 4; ++count) {
    const std::vector<float> gradient = spec::random_gradient(program, count, 0.01);
    const double rate = 0.1 / static_cast<double>(count + 1), scale = count == 2 ? 0.3 : 1;
    const TrainState old = state;
    optimizer->update({gradient, scale, rate}, workers, state);
    EXPECT_EQ(state.step, old.step);
    ++state.step;
    for (const Block& block : blocks_of(program, numbers.apart == blocks_apart)) {
      const std::vector<double> expected =
          stepped(numbers, formula, block, old, gradient, scale, rate);
      const std::vector<double> found = block.gather(state.parameters);
      double sum = 0, size = 0;
      for (std::size_t i = 0; i < found.size(); ++i) {
        sum += (found[i] - expected[i]) * (found[i] - expected[i]);
        size += expected[i] * expected[i];
      }
      worst = std::max(worst, std::sqrt(sum) / allowed_of(block, std::sqrt(size), rate));
    }
  }
  return worst;
}

TEST(Muon, IsThatOfThePublicationUpToRoundingOnEveryInstructionSet) {
  spec::on_every_instruction_set([] {
    EXPECT_LE(worst_block({}), 1);
    EXPECT_LE(worst_block({.nesterov = false}), 1);
    EXPECT_LE(worst_block({.momentum = 0.5, .weight_decay = 0}), 1);
    EXPECT_LE(worst_block({.apart = false}), 1);
  });
}

TEST(Muon, TheBoundsWouldTellOtherFormulas) {
  EXPECT_GT(worst_block({}, MuonFormula::no_scale), 10);
  EXPECT_GT(worst_block({}, MuonFormula::decay_in_the_gradient), 10);
  EXPECT_GT(worst_block({}, MuonFormula::paper, false), 10);  // heads together
  EXPECT_GT(worst_block({.apart = false}, MuonFormula::paper, false), 10);
}

/// What is not a hidden matrix: embeddings, positions, unembedding, norms and biases.
TEST(Muon, LeavesAllButHiddenMatricesToAdamWAtItsOwnRate) {
  const model::Program program = spec::program_with_everything();
  base::Workers workers(2);
  OptimizerConfig muon("muon"), adamw("adamw");
  muon.values["adamw_rate"] = 0.25;
  TrainState by_muon = spec::fresh_state(program, 3, muon);
  TrainState by_adamw = spec::fresh_state(program, 3, adamw);
  const auto first = make_optimizer(program, muon), second = make_optimizer(program, adamw);
  for (std::uint64_t count = 0; count < 3; ++count) {
    const std::vector<float> gradient = spec::random_gradient(program, count, 0.01);
    first->update({gradient, 0.5, 0.04}, workers, by_muon);
    second->update({gradient, 0.5, 0.01}, workers, by_adamw);
    ++by_muon.step;
    ++by_adamw.step;
  }
  for (const model::ParameterInfo& info : program.parameters) {
    const bool hidden = info.matrix && info.name.find("embed") == std::string::npos;
    EXPECT_EQ(spec::same_bits(spec::tensor(program, by_muon.parameters, info.name),
                              spec::tensor(program, by_adamw.parameters, info.name)),
              !hidden)
        << info.name;
  }
}

TEST(Muon, AHeadMovesAsItWouldWithoutItsNeighbor) {
  const model::Program program = spec::program_with_everything();
  base::Workers workers(1);
  const std::vector<float> gradient = spec::random_gradient(program, 1, 0.01);
  std::vector<float> other = gradient;  // another gradient for head 1 of layer 0's W_Q
  const model::ParameterInfo& query = *program.find_parameter("blocks.0.attn.W_Q");
  for (std::size_t i = 0; i < query.size(); ++i) {
    if (i % 16 >= 8) other[query.offset + i] *= -3;
  }
  for (const bool apart : {true, false}) {
    const OptimizerConfig config = MuonNumbers{.apart = apart}.config();
    TrainState a = spec::fresh_state(program, 3, config), b = a;
    make_optimizer(program, config)->update({gradient, 1, 0.1}, workers, a);
    make_optimizer(program, config)->update({other, 1, 0.1}, workers, b);
    bool same = true;
    for (std::size_t i = 0; i < query.size(); ++i) {
      if (i % 16 >= 8) continue;
      same = same && a.parameters[query.offset + i] == b.parameters[query.offset + i];
    }
    EXPECT_EQ(same, apart);
  }
}

TEST(Muon, RefusesAnotherWayWithHeadsAtItsLine) {
  base::TableReader reader(std::move(
      *base::parse_toml("[train.optimizer]\nkind = \"muon\"\nheads = \"split\"\n", "study.toml")));
  read_optimizer(reader.table("train").table("optimizer"));
  const Status status = reader.finish();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message.rfind("study.toml:3: key 'train.optimizer.heads'", 0), 0U)
      << status.error().message;
  EXPECT_NE(status.error().message.find("\"together\""), std::string::npos);
}

}  // namespace
}  // namespace lookback::train
