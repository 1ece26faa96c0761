#include "lookback/lens/circuit_notes.h"

#include <fmt/format.h>

#include <string>

#include "lookback/lens/head_weights.h"

namespace lookback::lens {
namespace {

using model::Architecture;
using model::Positions;
using Notes = std::vector<CircuitNote>;

bool ends_in_logits(CircuitKind kind) {
  return kind == CircuitKind::ov || kind == CircuitKind::v_composition;
}

void note_norms(const StreamPaths& paths, const CircuitId& id, Notes& notes) {
  if (id.from) {
    paths.from_stream(*id.from).note(notes);
    paths.between(*id.from, id.head).note(notes);
  }
  if (!id.from || !ends_in_logits(id.kind)) paths.from_stream(id.head).note(notes);
  if (ends_in_logits(id.kind)) paths.to_logits().note(notes);
}

void note_scores(const Architecture& a, HeadPlace place, Notes& notes) {
  const std::string attn = attention_prefix(a, place);
  if (a.positions == Positions::rotary) {
    add_note(notes, Treatment::frozen, "rotation of queries and keys: as at offset 0");
  }
  if (a.biases) add_note(notes, Treatment::ignored, attn + "b_Q, " + attn + "b_K");
}

void note_values(const Architecture& a, HeadPlace place, Notes& notes) {
  const std::string attn = attention_prefix(a, place);
  if (a.no_ov) {
    add_note(notes, Treatment::folded, "no OV: W_V is W_K, W_O the head's rows of the identity");
    if (a.smeared_keys) {
      add_note(notes, Treatment::folded, "smeared values: times s, the share of the own token");
    }
    if (a.no_ov_value == model::NoOvValue::after_rotation) {
      add_note(notes, Treatment::frozen, "rotation of values: as at position 0");
    }
    if (a.biases) add_note(notes, Treatment::ignored, attn + "b_K");
  } else if (a.biases) {
    add_note(notes, Treatment::ignored, attn + "b_V, " + attn + "b_O");
  }
}

void note_smear(const Architecture& a, CircuitKind kind, Notes& notes) {
  if (!a.smeared_keys) return;
  add_note(notes, Treatment::folded,
           kind == CircuitKind::qk_before
               ? "smeared keys: times 1 - s, the share of the token before the key"
               : "smeared keys: times s, the share of the key's own token");
}

}  // namespace

Notes circuit_notes(const Architecture& a, const StreamPaths& paths, const CircuitId& id) {
  Notes notes;
  note_norms(paths, id, notes);
  if (id.from) {
    note_values(a, *id.from, notes);
    add_note(
        notes, Treatment::frozen,
        fmt::format("pattern of head {}.{}: all on one source", id.from->layer, id.from->head));
  }
  if (ends_in_logits(id.kind)) {
    note_values(a, id.head, notes);
  } else {
    note_scores(a, id.head, notes);
    note_smear(a, id.kind, notes);
  }
  if (a.positions == Positions::learned || a.positions == Positions::shortformer) {
    add_note(notes, Treatment::ignored, "pos_embed.W_pos");
  }
  const bool mlp_between = ends_in_logits(id.kind) || id.head.layer > 0;
  if (a.d_mlp > 0 && mlp_between) {
    add_note(notes, Treatment::ignored, "paths through MLPs");
  }
  return notes;
}

Notes positional_notes(const Architecture& a, const StreamPaths& paths, HeadPlace place) {
  Notes notes;
  if (a.positions != Positions::shortformer) paths.from_stream(place).note(notes);
  if (a.positions == Positions::rotary) {
    add_note(notes, Treatment::folded, "rotation of queries and keys");
    add_note(notes, Treatment::folded, "tokens: the mean over the whole vocabulary");
  } else {
    add_note(notes, Treatment::ignored, "embed.W_E");
  }
  if (a.smeared_keys) add_note(notes, Treatment::folded, "smeared keys");
  const std::string attn = attention_prefix(a, place);
  if (a.biases) add_note(notes, Treatment::ignored, attn + "b_Q, " + attn + "b_K");
  // Shortformer's positions are not in the stream, and nothing else turns them into positions.
  const bool mlp_between = place.layer > 0 && a.positions != Positions::shortformer;
  if (a.d_mlp > 0 && mlp_between) {
    add_note(notes, Treatment::ignored, "paths through MLPs");
  }
  return notes;
}

}  // namespace lookback::lens
