#include "lookback/model/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "lookback/base/require.h"

namespace lookback::model {
namespace {

/// The `count` most likely tokens, in ascending order.
std::vector<Token> most_likely(std::span<const float> logits, std::size_t count) {
  std::vector<Token> tokens(logits.size());
  std::iota(tokens.begin(), tokens.end(), Token{0});
  const auto likelier = [&](Token a, Token b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  };
  if (count < tokens.size()) {
    const auto end = tokens.begin() + static_cast<std::ptrdiff_t>(count);
    std::nth_element(tokens.begin(), end, tokens.end(), likelier);
    tokens.resize(count);
    std::ranges::sort(tokens);  // nth_element's order is the library's own
  }
  return tokens;
}

}  // namespace

Token sample(std::span<const float> logits, const Sampling& sampling, base::RandomStream& random) {
  LOOKBACK_REQUIRE(!logits.empty() && sampling.temperature >= 0);
  const auto best = std::ranges::max_element(logits);
  LOOKBACK_REQUIRE(std::isfinite(*best));
  if (sampling.temperature == 0) return static_cast<Token>(best - logits.begin());
  const std::size_t count =
      sampling.top_k == 0 ? logits.size() : std::min(sampling.top_k, logits.size());
  const std::vector<Token> tokens = most_likely(logits, count);
  std::vector<double> until;  // sums of weights, up to and including each token
  double sum = 0;
  for (const Token token : tokens) {
    const double difference = static_cast<double>(logits[token]) - static_cast<double>(*best);
    sum += std::exp(difference / sampling.temperature);
    until.push_back(sum);
  }
  const double drawn = random.uniform() * sum;
  const auto found = std::ranges::upper_bound(until, drawn);
  // Rounding may take the product up to the sum itself.
  const auto index =
      std::min<std::ptrdiff_t>(found - until.begin(), static_cast<std::ptrdiff_t>(count) - 1);
  return tokens[static_cast<std::size_t>(index)];
}

}  // namespace lookback::model
