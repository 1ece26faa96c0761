// Copying circuits with weights set by hand, one for each mechanism: known answers for whatever
// decides which mechanism a model has. No norms; streams are one-hot parts side by side.
//
// Legend: V 32 tokens, T 48 positions.
#pragma once

#include <cmath>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "lookback/data/repeated_blocks.h"
#include "tests/lens/models.h"

namespace lookback::lens {

/// Attention scores of a match, after the division by sqrt(E), and logits of a copied token.
inline constexpr float match_score = 12;
inline constexpr float copied_logit = 8;

/// A model without norms, its weights zero until set.
class Circuit {
 public:
  static constexpr std::size_t tokens = 32;
  static constexpr std::size_t positions = 48;

  Circuit(std::size_t d_model, std::size_t d_head, std::size_t layers, bool smeared = false) {
    model::Architecture a = small_architecture();
    a.vocabulary = tokens;
    a.d_model = d_model;
    a.d_head = d_head;
    a.layers = layers;
    a.heads = 1;
    a.norm = a.final_norm = model::NormKind::none;
    a.smeared_keys = smeared;
    if (smeared) a.positions = model::Positions::none;
    model_ = make_model(a);
    std::ranges::fill(model_.parameters, 0.0F);
  }

  /// W[row + i, col + i] = value for i below `count`.
  void diagonal(const std::string& name, std::size_t row, std::size_t col, std::size_t count,
                float value) {
    const model::ParameterInfo* info = model_.program.find_parameter(name);
    for (std::size_t i = 0; info != nullptr && i < count; ++i) {
      model_.parameter(name)[(row + i) * info->cols + col + i] = value;
    }
  }
  /// The query's part that makes a match score `score`.
  float scaled(float score) const {
    return score * std::sqrt(static_cast<float>(model_.program.architecture.d_head));
  }
  void number(const std::string& name, float value) { model_.parameter(name)[0] = value; }
  /// Embeds tokens at columns 0 .. 31 and positions at `first_position` ...
  void embed(std::size_t first_position) {
    diagonal("embed.W_E", 0, 0, tokens, 1);
    diagonal("pos_embed.W_pos", 0, first_position, positions, 1);
  }
  /// A head that moves tokens to columns `to` ...
  void copy_tokens(const std::string& attn, std::size_t to) {
    diagonal(attn + ".W_V", 0, 0, tokens, 1);
    diagonal(attn + ".W_O", 0, to, tokens, 1);
  }

  SmallModel model_;
};

/// What they copy: blocks of 4 to 20 tokens, a range too wide for a band of offsets.
inline std::unique_ptr<data::BlockSource> circuit_probe(std::size_t min_period = 4,
                                                        std::size_t max_period = 20) {
  data::BlockTask task;
  task.vocabulary = Circuit::tokens;
  task.length = Circuit::positions;
  task.min_period = min_period;
  task.max_period = max_period;
  task.purpose = base::StreamPurpose::probe;
  auto source = data::make_block_source(task);
  return source ? std::move(*source) : nullptr;
}

/// Layer 0 writes the token before; layer 1's keys read it. Columns: token 32, that before 32,
/// position 48, answer 32.
inline SmallModel k_composition_circuit() {
  Circuit c(144, 48, 2);
  c.embed(64);
  c.diagonal("blocks.0.attn.W_Q", 65, 0, 47, c.scaled(3 * match_score));  // position t ...
  c.diagonal("blocks.0.attn.W_K", 64, 0, 47, 1);                          // ... finds t - 1
  c.copy_tokens("blocks.0.attn", 32);
  c.diagonal("blocks.1.attn.W_Q", 0, 0, 32, c.scaled(match_score));
  c.diagonal("blocks.1.attn.W_K", 32, 0, 32, 1);
  c.copy_tokens("blocks.1.attn", 112);
  c.diagonal("unembed.W_U", 112, 0, 32, copied_logit);
  return std::move(c.model_);
}

/// Layer 0 writes the position after the token's earlier occurrence; layer 1's queries read it.
/// Columns: token 32, position 48, pointer 48, answer 32.
inline SmallModel q_composition_circuit() {
  Circuit c(160, 80, 2);
  c.embed(32);
  c.diagonal("blocks.0.attn.W_Q", 0, 0, 32, c.scaled(match_score));
  c.diagonal("blocks.0.attn.W_K", 0, 0, 32, 1);
  c.diagonal("blocks.0.attn.W_Q", 32, 32, 48, c.scaled(-2 * match_score));  // but not itself
  c.diagonal("blocks.0.attn.W_K", 32, 32, 48, 1);
  c.diagonal("blocks.0.attn.W_V", 32, 1, 47, 1);
  c.diagonal("blocks.0.attn.W_O", 0, 80, 48, 1);
  c.diagonal("blocks.1.attn.W_Q", 80, 0, 48, c.scaled(match_score));
  c.diagonal("blocks.1.attn.W_K", 32, 0, 48, 1);
  c.copy_tokens("blocks.1.attn", 128);
  c.diagonal("unembed.W_U", 128, 0, 32, copied_logit);
  return std::move(c.model_);
}

/// One layer whose keys are those of the token before. Columns: token 32, answer 32.
inline SmallModel smeared_keys_circuit() {
  Circuit c(64, 32, 1, true);
  c.diagonal("embed.W_E", 0, 0, 32, 1);
  c.number("blocks.0.attn.smear", -12);  // sigmoid: 6e-6 of the key itself
  c.diagonal("blocks.0.attn.W_Q", 0, 0, 32, c.scaled(match_score));
  c.diagonal("blocks.0.attn.W_K", 0, 0, 32, 1);
  c.copy_tokens("blocks.0.attn", 32);
  c.diagonal("unembed.W_U", 32, 0, 32, copied_logit);
  return std::move(c.model_);
}

/// One layer that looks `offset` positions back. Columns: token 32, position 48, answer 32.
inline SmallModel band_circuit(std::size_t offset) {
  Circuit c(112, 48, 1);
  c.embed(32);
  c.diagonal("blocks.0.attn.W_Q", 32 + offset, 0, 48 - offset, c.scaled(match_score));
  c.diagonal("blocks.0.attn.W_K", 32, 0, 48 - offset, 1);
  c.copy_tokens("blocks.0.attn", 80);
  c.diagonal("unembed.W_U", 80, 0, 32, copied_logit);
  return std::move(c.model_);
}

}  // namespace lookback::lens
