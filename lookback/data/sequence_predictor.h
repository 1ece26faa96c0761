// Predicts a sequence token by token without having been trained: what a model is held against.
//
// Legend: V tokens.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "lookback/data/token_source.h"

namespace lookback::data {

/// One sequence at a time; not thread-safe.
class SequencePredictor {
 public:
  virtual ~SequencePredictor() = default;

  /// A new sequence: nothing has been seen of it.
  virtual void begin() = 0;

  /// The next token of the sequence. REQUIRES token < V.
  virtual void see(Token token) = 0;

  /// Fills probabilities [V] of the token after those seen; their sum is 1.
  virtual void predict(std::span<double> probabilities) const = 0;
};

struct NamedPredictor {
  std::string name;  ///< a key of metrics: "unigram"
  std::unique_ptr<SequencePredictor> predictor;
  bool is_ideal = false;  ///< no predictor has a lower expected loss on this task
};

}  // namespace lookback::data
