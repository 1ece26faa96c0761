// The components whose sum is the stream that a head or the logits read.
//
// Every head reads a stream through a norm (hook_q_input, hook_k_input, hook_v_input: each head's own
// copy of it, before the norm), and the logits read the last one. Such a stream is a sum, exactly:
//
//   a layer's first step   token embedding + learned positions + what every earlier head, bias and
//                          MLP wrote
//   a later step           the layer's normed input n (one component, `base`), or with raw step
//                          input, or no norm, all of the above; + what the earlier steps wrote
//   the logits             all of the model
//
// Shortformer's positions are not part of a stream: they are added to what queries and keys read
// after the norm.
//
// Legend: T positions, D = d_model, E = d_head.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lookback/lens/model.h"
#include "lookback/lens/probe_result.h"

namespace lookback::lens {

struct Component {
  enum class Kind {
    token,
    position,
    base,  ///< the normed stream that a layer's later steps go on from
    head,  ///< z W_O of one head; without OV, z in the head's columns
    bias,  ///< b_O of one attention step
    mlp,   ///< with its output bias
  };
  Kind kind = Kind::token;
  std::size_t layer = 0;   ///< of base, head, bias, mlp
  std::size_t number = 0;  ///< head: in its layer over all steps; bias: the step

  bool operator==(const Component&) const = default;
  /// Positions and biases are the same in every sequence, so their mean or another sequence's is
  /// the same too.
  bool constant() const { return kind == Kind::position || kind == Kind::bias; }
};

/// "token", "position", "base 0", "head 0.1", "bias 0.0", "mlp 0": numbers are layer.number.
std::string name_of(const Component& component);

/// The components of the stream that a head reads, in the order of the forward pass. Its q, k and v
/// inputs are the same sum.
std::vector<Component> components_read(const model::Architecture& architecture, HeadPlace reader);
/// Those of the stream before ln_final.
std::vector<Component> components_of_logits(const model::Architecture& architecture);

/// Whether anything but embeddings comes before the head.
bool reads_earlier_parts(const model::Architecture& architecture, HeadPlace reader);
/// Whether `earlier` is a component of what `reader` reads.
bool reads(const model::Architecture& architecture, HeadPlace reader, HeadPlace earlier);

/// Every head of the model, layer by layer, step by step.
std::vector<HeadPlace> all_heads(const model::Architecture& architecture);

/// What must be recorded for component_value: hook_z of every layer, the embeddings, MLPs, bases.
std::vector<std::string> component_activations(const model::Architecture& architecture);

/// Writes the component's value to out [T,D] and returns it: for one run or, since components are
/// linear in what is recorded, for means over runs. REQUIRES a recording of component_activations
/// and a component of this model.
void component_value(const Model& model, const Recording& recording, const Component& component,
                     math::Matrix<float> out);

/// A head's columns of W_Q or W_K, [D,E]; `letter` is 'Q' or 'K'.
math::Matrix<const float> head_weight(const Model& model, HeadPlace head, char letter);

}  // namespace lookback::lens
