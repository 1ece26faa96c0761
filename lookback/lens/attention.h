// Attention maps: every head's pattern on one sequence.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/lens/model.h"
#include "lookback/lens/probe_result.h"

namespace lookback::lens {

struct AttentionMap {
  HeadPlace place;
  std::vector<float> weights;  ///< [T,T] row-major, query by source; zero above the diagonal
};

/// The patterns of all heads on tokens [T], layer by layer, step by step, head by head. Errors: as
/// check_inputs (engine.h) for the tokens.
Result<std::vector<AttentionMap>> attention_maps(const Model& model, model::Engine& engine,
                                                 std::span<const model::Token> tokens);

}  // namespace lookback::lens
