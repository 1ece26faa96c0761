#include "lookback/lens/attention.h"

#include <algorithm>
#include <utility>

#include "lookback/lens/evaluate.h"
#include "lookback/model/executor.h"
#include "lookback/model/taps.h"

namespace lookback::lens {

Result<std::vector<AttentionMap>> attention_maps(const model::Program& program,
                                                 std::span<const float> parameters,
                                                 std::span<const model::Token> tokens) {
  const std::size_t vocabulary =
      tokens.empty() ? 0 : std::size_t{*std::ranges::max_element(tokens)} + 1;
  if (Status status = check_inputs(program, parameters, tokens.size(), vocabulary); !status) {
    return status.error();
  }
  std::vector<AttentionMap> maps;
  model::Taps<float> taps(program);
  for (std::size_t layer = 0; layer < program.architecture.layers; ++layer) {
    const auto keep = [&maps, layer](const model::Tapped& at, math::Matrix<float> pattern) {
      AttentionMap map{{layer, at.head}, {}};
      for (std::size_t t = 0; t < pattern.rows; ++t) {
        map.weights.insert(map.weights.end(), pattern.row(t), pattern.row(t) + pattern.cols);
      }
      maps.push_back(std::move(map));
    };
    if (Status status = taps.on_forward(pattern_name(layer), keep); !status) return status.error();
  }
  model::Executor<float>(program, 1, tokens.size(), model::Keep::logits)
      .forward(parameters, tokens, &taps);
  return maps;
}

}  // namespace lookback::lens
