// Bayes predictors of Markov chains: what is expected next, given what was counted so far.
//
// Legend: V tokens, c the pseudo-count, which is the concentration of the Dirichlet prior of each row.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "lookback/data/sequence_predictor.h"

namespace lookback::data {

/// 1 / V for every token.
std::unique_ptr<SequencePredictor> make_uniform_predictor();

/// (count + c) / (total + V c) over what followed the last n - 1 tokens before; n = 1 counts single
/// tokens. Uniform while fewer than n - 1 tokens were seen. It is Bayes's predictor of a chain of order
/// n - 1 whose rows are Dirichlet(c, ..., c) and whose first tokens say nothing of them.
/// REQUIRES n >= 1, V >= 1, c > 0; it keeps V^n numbers.
std::unique_ptr<SequencePredictor> make_ngram_predictor(std::size_t vocabulary, std::size_t n,
                                                        double pseudo_count);

/// Of two tokens: (stays + 1) / (pairs + 2) that the next is the same as the last. Both rows of a doubly
/// stochastic chain of two tokens stay with the same probability, so they share what was counted; uniform
/// prior.
std::unique_ptr<SequencePredictor> make_shared_bigram_predictor();

/// "unigram", "bigram", "trigram", "4-gram", ... REQUIRES n >= 1.
std::string ngram_name(std::size_t n);

}  // namespace lookback::data
