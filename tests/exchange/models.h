// Models for the tests of this folder: architectures, and parameters far from their start.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "lookback/study/saved_model.h"

namespace lookback::exchange::spec {

struct Named {
  std::string name;
  model::Architecture architecture;
};

// The setups of science.md section 2, small.
model::Architecture two_layer();
model::Architecture parallel();
model::Architecture sequential();
/// GPT-2's wiring: learned positions, LayerNorm, biases, an MLP, tied embeddings.
model::Architecture gpt2();

/// What TransformerLens can express: positions, norms, biases and MLPs of each kind.
std::vector<Named> for_transformer_lens();
/// What GPT2LMHeadModel can express.
std::vector<Named> for_huggingface();
/// What neither can: sequential steps, smeared keys, no OV where keys hold positions, norms of several
/// kinds.
std::vector<Named> for_torch_alone();

/// A model at a late step of a run, no parameter at the special value it starts with.
study::SavedModel make_model(const model::Architecture& architecture);

}  // namespace lookback::exchange::spec
