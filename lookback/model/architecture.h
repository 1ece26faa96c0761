// An architecture is plain data: what is wired to what. compile.h turns it into steps.
//
// A model is `layers` layers. A layer makes `steps` attention steps, one after another, of `heads`
// parallel heads each. Anthropic's two-layer setup is layers 2; the parallel control is heads 2; the
// article's recurrent layer is steps 2. A head is counted step by step: step s, head h of a layer is
// head s * heads + h of its activations.
//
// Legend: B sequences, T positions, V tokens, D = d_model, H heads, E = d_head.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lookback/base/result.h"

namespace lookback::model {

enum class NormKind { none, layernorm, rmsnorm };

enum class Positions {
  none,
  learned,      ///< W_pos is added to the stream
  shortformer,  ///< W_pos is added to the inputs of Q and K only (Press et al. 2021)
  rotary,       ///< Q and K are rotated (Su et al. 2021)
};

/// What the second and later sequential steps of a layer read, before the earlier steps' outputs are
/// added: the layer's normed input or its raw residual stream.
enum class StepInput { normed, raw };

/// Which key a head without OV writes forward, when rotary positions make the two differ.
enum class NoOvValue { before_rotation, after_rotation };

/// How weights start. W_E and W_pos ~ N(0, embedding), N(0, position). With `fan_in` a matrix with
/// n inputs starts at N(0, gain / sqrt(n)) (E inputs for W_O); else at N(0, gain).
struct Initialization {
  double embedding = 0.3;
  double position = 0.3;
  bool fan_in = true;
  double gain = 1.0;           ///< W_Q, W_K, W_V, W_in, W_U
  double residual_gain = 0.5;  ///< W_O and W_out, which write to the stream
  bool depth_scaled = false;   ///< residual_gain / sqrt(2 layers), as GPT-2

  bool operator==(const Initialization&) const = default;
};

struct Architecture {
  std::size_t vocabulary = 256;  ///< V
  std::size_t context = 256;     ///< T
  std::size_t d_model = 128;     ///< D
  std::size_t d_head = 64;       ///< E
  std::size_t layers = 1;
  std::size_t heads = 1;        ///< parallel heads in each step
  std::size_t steps = 1;        ///< sequential steps in each layer
  bool shared_weights = false;  ///< the steps of a layer use the same weights: true recurrence
  NormKind norm_between = NormKind::none;  ///< before the second and later steps of a layer
  StepInput step_input = StepInput::normed;
  NormKind norm = NormKind::layernorm;           ///< before each layer's attention
  std::vector<std::size_t> layers_without_norm;  ///< exceptions to `norm`, counted from 0
  NormKind mlp_norm = NormKind::layernorm;
  NormKind final_norm = NormKind::layernorm;
  Positions positions = Positions::learned;
  double rotary_base = 10000.0;
  bool biases = false;    ///< of attention and MLP; norms have their own
  std::size_t d_mlp = 0;  ///< 0: attention only
  bool tied_embeddings = false;
  bool smeared_keys = false;
  bool no_ov = false;
  NoOvValue no_ov_value = NoOvValue::before_rotation;
  Initialization initialization;

  NormKind norm_of(std::size_t layer) const {
    return std::ranges::find(layers_without_norm, layer) == layers_without_norm.end()
               ? norm
               : NormKind::none;
  }
  /// Heads of one layer over all its steps, as activations count them.
  std::size_t heads_per_layer() const { return heads * steps; }
  bool operator==(const Architecture&) const = default;
};

/// Refuses, with the reason, what makes no sense or exceeds any machine (sizes are bounded so that
/// no product of them overflows).
Status validate(const Architecture& architecture);

}  // namespace lookback::model
