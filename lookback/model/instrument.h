// Instrumented programs: activations of single heads that a program computes all at once, as slots.
#pragma once

#include <cstddef>
#include <span>

#include "lookback/model/program.h"

namespace lookback::model {

/// The program with some Linear steps taken apart, a head at a time, so that a slot of its own shows
/// what each head reads (hook_q_input, ...: TransformerLens's copy of the stream BEFORE the norm, which
/// is then taken for that head alone) or writes (hook_result: its own part of the sum).
///
/// `apart` are the numbers of these steps. REQUIRES that sites of theirs have no slot yet. Parameters,
/// sites, slots and the steps before the first of `apart` are the program's own; slots are appended.
/// It computes the same function, with as many products; what it adds are copies, norms and sums.
Program instrument(const Program& program, std::span<const std::size_t> apart);

}  // namespace lookback::model
