// What was folded into a circuit, what was frozen, and what was left out.
#pragma once

#include <vector>

#include "lookback/lens/circuit_factors.h"
#include "lookback/lens/stream_path.h"

namespace lookback::lens {

/// The notes of a circuit from tokens, norms first.
std::vector<CircuitNote> circuit_notes(const model::Architecture& architecture,
                                       const StreamPaths& paths, const CircuitId& id);

/// The notes of a head's positional circuit.
std::vector<CircuitNote> positional_notes(const model::Architecture& architecture,
                                          const StreamPaths& paths, HeadPlace place);

}  // namespace lookback::lens
