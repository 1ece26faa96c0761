// What training changes, and needs in order to continue.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "lookback/model/program.h"

namespace lookback::train {

/// Everything that training changes. With the run's seed it determines the next sequence (step *
/// batch), and so the random state too. Every buffer is laid out as the program's flat parameter
/// buffer [buffer_size].
struct TrainState {
  std::vector<float> parameters;
  /// What the optimizer keeps between steps, by the names of its row (OptimizerKind::buffers).
  std::map<std::string, std::vector<float>> buffers;
  std::uint64_t step = 0;  ///< steps done
  double first_loss = 0;   ///< of the first step; divergence is judged against it
};

/// The state before the first step: the seed's starting weights, and buffers of zeros.
TrainState initial_state(const model::Program& program, std::span<const std::string> buffers,
                         std::uint64_t seed);

}  // namespace lookback::train
