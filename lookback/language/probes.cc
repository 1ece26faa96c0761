#include "lookback/language/probes.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lookback/base/random.h"
#include "lookback/data/recall.h"

namespace lookback::language {
namespace {

struct Graded {
  double loss = 0;
  double accuracy = 0;
};

/// Means over some predictions of one sequence.
Graded grade(const ProbeSequence& sequence, std::span<const std::size_t> targets,
             math::Matrix<const float> logits) {
  Graded sum;
  for (const std::size_t target : targets) {
    const std::span<const float> row(logits.row(target - 1), logits.cols);
    const TokenAnswer answer = answer_of(row, sequence.tokens[target]);
    sum.loss -= answer.log_probability;
    sum.accuracy += answer.is_first ? 1 : 0;
  }
  const auto count = static_cast<double>(targets.size());
  return {sum.loss / count, sum.accuracy / count};
}

}  // namespace

ProbeSequence copying_sequence(std::span<const data::Token> plain, std::size_t length,
                               std::uint64_t seed, std::uint64_t index) {
  const std::size_t half = length / 2;
  base::RandomStream stream(seed, base::StreamPurpose::random_copy, index);
  ProbeSequence sequence;
  sequence.tokens.resize(2 * half);
  for (std::size_t t = 0; t < half; ++t) {
    sequence.tokens[t] = sequence.tokens[half + t] = plain[stream.below(plain.size())];
  }
  for (std::size_t t = 1; t < half; ++t) sequence.first.push_back(t);
  for (std::size_t t = half; t < 2 * half; ++t) sequence.second.push_back(t);
  return sequence;
}

ProbeSequence lookup_sequence(std::span<const data::Token> plain, std::size_t length,
                              std::uint64_t seed, std::uint64_t index) {
  const std::size_t pairs = length / 4;
  base::RandomStream stream(seed, base::StreamPurpose::associative_recall, index);
  ProbeSequence sequence;
  sequence.tokens.resize(4 * pairs);
  data::draw_recall(stream, index, plain.size(), pairs, sequence.tokens);
  for (data::Token& token : sequence.tokens) token = plain[token];
  for (std::size_t t = 2 * pairs + 1; t < 4 * pairs; t += 2) sequence.second.push_back(t);
  return sequence;
}

Result<ProbeScores> run_probe(std::span<const ProbeSequence> sequences,
                              const Predictor& predictor) {
  std::vector<std::span<const data::Token>> tokens;
  tokens.reserve(sequences.size());
  for (const ProbeSequence& sequence : sequences) tokens.emplace_back(sequence.tokens);
  const bool copies = !sequences.empty() && !sequences.front().first.empty();
  ProbeScores scores;
  scores.first_loss.resize(copies ? sequences.size() : 0);
  scores.second_loss.resize(sequences.size());
  scores.second_accuracy.resize(sequences.size());
  Status run = predictor.run(tokens, [&](std::size_t i, math::Matrix<const float> logits) {
    const ProbeSequence& sequence = sequences[i];
    if (copies) scores.first_loss[i] = grade(sequence, sequence.first, logits).loss;
    const Graded second = grade(sequence, sequence.second, logits);
    scores.second_loss[i] = second.loss;
    scores.second_accuracy[i] = second.accuracy;
  });
  if (!run) return run.error();
  return scores;
}

TokenAnswer answer_of(std::span<const float> logits, data::Token token) {
  const auto largest = std::ranges::max_element(logits);
  const double top = *largest;
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - top);
  return {static_cast<double>(logits[token]) - top - std::log(sum),
          static_cast<std::size_t>(largest - logits.begin()) == token};
}

}  // namespace lookback::language
