// AdamW on all parameters, or on those that another optimizer leaves to it.
#pragma once

#include <functional>
#include <vector>

#include "lookback/train/optimizer.h"
#include "lookback/train/slices.h"

namespace lookback::train {

/// Below 1, because bias correction and a moving average make no sense at 1.
inline constexpr double largest_beta = 0.999999;

/// beta1, beta2, epsilon, weight_decay and decay_all.
std::vector<base::Key> adamw_keys();

/// Loshchilov and Hutter 2019, algorithm 2: math/reference/adamw.h. Keeps "first_moment" and
/// "second_moment".
class AdamW : public Optimizer {
 public:
  /// `config` has the keys of adamw_keys(). Updates the parameters that `takes` names, at `rate_factor`
  /// times the learning rate.
  AdamW(const model::Program& program, const OptimizerConfig& config,
        const std::function<bool(const model::ParameterInfo&)>& takes, double rate_factor = 1);

  void update(const UpdateStep& step, base::Workers& workers, TrainState& state) override;

 private:
  struct Part {
    Slice slice;
    bool decays;
  };
  std::vector<Part> parts_;
  double beta1_, beta2_, epsilon_, weight_decay_, rate_factor_;
};

}  // namespace lookback::train
