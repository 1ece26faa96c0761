#include "lookback/lens/attention.h"

#include <utility>

#include "lookback/lens/evaluate.h"

namespace lookback::lens {
namespace {

/// "blocks.3.attn.hook_pattern" is of layer 3; each comes once for every step and head of its layer.
class Maps final : public model::Observer {
 public:
  void activation(std::size_t, const model::Place& place,
                  math::Matrix<const float> pattern) override {
    if (place.name != layer_name_) {
      layer_name_ = place.name;
      layer_ = maps.empty() ? 0 : layer_ + 1;
    }
    AttentionMap map{{layer_, place.head}, {}};
    for (std::size_t t = 0; t < pattern.rows; ++t) {
      map.weights.insert(map.weights.end(), pattern.row(t), pattern.row(t) + pattern.cols);
    }
    maps.push_back(std::move(map));
  }
  void output(std::size_t, model::Output&) override {}

  std::vector<AttentionMap> maps;

 private:
  std::string layer_name_;
  std::size_t layer_ = 0;
};

}  // namespace

Result<std::vector<AttentionMap>> attention_maps(const Model& model, model::Engine& engine,
                                                 std::span<const model::Token> tokens) {
  Plan plan;
  for (std::size_t layer = 0; layer < model.architecture().layers; ++layer) {
    plan.recorded.push_back(pattern_name(layer));
  }
  Maps maps;
  const model::Job job{tokens, &plan};
  const auto session = engine.open(model.program, model::Keep::logits);
  Status ran = session->forward(model.parameters, {&job, 1}, maps);
  if (!ran) return ran.error();
  return std::move(maps.maps);
}

}  // namespace lookback::lens
