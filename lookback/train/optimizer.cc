#include "lookback/train/optimizer.h"

#include <algorithm>

namespace lookback::train {

std::span<const OptimizerKind> optimizer_kinds() {
  static const std::vector<OptimizerKind> kinds = {adamw_kind(), muon_kind(), sgd_kind()};
  return kinds;
}

const OptimizerKind* find_optimizer(std::string_view name) {
  const auto kinds = optimizer_kinds();
  const auto found = std::ranges::find(kinds, name, &OptimizerKind::name);
  return found == kinds.end() ? nullptr : &*found;
}

std::unique_ptr<Optimizer> make_optimizer(const model::Program& program,
                                          const OptimizerConfig& config) {
  return find_optimizer(config.kind)->make(program, config);
}

std::span<const std::string> buffers_of(const OptimizerConfig& config) {
  return find_optimizer(config.kind)->buffers;
}

std::uint64_t optimizer_memory(const model::Program& program, const OptimizerConfig& config,
                               std::size_t workers) {
  const OptimizerKind& kind = *find_optimizer(config.kind);
  const std::uint64_t buffers = kind.buffers.size() * program.buffer_size * sizeof(float);
  return buffers +
         (kind.worker_memory == nullptr ? 0 : workers * kind.worker_memory(program, config));
}

}  // namespace lookback::train
