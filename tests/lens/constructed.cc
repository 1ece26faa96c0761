#include "tests/lens/constructed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lookback::lens {
namespace {

using Tokens = std::span<const data::Token>;

/// Seen from a later query, 2 x 6 nats keep position 0 out, and 3.5 are half a tie-break of 7.
double mark(std::size_t t) {
  if (t == 0) return -1;
  return t == 1 ? 1 - 3.5 / 6 : 1;
}

std::vector<double> gram_matrix(const model::TokenCode& code, std::size_t vocabulary) {
  std::vector<std::vector<float>> codes(vocabulary, std::vector<float>(code.width()));
  for (std::size_t x = 0; x < vocabulary; ++x) code.write(x, codes[x]);
  std::vector<double> gram;
  for (const auto& a : codes) {
    for (const auto& b : codes) {
      gram.push_back(std::inner_product(a.begin(), a.end(), b.begin(), 0.0));
    }
  }
  return gram;
}

}  // namespace

model::Construction construction_of(const ConstructedCase& a) {
  model::Construction construction{a.kind, a.vocabulary, a.context, 0, 0};
  const model::Circuit circuit = model::circuit_of(construction);
  construction.d_model = circuit.least_d_model + a.spare;
  construction.d_head = circuit.least_d_head + a.spare;
  return construction;
}

SmallModel make_constructed(const ConstructedCase& a) {
  Result<model::ConstructedModel> constructed = model::construct(construction_of(a));
  if (!constructed) {
    ADD_FAILURE() << constructed.error().message;
    return {};
  }
  Result<model::Program> program = model::compile(constructed->architecture);
  if (!program) return {};
  return {std::move(*program), std::move(constructed->parameters)};
}

std::unique_ptr<data::BlockSource> probe_of(const ConstructedCase& a, data::BlockKind kind) {
  data::BlockTask task;
  task.kind = kind;
  task.vocabulary = a.vocabulary;
  task.length = a.context;
  task.max_period = std::min(task.max_period, a.context / 3);
  task.purpose = base::StreamPurpose::held_out_data;
  auto source = data::make_block_source(task);
  if (!source) ADD_FAILURE() << source.error().message;
  return source ? std::move(*source) : nullptr;
}

Ideal::Ideal(const ConstructedCase& a)
    : kind_(a.kind),
      circuit_(model::circuit_of(construction_of(a))),
      vocabulary_(a.vocabulary),
      gram_(gram_matrix(circuit_.code, a.vocabulary)) {}

/// Of head 0, at query t: what the softmax leaves of offsets 1 and 2, and of 0 where there is no
/// other.
double Ideal::share(std::size_t t, std::size_t offset) const {
  if (t < 2) return offset == t ? 1 : 0;
  if (offset == 1) return circuit_.previous_share;
  return offset == 2 ? circuit_.earlier_share : 0;
}

OwnPattern Ideal::previous_pattern(std::size_t length) const {
  OwnPattern pattern(length);
  for (std::size_t t = 0; t < length; ++t) {
    for (std::size_t offset = 0; offset <= std::min<std::size_t>(t, 2); ++offset) {
      pattern(t, t - offset) = static_cast<float>(share(t, offset));
    }
  }
  return pattern;
}

/// S(c) at query t.
double Ideal::relevance(Tokens tokens, std::size_t t, data::Token c) const {
  double sum = circuit_.current_gain * product(tokens[t], c);
  for (std::size_t i = 0; i <= std::min<std::size_t>(t, 2); ++i) {
    sum += circuit_.previous_gain * share(t, i) * product(tokens[t - i], c);
  }
  return sum;
}

double Ideal::score(Tokens tokens, std::size_t t, std::size_t s) const {
  if (kind_ == model::ConstructionKind::smeared) {
    return circuit_.current_gain * product(tokens[t], tokens[s == 0 ? 0 : s - 1]);
  }
  double sum = 0;
  for (std::size_t i = 0; i <= std::min<std::size_t>(s, 2); ++i) {
    if (share(s, i) > 0) sum += share(s, i) * relevance(tokens, t, tokens[s - i]);
  }
  return sum + circuit_.mark_gain * mark(t) * mark(s);
}

std::vector<OwnPattern> Ideal::patterns(Tokens tokens) const {
  std::vector<OwnPattern> all;
  if (kind_ != model::ConstructionKind::smeared) all.push_back(previous_pattern(tokens.size()));
  OwnPattern& pattern = all.emplace_back(tokens.size());
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    std::vector<double> row(t + 1);
    for (std::size_t s = 0; s <= t; ++s) row[s] = score(tokens, t, s);
    const double most = *std::ranges::max_element(row);
    double sum = 0;
    for (double& value : row) sum += value = std::exp(value - most);
    for (std::size_t s = 0; s <= t; ++s) pattern(t, s) = static_cast<float>(row[s] / sum);
  }
  return all;
}

std::vector<float> Ideal::losses(Tokens tokens, const OwnPattern& pattern) const {
  std::vector<float> losses;
  for (std::size_t t = 0; t + 1 < tokens.size(); ++t) {
    std::vector<double> logits(vocabulary_);
    for (std::size_t v = 0; v < vocabulary_; ++v) {
      const auto token = static_cast<data::Token>(v);
      logits[v] = product(tokens[t], token);  // the direct path
      for (std::size_t s = 0; s <= t; ++s) {
        const auto weight = static_cast<double>(pattern.view()(t, s));
        if (weight > 1e-7) logits[v] += circuit_.copy_gain * weight * product(tokens[s], token);
      }
    }
    const double most = *std::ranges::max_element(logits);
    double sum = 0;
    for (const double logit : logits) sum += std::exp(logit - most);
    losses.push_back(static_cast<float>(most + std::log(sum) - logits[tokens[t + 1]]));
  }
  return losses;
}

}  // namespace lookback::lens
