// A configuration for a model that no run made: the default task, reduced to what the model can
// read.
#pragma once

#include <cstddef>
#include <optional>

#include "lookback/model/architecture.h"
#include "lookback/study/run_config.h"

namespace lookback::study {

/// Requested periods, which are not fitted.
struct AskedPeriods {
  std::optional<std::size_t> min_period, max_period;
};

/// The default run of the model, with
/// - sequences as long as its context, at most `longest`, and even where they have two halves;
/// - periods of 16 to 48, but none above a third of the sequence: two copies and a gap must fit;
/// - the probes that can be drawn of these: from a context of 4 on, all.
/// It is valid (run_config.h) for every architecture that is, unless periods are asked for.
RunConfig fitted_config(const model::Architecture& architecture, std::size_t longest,
                        const AskedPeriods& asked = {});

}  // namespace lookback::study
