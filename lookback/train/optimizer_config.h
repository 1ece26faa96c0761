// Which optimizer a run uses, and with which values: the table [train.optimizer] of a study file.
#pragma once

#include <string>
#include <string_view>

#include "lookback/base/kind.h"

namespace lookback::train {

/// An optimizer's kind with a value for each of its keys.
struct OptimizerConfig : base::KindConfig {
  /// A kind of the table in optimizer.h, with its defaults. REQUIRES that there is such a kind.
  explicit OptimizerConfig(std::string_view name);
  OptimizerConfig() : OptimizerConfig("adamw") {}

  bool operator==(const OptimizerConfig&) const = default;
};

/// Reads [train.optimizer]; the reader's finish() reports errors. A key of another kind is an error
/// that says so.
OptimizerConfig read_optimizer(base::TableReader table);

/// The table [train.optimizer] with every key.
std::string to_toml(const OptimizerConfig& config);

/// The keys of AdamW that [train] had in lookback 0.2, where AdamW was the only optimizer.
bool was_in_train(std::string_view key);

/// Moves those keys from [train] to [train.optimizer], in a configuration that lookback 0.2 wrote.
void move_optimizer_keys(base::Document& config);

}  // namespace lookback::train
