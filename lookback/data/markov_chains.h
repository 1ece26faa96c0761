// Markov chains of order n, a new one for each sequence: what can be learned in context are the
// statistics of n-grams. Edelman, Edelman, Goel, Malach and Tsilivis, "The Evolution of Statistical
// Induction Heads: In-Context Learning Markov Chains" (NeurIPS 2024, arXiv 2402.11004).
//
// Legend: T positions, V tokens, n the order. A chain gives every context of n tokens a row of V
// probabilities of the token that follows it.
//
//   dirichlet          each row ~ Dirichlet(c, ..., c), independently; c = 1 is uniform
//   doubly-stochastic  n = 1 and c = 1: uniform over the matrices whose columns sum to 1 as well, so
//                      that every token is as frequent as any other and counting single tokens tells
//                      nothing
//
// The first n tokens are uniform. The paper says that they are stationary, but its authors' code
// draws them uniformly for V < 5, and only then is the (n+1)-gram predictor exactly Bayes's: where
// they are stationary they already tell a little of the chain. (Under a doubly stochastic chain the
// two are the same.)
//
// Rows are the distances between sorted uniform numbers, which are Dirichlet(1, ..., 1); every c-th
// of cV - 1 numbers gives Dirichlet(c, ..., c) for whole c. So tokens come from comparisons alone,
// and are the same on every machine. Doubly stochastic rows are redrawn until no column of the first
// V - 1 sums to more than 1; what is left is the last row (V = 6: one try in about 40 does).
#pragma once

#include <cstddef>
#include <memory>

#include "lookback/base/result.h"
#include "lookback/data/task.h"

namespace lookback::data {

enum class MarkovPrior { dirichlet, doubly_stochastic };

struct MarkovTask {
  std::size_t order = 1;  ///< n
  MarkovPrior prior = MarkovPrior::dirichlet;
  std::size_t concentration = 1;  ///< c
  TaskSizes sizes = {};
};

/// The answers of prediction t are the sources s that follow an earlier x_{t-n+1} .. x_t. No token
/// belongs to an occurrence, and the opening is the whole sequence: anything may come again at once.
/// Its predictors: uniform, unigram, bigram and so on up to the (n+1)-gram, whose pseudo-count is c,
/// and which is ideal under `dirichlet`; for V = 2 under `doubly-stochastic` shared-bigram, which is
/// ideal. For V > 2 there none is.
///
/// Refuses, in one line: an order or concentration below 1, V < 2, V^(n+1) above 65,536, T < n + 2,
/// and under `doubly-stochastic` V > 6, n > 1 and c > 1.
Result<std::unique_ptr<Task>> make_markov_chains(const MarkovTask& task);

}  // namespace lookback::data
