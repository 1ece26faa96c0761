#include "lookback/data/markov_chains.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/base/chi_square.h"

namespace lookback::data {
namespace {

using Sequence = std::vector<Token>;

std::unique_ptr<Task> chains(const MarkovTask& task) {
  auto made = make_markov_chains(task);
  EXPECT_TRUE(made) << made.error().message;
  return made ? std::move(*made) : nullptr;
}

MarkovTask some_task(std::size_t vocabulary, std::size_t order, std::size_t length = 100) {
  return {order, MarkovPrior::dirichlet, 1, {vocabulary, length, 1}};
}

MarkovTask doubly_stochastic(std::size_t vocabulary, std::size_t length = 100) {
  return {1, MarkovPrior::doubly_stochastic, 1, {vocabulary, length, 1}};
}

std::string digits(const Sequence& tokens) {
  std::string text;
  for (const Token token : tokens) text += static_cast<char>('0' + token);
  return text;
}

/// Every sequence of `length` tokens, the last one the quickest to change.
std::vector<Sequence> all_sequences(std::size_t vocabulary, std::size_t length) {
  std::vector<Sequence> all = {{}};
  for (std::size_t t = 0; t < length; ++t) {
    std::vector<Sequence> longer;
    for (const Sequence& one : all) {
      for (Token token = 0; token < vocabulary; ++token) {
        longer.push_back(one);
        longer.back().push_back(token);
      }
    }
    all = std::move(longer);
  }
  return all;
}

/// Whether what is drawn has the probabilities that `expected` gives to whole sequences.
void expect_drawn_as(const MarkovTask& task,
                     const std::function<double(const Sequence&)>& expected) {
  constexpr std::uint64_t draws = 40000;
  const auto source = chains(task);
  std::map<Sequence, std::size_t> counts;
  for (std::uint64_t i = 0; i < draws; ++i) ++counts[source->sequence(i)];
  double sum = 0, all = 0;
  const auto cells = all_sequences(task.sizes.vocabulary, task.sizes.length);
  for (const Sequence& cell : cells) {
    const double probability = expected(cell);
    const double difference = static_cast<double>(counts[cell]) - probability * draws;
    sum += difference * difference / (probability * draws);
    all += probability;
  }
  EXPECT_NEAR(all, 1, 1e-6);
  EXPECT_LT(sum, test::chi_square_limit(cells.size() - 1));
}

/// The integral over Dirichlet rows in closed form: of every context Gamma(Vc) / Gamma(Vc + N) times the
/// product of Gamma(c + N_v) / Gamma(c).
double dirichlet_probability(const MarkovTask& task, const Sequence& tokens) {
  const auto vocabulary = static_cast<double>(task.sizes.vocabulary);
  const auto c = static_cast<double>(task.concentration);
  std::map<Sequence, std::map<Token, double>> counts;
  for (std::size_t t = task.order; t < tokens.size(); ++t) {
    const auto end = tokens.begin() + static_cast<std::ptrdiff_t>(t);
    ++counts[Sequence(end - static_cast<std::ptrdiff_t>(task.order), end)][tokens[t]];
  }
  double log = -static_cast<double>(task.order) * std::log(vocabulary);
  for (const auto& [context, row] : counts) {
    double total = 0;
    for (const auto& [token, count] : row) {
      log += std::lgamma(c + count) - std::lgamma(c);
      total += count;
    }
    log += std::lgamma(vocabulary * c) - std::lgamma(vocabulary * c + total);
  }
  return std::exp(log);
}

TEST(MarkovChains, ASequenceIsAPureFunctionOfSeedAndIndex) {
  for (const MarkovTask& task : {some_task(2, 1), some_task(3, 3), doubly_stochastic(4)}) {
    const auto first = chains(task);
    const auto early = first->sequence(7);
    for (std::uint64_t i = 0; i < 10; ++i) first->sequence(i);
    EXPECT_EQ(first->sequence(7), early);
    EXPECT_EQ(chains(task)->sequence(7), early);
    EXPECT_NE(first->sequence(8), early);
    MarkovTask other = task;
    other.sizes.seed = 2;
    EXPECT_NE(chains(other)->sequence(7), early);
  }
}

// Studies depend on them: a change here changes what every run of this task has learned from.
TEST(MarkovChains, SequencesStayWhatTheyAre) {
  EXPECT_EQ(digits(chains(some_task(2, 1, 40))->sequence(0)),
            "0100010100010001100101000101101001111010");
  EXPECT_EQ(digits(chains(some_task(5, 2, 40))->sequence(3)),
            "0234211422201030204233342224342414131313");
  EXPECT_EQ(digits(chains(doubly_stochastic(3, 40))->sequence(1)),
            "2112002012002012002020111112111120202020");
}

TEST(MarkovChains, RowsAreDirichlet) {
  for (const auto& [vocabulary, order, length, concentration] :
       {std::array<std::size_t, 4>{2, 1, 7, 1}, {3, 1, 5, 2}, {2, 2, 7, 1}, {4, 1, 4, 5}}) {
    MarkovTask task = some_task(vocabulary, order, length);
    task.concentration = concentration;
    expect_drawn_as(task, [&](const Sequence& s) { return dirichlet_probability(task, s); });
  }
}

TEST(MarkovChains, TwoDoublyStochasticRowsStayWithTheSameUniformProbability) {
  expect_drawn_as(doubly_stochastic(2, 7), [](const Sequence& tokens) {
    double stays = 0;
    for (std::size_t t = 1; t < tokens.size(); ++t) stays += tokens[t] == tokens[t - 1] ? 1 : 0;
    return 0.5 * std::beta(stays + 1, 6 - stays + 1);
  });
}

// Three tokens: the mean of P[a,b] P[b,c] over all matrices, four of whose entries are free.
TEST(MarkovChains, DoublyStochasticMatricesAreUniform) {
  constexpr int steps = 40;
  std::map<Sequence, double> sums;
  double matrices = 0;
  const auto value = [](int i) { return (i + 0.5) / steps; };
  for (int i = 0; i < steps * steps * steps * steps; ++i) {
    double p[3][3] = {{value(i % steps), value(i / steps % steps), 0},
                      {value(i / steps / steps % steps), value(i / steps / steps / steps), 0}};
    for (auto* row : {p[0], p[1]}) row[2] = 1 - row[0] - row[1];
    for (int v = 0; v < 3; ++v) p[2][v] = 1 - p[0][v] - p[1][v];
    // Cells that the boundary cuts have their middle on it: half of each is inside.
    double weight = 1;
    for (const double entry : {p[0][2], p[1][2], p[2][0], p[2][1], p[2][2]}) {
      weight *= entry > 1e-9 ? 1 : entry > -1e-9 ? 0.5 : 0;
    }
    if (weight == 0) continue;
    matrices += weight;
    for (Token a = 0; a < 3; ++a) {
      for (Token b = 0; b < 3; ++b) {
        for (Token c = 0; c < 3; ++c) sums[{a, b, c}] += weight * p[a][b] * p[b][c] / 3;
      }
    }
  }
  expect_drawn_as(doubly_stochastic(3, 3),
                  [&](const Sequence& tokens) { return sums[tokens] / matrices; });
}

TEST(MarkovChains, AnswersFollowEarlierShowingsOfTheContext) {
  for (const MarkovTask& task :
       {some_task(2, 1, 30), some_task(2, 3, 30), doubly_stochastic(3, 30)}) {
    const auto source = chains(task);
    const Sequence x = source->sequence(5);
    const Structure structure = source->structure(5);
    EXPECT_EQ(structure.length(), 30U);
    EXPECT_EQ(structure.opening, 30U);
    EXPECT_TRUE(std::ranges::all_of(structure.occurrence, [](auto o) { return !o.has_value(); }));
    const std::size_t n = task.order;
    for (std::size_t t = 0; t < 30; ++t) {
      std::vector<Position> expected;
      for (std::size_t s = n; s <= t && t < 29; ++s) {
        bool is_same = true;
        for (std::size_t i = 0; i < n; ++i) is_same = is_same && x[s - 1 - i] == x[t - i];
        if (is_same) expected.push_back(static_cast<Position>(s));
      }
      EXPECT_TRUE(std::ranges::equal(structure.answers(t), expected)) << t;
    }
  }
}

TEST(MarkovChains, ContextHelpsFromTheFirstRepeatedContextOn) {
  const auto task = chains(some_task(3, 2));
  const TaskProfile& profile = task->profile();
  EXPECT_EQ(profile.name, "markov-chains");
  EXPECT_EQ(profile.helped_first, 2U);
  EXPECT_EQ(profile.helped_from, 2U);
  EXPECT_FALSE(profile.habit);
}

TEST(MarkovChains, RefusesWhatItCannotDraw) {
  const std::vector<std::pair<MarkovTask, std::string>> refused = {
      {some_task(1, 1), "vocabulary"},
      {some_task(257, 1), "65536"},
      {some_task(41, 2), "65536"},
      {some_task(2, 0), "order"},
      {some_task(2, 3, 4), "length is 4"},
      {doubly_stochastic(7), "vocabulary is 7"},
      {some_task(SIZE_MAX, 8), "vocabulary"},
      {some_task(2, 1, SIZE_MAX), "length"}};
  for (const auto& [task, what] : refused) {
    const auto made = make_markov_chains(task);
    ASSERT_FALSE(made) << what;
    EXPECT_NE(made.error().message.find(what), std::string::npos) << made.error().message;
    EXPECT_EQ(made.error().message.find('\n'), std::string::npos);
  }
  for (auto change : {&MarkovTask::order, &MarkovTask::concentration}) {
    MarkovTask task = doubly_stochastic(2);
    task.*change = 2;
    EXPECT_FALSE(make_markov_chains(task));
  }
  EXPECT_TRUE(make_markov_chains(some_task(256, 1)));
  EXPECT_TRUE(make_markov_chains(some_task(40, 2)));
}

TEST(MarkovChains, ItsRowMakesIt) {
  base::KindConfig config(**find_task("markov-chains"));
  EXPECT_EQ(config.integer("order"), 1);
  EXPECT_EQ(config.text("prior"), "dirichlet");
  const auto made = make_task(config, {2, 100, 1});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ((*made)->sequence(3), chains(some_task(2, 1))->sequence(3));
  config.values["prior"] = std::string("doubly-stochastic");
  EXPECT_EQ((*make_task(config, {2, 100, 1}))->sequence(3),
            chains(doubly_stochastic(2))->sequence(3));
}

}  // namespace
}  // namespace lookback::data
