// The edits that make each ablation of ablation.h, for one sequence.
//
// All of these REQUIRE that the context's recordings contain ablation_activations, including
// patterns where one is named below.
#pragma once

#include <string>
#include <vector>

#include "lookback/lens/ablation.h"

namespace lookback::lens {

/// Adds (replacement - component) to the head's own copy of the stream, before its norm. Shortformer's
/// positions come after it: there the query or key itself is changed by W_pos W_Q.
/// Without OV, Input::v also sets the pattern to the recorded one.
Edits edits_of(const PathAblation& ablation, Context& context);
/// Adds (replacement - component) to the stream before ln_final.
Edits edits_of(const LogitsAblation& ablation, Context& context);
/// Sets hook_z, and so replaces what the head writes, z W_O.
Edits edits_of(const HeadAblation& ablation, Context& context);
/// Sets hook_pattern to the recorded mean or the other sequence's.
Edits edits_of(const PatternAblation& ablation, Context& context);
/// Sets hook_z to the mean of the run's own values.
Edits edits_of(const ValueAblation& ablation, Context& context);
/// Frozen: sets hook_scale. Removed: sets hook_normalized to the run's own stream before the norm.
Edits edits_of(const NormAblation& ablation, Context& context);

/// A norm of the model, in the order of the forward pass.
struct NormPlace {
  std::string name;    ///< "blocks.0.ln1", "ln_final"
  std::string stream;  ///< the activation that it norms
};
std::vector<NormPlace> all_norms(const model::Architecture& architecture);

/// "blocks.1.hook_k_input": the head's own copy of the stream for one input. The layers' heads
/// without OV have no value input: theirs is the key's.
std::string input_name(const model::Architecture& architecture, std::size_t layer, Input input);
/// The activation that a head's pattern mixes: hook_v, or without OV the key as it is written.
std::string value_name(const model::Architecture& architecture, std::size_t layer);
/// "blocks.0.attn.hook_z".
std::string z_name(std::size_t layer);

/// What the ablations need recorded. `patterns`: those of every head.
std::vector<std::string> ablation_activations(const model::Architecture& architecture,
                                              bool patterns);

}  // namespace lookback::lens
