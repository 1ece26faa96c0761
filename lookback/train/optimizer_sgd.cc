// Stochastic gradient descent with momentum, as PyTorch's torch.optim.SGD computes it (without
// dampening), so that runs can be compared: Sutskever et al. 2013 with the learning rate outside the
// momentum. With g = the clipped gradient + weight_decay p:
//   m = momentum m + g,   p -= learning_rate (nesterov ? g + momentum m : m).
// Weight decay is therefore an L2 penalty, not decoupled as AdamW's is.
#include <vector>

#include "lookback/train/optimizer.h"
#include "lookback/train/slices.h"

namespace lookback::train {
namespace {

class Sgd : public Optimizer {
 public:
  Sgd(const model::Program& program, const OptimizerConfig& config)
      : program_(program),
        slices_(cut_into_slices(program)),
        momentum_(static_cast<float>(config.number("momentum"))),
        nesterov_(config.flag("nesterov")),
        weight_decay_(static_cast<float>(config.number("weight_decay"))),
        decay_all_(config.flag("decay_all")) {}

  void update(const UpdateStep& step, base::Workers& workers, TrainState& state) override {
    std::vector<float>& momenta = state.buffers.find("momentum")->second;
    workers.run(slices_.size(), [&](std::size_t i, std::size_t) {
      const Slice& slice = slices_[i];
      const bool decays = program_.parameters[slice.parameter].matrix || decay_all_;
      update_slice(step, decays ? weight_decay_ : 0, slice.of(step.gradient),
                   slice.of(std::span(momenta)), slice.of(std::span(state.parameters)));
    });
  }

 private:
  /// All of one length. Each operation is rounded by itself, so the bits are those of every
  /// instruction set.
  void update_slice(const UpdateStep& step, float decay, std::span<const float> gradient,
                    std::span<float> momenta, std::span<float> parameters) const {
    const auto scale = static_cast<float>(step.gradient_scale);
    const auto rate = static_cast<float>(step.learning_rate);
    const float ahead = nesterov_ ? momentum_ : 1;  // of the momentum
    const float own = nesterov_ ? 1 : 0;            // of the gradient
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const float g = scale * gradient[i] + decay * parameters[i];
      momenta[i] = momentum_ * momenta[i] + g;
      parameters[i] -= rate * (own * g + ahead * momenta[i]);
    }
  }

  const model::Program& program_;
  std::vector<Slice> slices_;
  float momentum_;
  bool nesterov_;
  float weight_decay_;
  bool decay_all_;
};

}  // namespace

OptimizerKind sgd_kind() {
  return {
      {.name = "sgd",
       .meaning = "SGD with momentum, as torch.optim.SGD",
       .keys = {{.name = "momentum",
                 .fallback = 0.9,
                 .least = 0,
                 .most = 0.999999,
                 .meaning = "the share of the momentum that a step keeps; 0: none"},
                {.name = "nesterov",
                 .fallback = false,
                 .meaning = "look ahead: the step is the gradient plus the new momentum's share"},
                {.name = "weight_decay",
                 .fallback = 0.0,
                 .least = 0,
                 .most = 100,
                 .meaning = "L2: weight_decay * p is added to the clipped gradient"},
                {.name = "decay_all",
                 .fallback = false,
                 .meaning = "decay vectors (norms, biases) too, not only matrices"}}},
      {"momentum"},
      [](const model::Program& program, const OptimizerConfig& config)
          -> std::unique_ptr<Optimizer> { return std::make_unique<Sgd>(program, config); },
      [](const OptimizerConfig& config, base::TableReader& table) {
        if (!config.flag("nesterov") || config.number("momentum") > 0) return;
        table.fail("nesterov", "found true with momentum = 0, allowed: a momentum above 0");
      },
  };
}

}  // namespace lookback::train
