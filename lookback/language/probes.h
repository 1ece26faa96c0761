// What a language model is asked without text: to copy a random sequence that it has just seen, and to
// look up what stood beside a key.
//
// Legend: T positions, V tokens.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lookback/data/token_source.h"
#include "lookback/language/predictor.h"

namespace lookback::language {

/// A sequence and the predictions that are graded in it: of tokens[target], from those before it.
struct ProbeSequence {
  std::vector<data::Token> tokens;
  std::vector<std::size_t> first;  ///< targets of the first copy (copying), or none
  std::vector<std::size_t>
      second;  ///< targets of the second copy, or the values that are asked for
};

/// Sequence i of copying: T/2 tokens drawn uniformly from `plain`, twice. First: all of the first copy
/// but its first token, which nothing comes before; second: all of the second copy.
/// REQUIRES length >= 4, plain not empty.
ProbeSequence copying_sequence(std::span<const data::Token> plain, std::size_t length,
                               std::uint64_t seed, std::uint64_t index);

/// Sequence i of multi-query associative recall (data/recall.h) with T/4 pairs, keys from one half of
/// `plain` and values from the other; the values of the queries are asked for.
/// REQUIRES length >= 8, plain.size() >= length / 2.
ProbeSequence lookup_sequence(std::span<const data::Token> plain, std::size_t length,
                              std::uint64_t seed, std::uint64_t index);

/// How a model did, a number a sequence.
struct ProbeScores {
  std::vector<double> first_loss;       ///< mean nats over the first copy; none in lookup
  std::vector<double> second_loss;      ///< mean nats over what is asked for
  std::vector<double> second_accuracy;  ///< share of it that the model puts first of all V tokens
};

/// Runs the sequences. Errors: those of Predictor::run.
Result<ProbeScores> run_probe(std::span<const ProbeSequence> sequences, const Predictor& predictor);

/// The log-probability in nats of `token` after a row of logits [V], and whether it is the first of
/// the largest.
struct TokenAnswer {
  double log_probability = 0;
  bool is_first = false;
};
TokenAnswer answer_of(std::span<const float> logits, data::Token token);

}  // namespace lookback::language
