#include "lookback/train/optimizer.h"

#include <algorithm>
#include <cmath>

#include "lookback/math/simd.h"

namespace lookback::train {
namespace {

constexpr std::size_t largest_piece = 1 << 15;

double norm_of(std::span<const Piece> pieces, std::span<const float> gradient,
               base::Workers& workers) {
  std::vector<double> squares(pieces.size());
  workers.run(pieces.size(), [&](std::size_t i, std::size_t) {
    squares[i] = math::simd::sum_of_squares(gradient.subspan(pieces[i].offset, pieces[i].size));
  });
  double sum = 0;
  for (const double square : squares) sum += square;
  return std::sqrt(sum);
}

math::AdamW numbers_of_step(const TrainConfig& config, std::uint64_t step, double rate,
                            double norm) {
  const auto count = static_cast<double>(step + 1);
  math::AdamW adamw;
  adamw.learning_rate = static_cast<float>(rate);
  adamw.beta1 = static_cast<float>(config.beta1);
  adamw.beta2 = static_cast<float>(config.beta2);
  adamw.epsilon = static_cast<float>(config.epsilon);
  adamw.correction1 = static_cast<float>(1.0 - std::pow(config.beta1, count));
  adamw.correction2 = static_cast<float>(1.0 - std::pow(config.beta2, count));
  if (config.clip > 0 && norm > config.clip) {
    adamw.gradient_scale = static_cast<float>(config.clip / norm);
  }
  return adamw;
}

}  // namespace

std::vector<Piece> cut_into_pieces(const model::Program& program, bool decay_all) {
  std::vector<Piece> pieces;
  for (const model::ParameterInfo& info : program.parameters) {
    for (std::size_t done = 0; done < info.size(); done += largest_piece) {
      pieces.push_back({info.offset + done, std::min(largest_piece, info.size() - done),
                        info.matrix || decay_all});
    }
  }
  return pieces;
}

TrainState initial_state(const model::Program& program, std::uint64_t seed) {
  TrainState state;
  state.parameters = model::initialize(program, seed);
  state.first_moment.resize(program.buffer_size);
  state.second_moment.resize(program.buffer_size);
  return state;
}

double update(const TrainConfig& config, std::span<const Piece> pieces,
              std::span<const float> gradient, double learning_rate, base::Workers& workers,
              TrainState& state) {
  const double norm = norm_of(pieces, gradient, workers);
  if (!std::isfinite(norm)) return norm;
  const math::AdamW numbers = numbers_of_step(config, state.step, learning_rate, norm);
  workers.run(pieces.size(), [&](std::size_t i, std::size_t) {
    const auto [offset, size, decays] = pieces[i];
    math::AdamW own = numbers;
    own.weight_decay = decays ? static_cast<float>(config.weight_decay) : 0.0F;
    math::simd::adamw(own, std::span(state.parameters).subspan(offset, size),
                      gradient.subspan(offset, size),
                      std::span(state.first_moment).subspan(offset, size),
                      std::span(state.second_moment).subspan(offset, size));
  });
  ++state.step;
  return norm;
}

}  // namespace lookback::train
