#include "lookback/train/state.h"

namespace lookback::train {

TrainState initial_state(const model::Program& program, std::span<const std::string> buffers,
                         std::uint64_t seed) {
  TrainState state;
  state.parameters = model::initialize(program, seed);
  for (const std::string& name : buffers) state.buffers[name].resize(program.buffer_size);
  return state;
}

}  // namespace lookback::train
