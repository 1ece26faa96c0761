#include "lookback/lens/attention.h"

#include <algorithm>
#include <string>
#include <utility>

#include "lookback/lens/evaluate.h"

namespace lookback::lens {
namespace {

class Maps final : public model::Observer {
 public:
  /// `names`: of the patterns, by layer.
  explicit Maps(std::span<const std::string> names) : names_(names) {}

  void activation(std::size_t, const model::Place& place,
                  math::Matrix<const float> pattern) override {
    const auto layer = std::ranges::find(names_, place.name) - names_.begin();
    AttentionMap map{{static_cast<std::size_t>(layer), place.head}, {}};
    for (std::size_t t = 0; t < pattern.rows; ++t) {
      map.weights.insert(map.weights.end(), pattern.row(t), pattern.row(t) + pattern.cols);
    }
    maps.push_back(std::move(map));
  }
  void output(std::size_t, model::Output&) override {}

  std::vector<AttentionMap> maps;

 private:
  std::span<const std::string> names_;
};

}  // namespace

Result<std::vector<AttentionMap>> attention_maps(const Model& model, model::Engine& engine,
                                                 std::span<const model::Token> tokens) {
  Plan plan;
  for (std::size_t layer = 0; layer < model.architecture().layers; ++layer) {
    plan.recorded.push_back(pattern_name(layer));
  }
  Maps maps(plan.recorded);
  const model::Job job{tokens, &plan};
  const auto session = engine.open(model.program, model::Keep::logits);
  Status ran = session->forward(model.parameters, {&job, 1}, maps);
  if (!ran) return ran.error();
  return std::move(maps.maps);
}

}  // namespace lookback::lens
