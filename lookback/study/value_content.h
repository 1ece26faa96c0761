// Value-content ablation: what a language model loses when its heads move none of the content they
// read.
//
// Legend: T positions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lookback/base/control.h"
#include "lookback/base/result.h"
#include "lookback/data/token_source.h"
#include "lookback/lens/model.h"
#include "lookback/model/engine.h"

namespace lookback::study {

/// Losses in nats, each the mean over the T - 1 predictions of one window, in the order of the windows.
struct ValueContent {
  std::vector<double> whole;    ///< of the model as it is
  std::vector<double> ablated;  ///< where every head writes the mean of its values
};

/// Runs windows 0 .. windows - 1 twice: as they are, and with what each head of each layer mixes
/// (its values; without OV its keys as they are written) replaced by its mean over positions. Keys
/// still match: only what is written forward is replaced. Layers see each other's ablated outputs.
/// Errors: as in the lens; if the windows fit the model, only base::stopped().
Result<ValueContent> value_content(const lens::Model& model, const data::TokenSource& source,
                                   std::uint64_t windows, model::Engine& engine,
                                   const base::Control& control = {});

}  // namespace lookback::study
