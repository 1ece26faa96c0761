// An optimizer is a file and a row: its keys, the buffers it keeps and its update.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/workers.h"
#include "lookback/model/program.h"
#include "lookback/train/optimizer_config.h"
#include "lookback/train/state.h"

namespace lookback::train {

/// The inputs of an update.
struct UpdateStep {
  std::span<const float> gradient;  ///< [buffer_size]
  double gradient_scale = 1;        ///< of clipping: what counts is the gradient times this
  double learning_rate = 0;
};

class Optimizer {
 public:
  Optimizer() = default;
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Changes parameters and buffers but not the step count: state.step is still the number of steps
  /// before this one. The same bits on any number of workers.
  virtual void update(const UpdateStep& step, base::Workers& workers, TrainState& state) = 0;
};

/// A row of the table of optimizers.
struct OptimizerKind : base::Kind {
  std::vector<std::string> buffers = {};  ///< what it keeps between steps (TrainState::buffers)
  /// An optimizer with these values. The program must outlive it.
  std::unique_ptr<Optimizer> (*make)(const model::Program& program,
                                     const OptimizerConfig& config) = nullptr;
  /// Reports contradictory keys to the reader of their table. Null: none can contradict.
  void (*check)(const OptimizerConfig& config, base::TableReader& table) = nullptr;
  /// The bytes each worker needs for an update. Null: none.
  std::uint64_t (*worker_memory)(const model::Program& program,
                                 const OptimizerConfig& config) = nullptr;
};

// The rows. Each is in optimizer_NAME.cc; a row added here must also go into optimizer_kinds().
OptimizerKind adamw_kind();
OptimizerKind muon_kind();
OptimizerKind sgd_kind();

/// The table of optimizers, the default first.
std::span<const OptimizerKind> optimizer_kinds();

/// Null if there is none of that name.
const OptimizerKind* find_optimizer(std::string_view name);

/// The optimizer of a configuration. The program must outlive it.
std::unique_ptr<Optimizer> make_optimizer(const model::Program& program,
                                          const OptimizerConfig& config);

/// The names of the buffers that the configuration's optimizer keeps.
std::span<const std::string> buffers_of(const OptimizerConfig& config);

/// The bytes of its buffers, and of what it needs for an update on this many workers.
std::uint64_t optimizer_memory(const model::Program& program, const OptimizerConfig& config,
                               std::size_t workers);

}  // namespace lookback::train
