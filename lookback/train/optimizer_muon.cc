// Muon (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks", and their
// muon.py): the momentum of a hidden matrix is orthogonalized before it is applied. For each map, with
// G the clipped gradient:
//   M = momentum M + (1 - momentum) G,   U = nesterov ? momentum M + (1 - momentum) G : M,
//   W = (1 - rate weight_decay) W - rate sqrt(max(1, outputs / inputs)) orthogonalize(U).
// Their matrices are [outputs, inputs], ours [inputs, outputs], which changes nothing else.
//
// W_Q, W_K, W_V and W_O hold heads side by side. By default each head's block is orthogonalized by
// itself: a head is a map of its own, and together the heads would share one set of singular
// values, so that one head's update would depend on how many others are beside it.
//
// AdamW handles embeddings, positions, the unembedding and vectors. One worker handles a whole map,
// so the bits are the same on any number of workers.
#include <algorithm>
#include <cmath>
#include <vector>

#include "lookback/base/aligned.h"
#include "lookback/math/orthogonal.h"
#include "lookback/train/optimizer_adamw.h"

namespace lookback::train {
namespace {

/// One map in the flat buffer.
struct HiddenMap {
  std::size_t offset = 0, stride = 0;
  std::size_t inputs = 0, outputs = 0;
};

/// One head's block of a hidden matrix, or the whole matrix.
std::vector<HiddenMap> maps_of(const model::Program& program, bool heads_apart) {
  std::vector<HiddenMap> maps;
  for (const model::ParameterInfo& info : program.parameters) {
    if (!info.is_hidden()) continue;
    const std::size_t rows = heads_apart ? info.map_rows : info.rows;
    const std::size_t cols = heads_apart ? info.map_cols : info.cols;
    for (std::size_t r = 0; r < info.rows; r += rows) {
      for (std::size_t c = 0; c < info.cols; c += cols) {
        maps.push_back({info.offset + r * info.cols + c, info.cols, rows, cols});
      }
    }
  }
  return maps;
}

bool are_heads_apart(const OptimizerConfig& config) { return config.text("heads") == "apart"; }

class Muon : public Optimizer {
 public:
  Muon(const model::Program& program, const OptimizerConfig& config)
      : maps_(maps_of(program, are_heads_apart(config))),
        momentum_(static_cast<float>(config.number("momentum"))),
        nesterov_(config.flag("nesterov")),
        weight_decay_(config.number("weight_decay")),
        adamw_(
            program, config, [](const model::ParameterInfo& info) { return !info.is_hidden(); },
            config.number("adamw_rate")) {}

  void update(const UpdateStep& step, base::Workers& workers, TrainState& state) override {
    scratch_.resize(std::max(scratch_.size(), workers.count()));
    std::vector<float>& momenta = state.buffers.find("first_moment")->second;
    workers.run(maps_.size(), [&](std::size_t i, std::size_t worker) {
      update_map(maps_[i], step, momenta, state.parameters, scratch_[worker]);
    });
    adamw_.update(step, workers, state);
  }

 private:
  using Scratch = base::AlignedVector<float>;

  void update_map(const HiddenMap& map, const UpdateStep& step, std::span<float> momenta,
                  std::span<float> parameters, Scratch& scratch) const {
    const std::size_t size = map.inputs * map.outputs;
    const std::size_t needed = size + math::simd::orthogonalize_scratch(map.inputs, map.outputs);
    if (scratch.size() < needed) scratch.resize(needed);
    const math::Matrix<float> direction{scratch.data(), map.inputs, map.outputs, map.outputs};
    const auto scale = static_cast<float>(step.gradient_scale);
    for (std::size_t r = 0; r < map.inputs; ++r) {
      const std::size_t row = map.offset + r * map.stride;
      for (std::size_t c = 0; c < map.outputs; ++c) {
        const float fresh = (1 - momentum_) * (scale * step.gradient[row + c]);
        float& m = momenta[row + c];
        m = momentum_ * m + fresh;
        direction(r, c) = nesterov_ ? momentum_ * m + fresh : m;
      }
    }
    math::simd::orthogonalize(direction, std::span(scratch).subspan(size));
    const double ratio =
        static_cast<double>(map.outputs) / static_cast<double>(map.inputs);  // theirs: rows / cols
    const auto rate = static_cast<float>(step.learning_rate * std::sqrt(std::max(1.0, ratio)));
    const auto keep = static_cast<float>(1 - step.learning_rate * weight_decay_);
    for (std::size_t r = 0; r < map.inputs; ++r) {
      const std::span<float> row = parameters.subspan(map.offset + r * map.stride, map.outputs);
      for (std::size_t c = 0; c < map.outputs; ++c) row[c] = keep * row[c] - rate * direction(r, c);
    }
  }

  std::vector<HiddenMap> maps_;
  float momentum_;
  bool nesterov_;
  double weight_decay_;
  AdamW adamw_;
  std::vector<Scratch> scratch_;  // by worker
};

std::uint64_t muon_memory(const model::Program& program, const OptimizerConfig& config) {
  std::size_t most = 0;
  for (const HiddenMap& map : maps_of(program, are_heads_apart(config))) {
    most = std::max(most, map.inputs * map.outputs +
                              math::simd::orthogonalize_scratch(map.inputs, map.outputs));
  }
  return most * sizeof(float);
}

std::vector<base::Key> muon_keys() {
  std::vector<base::Key> keys = {
      {.name = "momentum",
       .fallback = 0.95,
       .least = 0,
       .most = largest_beta,
       .meaning = "of hidden matrices, the share of the momentum that a step keeps"},
      {.name = "nesterov",
       .fallback = true,
       .meaning = "of hidden matrices: look ahead by the gradient of the step"},
      {.name = "heads",
       .fallback = "apart",
       .options = {"apart", "together"},
       .meaning = "orthogonalize each head's block of W_Q, W_K, W_V, W_O by itself, or the whole"},
      {.name = "adamw_rate",
       .fallback = 0.05,
       .least = 0,
       .most = 1000,
       .meaning = "times the learning rate: AdamW's, for all but hidden matrices"}};
  for (base::Key& key : adamw_keys()) keys.push_back(std::move(key));
  return keys;
}

}  // namespace

OptimizerKind muon_kind() {
  OptimizerKind row = {
      {.name = "muon",
       .meaning = "Muon (Jordan et al. 2024) for hidden matrices, AdamW for all else",
       .keys = muon_keys()},
      {"first_moment", "second_moment"},
      [](const model::Program& program, const OptimizerConfig& config)
          -> std::unique_ptr<Optimizer> { return std::make_unique<Muon>(program, config); }};
  row.worker_memory = muon_memory;
  return row;
}

}  // namespace lookback::train
