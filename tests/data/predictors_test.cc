// Predictors of tasks: what they expect, held against sums and integrals over all that could have drawn
// what was seen, and the ideal one's loss against that of the others.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "lookback/data/block_predictor.h"
#include "lookback/data/markov_chains.h"
#include "lookback/data/ngram_predictors.h"
#include "tests/data/block_sources.h"

namespace lookback::data {
namespace {

/// The probability that the tokens come in this order.
double probability_of(SequencePredictor& predictor, std::span<const Token> tokens,
                      std::size_t vocabulary) {
  std::vector<double> next(vocabulary);
  double product = 1;
  predictor.begin();
  for (const Token token : tokens) {
    predictor.predict(next);
    EXPECT_NEAR(std::accumulate(next.begin(), next.end(), 0.0), 1, 1e-12);
    product *= next[token];
    predictor.see(token);
  }
  return product;
}

std::unique_ptr<Task> chains_of(std::size_t vocabulary, std::size_t order, MarkovPrior prior,
                                std::size_t concentration = 1) {
  auto made = make_markov_chains({order, prior, concentration, {vocabulary, 60, 1}});
  EXPECT_TRUE(made) << made.error().message;
  return std::move(*made);
}

TEST(NgramPredictors, AreBayesPredictorsOfTheirChains) {
  // Two tokens, order 1: the integral over P(0 -> 1) and P(1 -> 0), both Beta(c, c).
  const std::vector<Token> x = {0, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1};
  for (const double c : {1.0, 3.0}) {
    constexpr int steps = 400;
    double seen = 0, all = 0;
    for (int i = 0; i < steps * steps; ++i) {
      const int across = i / steps;
      const double rise = (i % steps + 0.5) / steps, fall = (across + 0.5) / steps;
      const double prior = std::pow(rise * (1 - rise) * fall * (1 - fall), c - 1);
      double likelihood = 0.5;
      for (std::size_t t = 1; t < x.size(); ++t) {
        const double change = x[t - 1] == 0 ? rise : fall;
        likelihood *= x[t] == x[t - 1] ? 1 - change : change;
      }
      seen += prior * likelihood;
      all += prior;
    }
    const auto predictor = make_ngram_predictor(2, 2, c);
    EXPECT_NEAR(probability_of(*predictor, x, 2) / (seen / all), 1, 1e-4);
  }
}

TEST(NgramPredictors, CountWhatFollowedTheContext) {
  const auto trigram = make_ngram_predictor(3, 3, 1);
  std::vector<double> next(3);
  for (int twice = 0; twice < 2; ++twice) {  // begin() forgets
    trigram->begin();
    for (const Token token : {0, 1, 2, 0, 1, 2, 0, 1, 0, 1})
      trigram->see(static_cast<Token>(token));
    trigram->predict(next);  // after 0 1 came 2, 2 and 0
    EXPECT_DOUBLE_EQ(next[0], 2.0 / 6);
    EXPECT_DOUBLE_EQ(next[1], 1.0 / 6);
    EXPECT_DOUBLE_EQ(next[2], 3.0 / 6);
  }
  trigram->begin();
  trigram->see(2);
  trigram->predict(next);  // no context yet
  EXPECT_DOUBLE_EQ(next[2], 1.0 / 3);
}

TEST(SharedBigram, IsTheBayesPredictorOfTwoDoublyStochasticRows) {
  const std::vector<Token> x = {1, 1, 0, 0, 0, 1, 1, 1, 1, 0};  // 6 stays, 3 switches
  EXPECT_NEAR(probability_of(*make_shared_bigram_predictor(), x, 2), 0.5 * std::beta(7.0, 4.0),
              1e-15);
}

TEST(Predictors, GoFromTheSimplestToTheMostKnowing) {
  const auto names = [](const Task& task) {
    std::string all;
    for (const NamedPredictor& one : task.predictors()) {
      all += one.name + (one.is_ideal ? "! " : " ");
    }
    return all;
  };
  EXPECT_EQ(names(*chains_of(2, 1, MarkovPrior::dirichlet)), "uniform unigram bigram! ");
  EXPECT_EQ(names(*chains_of(3, 3, MarkovPrior::dirichlet)),
            "uniform unigram bigram trigram 4-gram! ");
  EXPECT_EQ(names(*chains_of(2, 1, MarkovPrior::doubly_stochastic)),
            "uniform unigram bigram shared-bigram! ");
  EXPECT_EQ(names(*chains_of(3, 1, MarkovPrior::doubly_stochastic)), "uniform unigram bigram ");
  EXPECT_EQ(names(*made(BlockKind::repeated_blocks)), "bayes! ");
  EXPECT_EQ(names(*made(BlockKind::broken_period)), "");
}

/// The mean loss of each predictor over many sequences.
std::vector<double> losses_of(const Task& task, std::span<const NamedPredictor> predictors) {
  std::vector<double> losses;
  losses.reserve(predictors.size());
  for (const NamedPredictor& one : predictors) {
    double sum = 0;
    for (std::uint64_t i = 0; i < 1000; ++i) {
      sum -= std::log(probability_of(*one.predictor, task.sequence(i), task.vocabulary()));
    }
    losses.push_back(sum / 1000 / static_cast<double>(task.length()));
  }
  return losses;
}

TEST(Predictors, NoneIsBetterThanTheIdealOne) {
  std::vector<std::unique_ptr<Task>> tasks;
  tasks.push_back(chains_of(2, 1, MarkovPrior::dirichlet));
  tasks.push_back(chains_of(4, 1, MarkovPrior::dirichlet, 3));
  tasks.push_back(chains_of(2, 2, MarkovPrior::dirichlet));
  tasks.push_back(chains_of(2, 1, MarkovPrior::doubly_stochastic));
  tasks.push_back(made({BlockKind::repeated_blocks, 3, 60, 4, 12}));
  tasks.push_back(made({BlockKind::unseen_period, 3, 60, 4, 12}));
  tasks.push_back(made({BlockKind::random_repeat, 3, 60, 4, 12}));
  for (const auto& task : tasks) {
    std::vector<NamedPredictor> predictors = task->predictors();
    // Of more than they must know, of less, and with another prior.
    const std::size_t vocabulary = task->vocabulary();
    for (const std::size_t n : {1, 2, 3, 4}) {
      for (const double c : {0.5, 1.0, 3.0}) {
        predictors.push_back({ngram_name(n), make_ngram_predictor(vocabulary, n, c)});
      }
    }
    const std::vector<double> losses = losses_of(*task, predictors);
    const auto ideal = std::ranges::find(predictors, true, &NamedPredictor::is_ideal);
    ASSERT_NE(ideal, predictors.end());
    const double least = losses[static_cast<std::size_t>(ideal - predictors.begin())];
    EXPECT_DOUBLE_EQ(least, *std::ranges::min_element(losses)) << task->profile().description;
  }
}

// Every block of every period, and what it would have shown: nothing but the definition of the task.
double block_probability(std::span<const Token> tokens, std::size_t vocabulary,
                         std::span<const std::size_t> periods) {
  double sum = 0;
  for (const std::size_t period : periods) {
    bool fits = true;
    for (std::size_t t = period; t < tokens.size(); ++t) {
      fits = fits && tokens[t] == tokens[t - period];
    }
    const auto own = static_cast<double>(std::min(period, tokens.size()));
    if (fits) sum += std::pow(static_cast<double>(vocabulary), -own);
  }
  return sum / static_cast<double>(periods.size());
}

TEST(BlockPredictor, SumsOverEveryPeriodThatCouldHaveBeen) {
  const std::vector<Offsets> ranges = {{2, 3}, {5, 7}};
  const std::vector<std::size_t> periods = {2, 3, 5, 6, 7};
  const auto predictor = make_block_predictor(2, ranges);
  std::vector<double> next(2);
  for (std::uint32_t bits = 0; bits < 1U << 12U; ++bits) {
    predictor->begin();
    std::vector<Token> seen;
    for (std::size_t t = 0; t < 12; ++t) {
      const double before = block_probability(seen, 2, periods);
      predictor->predict(next);
      for (Token token = 0; token < 2; ++token) {
        seen.push_back(token);
        // Of what no period gives nothing is known.
        const double expected = before > 0 ? block_probability(seen, 2, periods) / before : 0.5;
        ASSERT_NEAR(next[token], expected, 1e-12) << bits << " at " << t;
        seen.pop_back();
      }
      seen.push_back(bits >> t & 1U);
      predictor->see(seen.back());
    }
  }
}

TEST(BlockPredictor, IsSureInTheSecondHalfOfALongSequence) {
  const auto task = made(BlockKind::repeated_blocks);  // V 256, T 256, periods 16 to 48
  const auto predictor = std::move(task->predictors().front().predictor);
  std::vector<double> next(256);
  for (std::uint64_t i = 0; i < 20; ++i) {
    const auto tokens = task->sequence(i);
    predictor->begin();
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      if (t == 0) {
        predictor->predict(next);
        EXPECT_DOUBLE_EQ(next[tokens[0]], 1.0 / 256);
      }
      if (t >= 128) {
        predictor->predict(next);
        EXPECT_GT(next[tokens[t]], 1 - 1e-9);
      }
      predictor->see(tokens[t]);
    }
  }
}

}  // namespace
}  // namespace lookback::data
