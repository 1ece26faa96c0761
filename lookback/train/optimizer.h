// AdamW over a flat buffer, with clipping, in a fixed order whatever the number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lookback/base/workers.h"
#include "lookback/model/program.h"
#include "lookback/train/config.h"

namespace lookback::train {

/// A run of the flat parameter buffer that one worker takes at a time.
struct Piece {
  std::size_t offset = 0;
  std::size_t size = 0;
  bool decays = false;
};

/// The buffer cut into pieces of one kind of decay each.
std::vector<Piece> cut_into_pieces(const model::Program& program, bool decay_all);

/// All that training changes, and all that it needs to go on: with the seed it names the next
/// sequence (step * batch) and so the random state too. Buffers are laid out as the program's.
struct TrainState {
  std::vector<float> parameters;
  std::vector<float> first_moment;
  std::vector<float> second_moment;
  std::uint64_t step = 0;  ///< steps done
  double first_loss = 0;   ///< of the first step, by which divergence is judged
};

TrainState initial_state(const model::Program& program, std::uint64_t seed);

/// One optimizer step from the mean gradient. Returns the gradient's norm before clipping; a norm
/// that is not finite leaves the state as it was.
double update(const TrainConfig& config, std::span<const Piece> pieces,
              std::span<const float> gradient, double learning_rate, base::Workers& workers,
              TrainState& state);

}  // namespace lookback::train
