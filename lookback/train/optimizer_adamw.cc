#include "lookback/train/optimizer_adamw.h"

#include <cmath>

#include "lookback/math/simd.h"

namespace lookback::train {

std::vector<base::Key> adamw_keys() {
  return {
      {.name = "beta1",
       .fallback = 0.9,
       .least = 0,
       .most = largest_beta,
       .meaning = "the share of the first moment that a step keeps"},
      {.name = "beta2",
       .fallback = 0.98,
       .least = 0,
       .most = largest_beta,
       .meaning = "the share of the second moment that a step keeps"},
      {.name = "epsilon",
       .fallback = 1e-8,
       .least = 1e-30,  // with 0, a parameter without a gradient would be 0 / 0
       .most = 1,
       .meaning = "added to the root of the second moment"},
      {.name = "weight_decay",
       .fallback = 0.01,
       .least = 0,
       .most = 100,
       .meaning = "decoupled: p -= learning rate * weight_decay * p"},
      {.name = "decay_all",
       .fallback = false,
       .meaning = "decay vectors (norms, biases) too, not only matrices"},
  };
}

AdamW::AdamW(const model::Program& program, const OptimizerConfig& config,
             const std::function<bool(const model::ParameterInfo&)>& takes, double rate_factor)
    : beta1_(config.number("beta1")),
      beta2_(config.number("beta2")),
      epsilon_(config.number("epsilon")),
      weight_decay_(config.number("weight_decay")),
      rate_factor_(rate_factor) {
  for (const Slice& slice : cut_into_slices(program)) {
    const model::ParameterInfo& info = program.parameters[slice.parameter];
    if (takes(info)) parts_.push_back({slice, info.matrix || config.flag("decay_all")});
  }
}

void AdamW::update(const UpdateStep& step, base::Workers& workers, TrainState& state) {
  const auto count = static_cast<double>(state.step + 1);
  math::AdamW numbers;
  numbers.learning_rate = static_cast<float>(step.learning_rate * rate_factor_);
  numbers.beta1 = static_cast<float>(beta1_);
  numbers.beta2 = static_cast<float>(beta2_);
  numbers.epsilon = static_cast<float>(epsilon_);
  numbers.correction1 = static_cast<float>(1.0 - std::pow(beta1_, count));
  numbers.correction2 = static_cast<float>(1.0 - std::pow(beta2_, count));
  numbers.gradient_scale = static_cast<float>(step.gradient_scale);
  const std::span<float> parameters = state.parameters;
  const std::span<float> first = state.buffers.find("first_moment")->second;
  const std::span<float> second = state.buffers.find("second_moment")->second;
  workers.run(parts_.size(), [&](std::size_t i, std::size_t) {
    const auto& [slice, decays] = parts_[i];
    math::AdamW own = numbers;
    own.weight_decay = decays ? static_cast<float>(weight_decay_) : 0.0F;
    math::simd::adamw(own, slice.of(parameters), slice.of(step.gradient), slice.of(first),
                      slice.of(second));
  });
}

OptimizerKind adamw_kind() {
  return {{.name = "adamw", .meaning = "AdamW (Loshchilov and Hutter 2019)", .keys = adamw_keys()},
          {"first_moment", "second_moment"},
          [](const model::Program& program,
             const OptimizerConfig& config) -> std::unique_ptr<Optimizer> {
            return std::make_unique<AdamW>(program, config, [](const auto&) { return true; });
          }};
}

}  // namespace lookback::train
