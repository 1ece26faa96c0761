#include "lookback/data/markov_chains.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lookback/data/ngram_predictors.h"

namespace lookback::data {
namespace {

constexpr const char* markov_name = "markov-chains";
constexpr std::size_t most_probabilities = 65536;
constexpr std::size_t most_doubly_stochastic = 6;  // more tokens: too many tries a matrix
constexpr std::size_t longest_sequence = std::size_t{1} << 24;

/// A row as its V - 1 inner bounds, ascending: token v has the numbers from bound v - 1 up to bound v.
using Row = std::vector<double>;

Row draw_row(base::RandomStream& stream, std::size_t vocabulary, std::size_t concentration) {
  Row numbers(vocabulary * concentration - 1);
  for (double& number : numbers) number = stream.uniform();
  std::ranges::sort(numbers);
  for (std::size_t v = 1; v < vocabulary; ++v) numbers[v - 1] = numbers[v * concentration - 1];
  numbers.resize(vocabulary - 1);
  return numbers;
}

/// Adds the probabilities of a row to sums [V].
void add_row(const Row& row, std::vector<double>& sums) {
  double below = 0;
  for (std::size_t v = 0; v < row.size(); ++v) {
    sums[v] += row[v] - below;
    below = row[v];
  }
  sums.back() += 1 - below;
}

/// All numbers are multiples of 2^-53 and no sum that is kept exceeds 1, so that nothing is rounded.
std::vector<Row> draw_doubly_stochastic(base::RandomStream& stream, std::size_t vocabulary) {
  std::vector<Row> rows(vocabulary);
  std::vector<double> sums;
  do {
    sums.assign(vocabulary, 0);
    for (std::size_t r = 0; r + 1 < vocabulary; ++r) {
      rows[r] = draw_row(stream, vocabulary, 1);
      add_row(rows[r], sums);
    }
  } while (std::ranges::any_of(sums, [](double sum) { return sum > 1; }));
  Row& last = rows.back();
  double bound = 0;
  last.clear();
  for (std::size_t v = 0; v + 1 < vocabulary; ++v) last.push_back(bound += 1 - sums[v]);
  return rows;
}

/// V^n, the latest token the lowest digit of a context; `most` where it is more.
std::size_t power(std::size_t vocabulary, std::size_t n, std::size_t most) {
  std::size_t result = 1;
  for (std::size_t i = 0; i < n && result < most; ++i) result *= vocabulary;
  return std::min(result, most);
}

class MarkovChains final : public Task {
 public:
  explicit MarkovChains(const MarkovTask& task)
      : task_(task), contexts_(power(task.sizes.vocabulary, task.order, most_probabilities)) {
    const bool doubly = task.prior == MarkovPrior::doubly_stochastic;
    profile_.name = markov_name;
    profile_.description = fmt::format(
        "{}: T = {}, V = {}, order {}, {}", markov_name, length(), vocabulary(), task.order,
        doubly ? "doubly stochastic" : fmt::format("rows ~ Dirichlet({})", task.concentration));
    // From the first n + 1 tokens on, what was seen tells something of the chain.
    profile_.helped_first = task.order;
    profile_.helped_from = task.order;
  }

  std::size_t length() const override { return task_.sizes.length; }
  std::size_t vocabulary() const override { return task_.sizes.vocabulary; }
  const TaskProfile& profile() const override { return profile_; }

  void draw(std::uint64_t index, std::span<Token> tokens) const override {
    base::RandomStream stream(task_.sizes.seed, task_.sizes.purpose, index);
    std::vector<Row> rows(contexts_);
    if (task_.prior == MarkovPrior::doubly_stochastic) {
      rows = draw_doubly_stochastic(stream, vocabulary());
    }
    std::size_t context = 0;
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      tokens[t] = t < task_.order ? static_cast<Token>(stream.below(vocabulary()))
                                  : next_token(stream, rows[context]);
      context = after(context, tokens[t]);
    }
  }

  Structure structure(std::uint64_t index) const override {
    const std::vector<Token> tokens = sequence(index);
    Structure structure(tokens.size());
    std::unordered_map<std::size_t, std::vector<Position>> followed;  // by context, ascending
    std::size_t context = 0;
    for (std::size_t t = 0; t + 1 < tokens.size(); ++t) {
      context = after(context, tokens[t]);
      if (t + 1 < task_.order) continue;
      std::vector<Position>& sources = followed[context];
      for (const Position s : sources) structure.add_answer(t, s);
      sources.push_back(static_cast<Position>(t + 1));
    }
    return structure;
  }

