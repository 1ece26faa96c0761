// Where the numbers of each slot are stored, such that slots that are never needed at the same time
// share memory.
#pragma once

#include <cstddef>
#include <vector>

#include "lookback/model/program.h"

namespace lookback::model {

/// Which of a program's activations stay in memory.
enum class Keep {
  everything,  ///< as a backward pass, taps that look back and runs from a later step need it
  logits,      ///< a slot's memory is another's as soon as its last reader has run
  past,        ///< of the last logits; and what later positions read, for a sequence that grows
};

/// Offsets in numbers, by slot, into one block of `size` numbers; each a multiple of a cache line.
struct MemoryPlan {
  std::vector<std::size_t> offsets;
  std::size_t size = 0;
};

/// Of the activations of B sequences of T tokens; with Keep::past, of T at a time, up to the context.
MemoryPlan plan_values(const Program& program, std::size_t batch, std::size_t length, Keep keep);

/// For their gradients. A gradient lives from the backward of the last step that reads its slot to
/// the backward of the step that writes the slot: in a deep model, one layer's worth at a time. The
/// logits need none: their gradient overwrites them.
MemoryPlan plan_gradients(const Program& program, std::size_t batch, std::size_t length);

}  // namespace lookback::model
