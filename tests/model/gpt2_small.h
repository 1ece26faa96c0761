// The shape of the article's model.
#pragma once

#include "lookback/model/architecture.h"

namespace lookback::model::spec {

/// GPT-2 small with rotary positions.
inline Architecture gpt2_small() {
  Architecture a;
  a.vocabulary = 50257;
  a.context = 1024;
  a.d_model = 768;
  a.d_head = 64;
  a.layers = 12;
  a.heads = 12;
  a.d_mlp = 3072;
  a.biases = true;
  a.tied_embeddings = true;
  a.positions = Positions::rotary;
  return a;
}

}  // namespace lookback::model::spec
