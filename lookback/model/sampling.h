// Choosing the next token from a model's logits.
#pragma once

#include <cstddef>
#include <span>

#include "lookback/base/random.h"
#include "lookback/model/program.h"

namespace lookback::model {

/// How the next token is drawn.
struct Sampling {
  double temperature = 1;  ///< logits are divided by it; 0: always the most likely token
  std::size_t top_k = 0;   ///< only the so many most likely tokens; 0: all of them
};

/// A token t with probability softmax(logits / temperature)_t among the top_k most likely; among
/// equal logits the lowest token counts as the most likely. Takes one draw of `random`, none at
/// temperature 0, so the nth token of a text is the same however the text was split into calls.
/// REQUIRES logits not empty and finite, temperature >= 0.
Token sample(std::span<const float> logits, const Sampling& sampling, base::RandomStream& random);

}  // namespace lookback::model