  std::vector<NamedPredictor> predictors() const override {
    const bool doubly = task_.prior == MarkovPrior::doubly_stochastic;
    std::vector<NamedPredictor> all;
    all.push_back({"uniform", make_uniform_predictor(), false});
    for (std::size_t n = 1; n <= task_.order + 1; ++n) {
      all.push_back(
          {ngram_name(n),
           make_ngram_predictor(vocabulary(), n, static_cast<double>(task_.concentration)),
           !doubly && n == task_.order + 1});
    }
    if (doubly && vocabulary() == 2) {
      all.push_back({"shared-bigram", make_shared_bigram_predictor(), true});
    }
    return all;
  }

 private:
  std::size_t after(std::size_t context, Token token) const {
    return (context * vocabulary() + token) % contexts_;
  }

  /// Rows are drawn when they are first needed: of a large vocabulary few are.
  Token next_token(base::RandomStream& stream, Row& row) const {
    if (row.empty()) row = draw_row(stream, vocabulary(), task_.concentration);
    return static_cast<Token>(std::ranges::upper_bound(row, stream.uniform()) - row.begin());
  }

  MarkovTask task_;
  std::size_t contexts_;  // V^n
  TaskProfile profile_;
};

/// What the keys of the row say that contradicts another; the key, and what is wrong. Empty: nothing.
std::pair<const char*, std::string> contradiction(const MarkovTask& task) {
  if (task.prior == MarkovPrior::dirichlet) return {};
  if (task.order != 1) {
    return {"order", fmt::format("is {}; a doubly-stochastic chain has order 1", task.order)};
  }
  if (task.concentration != 1) {
    return {"concentration",
            fmt::format("is {}; doubly-stochastic chains are uniform, with 1", task.concentration)};
  }
  return {};
}

Status check_sizes_of_chain(const MarkovTask& task) {
  const auto [vocabulary, length, seed, purpose] = task.sizes;
  const bool doubly = task.prior == MarkovPrior::doubly_stochastic;
  const auto refused = [&](const std::string& what) {
    return Error{fmt::format("{}: {}", markov_name, what)};
  };
  if (const auto [key, what] = contradiction(task); !what.empty()) {
    return refused(fmt::format("{} {}", key, what));
  }
  if (task.order < 1 || task.concentration < 1) {
    return refused("order and concentration must be at least 1");
  }
  const std::size_t most = doubly ? most_doubly_stochastic : most_probabilities;
  if (vocabulary < 2 || vocabulary > most) {
    return refused(fmt::format("the vocabulary is {}; it must be 2 to {}", vocabulary, most));
  }
  if (power(vocabulary, task.order + 1, most_probabilities + 1) > most_probabilities) {
    return refused(
        fmt::format("a vocabulary of {} and order {} make more than {} transition probabilities",
                    vocabulary, task.order, most_probabilities));
  }
  if (length < task.order + 2 || length > longest_sequence) {
    return refused(fmt::format("the length is {}; it must be {} to {}", length, task.order + 2,
                               longest_sequence));
  }
  return {};
}

MarkovTask markov_task(const base::KindConfig& config, const TaskSizes& sizes) {
  return {
      static_cast<std::size_t>(config.integer("order")),
      config.text("prior") == "dirichlet" ? MarkovPrior::dirichlet : MarkovPrior::doubly_stochastic,
      static_cast<std::size_t>(config.integer("concentration")), sizes};
}

Result<std::unique_ptr<Task>> make_of_row(const base::KindConfig& config, const TaskSizes& sizes) {
  return make_markov_chains(markov_task(config, sizes));
}

void check_keys(const base::KindConfig& config, base::TableReader& table) {
  const auto [key, what] = contradiction(markov_task(config, {}));
  if (!what.empty()) table.fail(key, what);
}

}  // namespace

TaskKind markov_chains_kind() {
  TaskKind row;
  row.name = markov_name;
  row.meaning =
      "a Markov chain of its own for each sequence (Edelman et al. 2024, arXiv 2402.11004)";
  row.keys = {
      {.name = "order",
       .fallback = std::int64_t{1},
       .least = 1,
       .most = 8,
       .meaning = "how many tokens the next one depends on"},
      {.name = "prior",
       .fallback = std::string("dirichlet"),
       .options = {"dirichlet", "doubly-stochastic"},
       .meaning = "what chains are drawn from"},
      {.name = "concentration",
       .fallback = std::int64_t{1},
       .least = 1,
       .most = 64,
       .meaning = "of the Dirichlet prior of each row; 1 is uniform, more is closer to it"}};
  row.make = make_of_row;
  row.probes = {markov_name};
  row.check = check_keys;
  return row;
}

Result<std::unique_ptr<Task>> make_markov_chains(const MarkovTask& task) {
  if (Status status = check_sizes_of_chain(task); !status) return status.error();
  return std::unique_ptr<Task>(std::make_unique<MarkovChains>(task));
}

}  // namespace lookback::data
