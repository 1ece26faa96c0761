// Clamps: parts of a model that a run fixes to their ideal, or freezes, while the rest trains.
//
// They answer the question of which part's learning the others wait for: "What needs to go right
// for an induction head?" (Singh et al. 2024, arXiv 2404.07129). What they do to a forward and
// backward pass is in clamp_plans.h.
//
// Legend: T positions, V tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/base/toml_table.h"
#include "lookback/model/program.h"

namespace lookback::train {

enum class ClampKind {
  previous_token,  ///< the head's pattern is the ideal one of that name (data/ideal_patterns.h)
  matching,        ///< the same: to what followed the earlier occurrences of the query's token
  copying,         ///< the head writes an ideal copy of what it attends to, straight to the logits
  freeze,          ///< an activation, by name, does not follow what training does
};

/// What a frozen activation is.
enum class FreezeTo {
  initial,      ///< what it is in the same sequence under the run's starting weights, unclamped
  zero,         ///< nothing
  no_gradient,  ///< itself; but nothing upstream learns through it
};

/// One table [clamp.NAME] of a run.
struct Clamp {
  std::string name;
  ClampKind kind = ClampKind::freeze;
  std::size_t layer = 0;            ///< of all kinds but freeze
  std::optional<std::size_t> head;  ///< over the layer's steps; may be absent in freeze only: all
  std::string activation;           ///< of freeze: a name that a tap can have
  FreezeTo to = FreezeTo::initial;  ///< of freeze
  double gain = 0;                  ///< of copying: logits per attention
  std::uint64_t first = 0;          ///< in force for the steps that begin at `first` tokens seen
  std::uint64_t end = 0;            ///< or more, and below `end`

  bool operator==(const Clamp&) const = default;

  bool in_force(std::uint64_t tokens_seen) const {
    return first <= tokens_seen && tokens_seen < end;
  }
};

/// The default gain of an ideal copy: a head that attends only to the token that comes next then
/// predicts it, with everything else silent, at a loss of 0.01 nats. From loss = ln(1 + (V - 1)
/// exp(-gain)): gain = ln((V - 1) / (exp(0.01) - 1)), 10.1 for V = 256.
double default_copying_gain(std::size_t vocabulary);

/// Reads the tables [clamp.NAME], at most 256, in the order of the text. A clamp without `tokens`
/// is in force for the whole run of `run_tokens`. The reader's finish() reports errors.
std::vector<Clamp> read_clamps(base::TableReader clamps, std::uint64_t run_tokens,
                               std::size_t vocabulary);

/// Refuses, in one line with the clamp's name: a layer, head or activation that the program does
/// not have, an activation that cannot be frozen this way, a clamp that would never be in force in
/// a run of `run_tokens`, and two clamps that set one activation at the same time.
Status validate(std::span<const Clamp> clamps, const model::Program& program,
                std::uint64_t run_tokens);

/// The tables, each after an empty line, every key of its kind with its value; no clamps: no text.
std::string to_toml(std::span<const Clamp> clamps);

/// "blocks.{layer}.attn.hook_{what}"
std::string attention_name(std::size_t layer, std::string_view what);

/// Whether a clamp sets the pattern of this head (over the steps of the layer): its score then
/// shows the clamp, not what the model learned.
bool sets_pattern(const Clamp& clamp, std::size_t layer, std::size_t head);

}  // namespace lookback::train
