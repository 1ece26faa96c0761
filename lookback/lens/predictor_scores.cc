#include "lookback/lens/predictor_scores.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lookback::lens {
namespace {

/// Calls visit(t, probabilities [V]) for each prediction t of a sequence.
template <class Visit>
void walk(data::SequencePredictor& predictor, std::span<const data::Token> tokens,
          std::size_t vocabulary, const Visit& visit) {
  std::vector<double> probabilities(vocabulary);
  predictor.begin();
  for (std::size_t t = 0; t + 1 < tokens.size(); ++t) {
    predictor.see(tokens[t]);
    predictor.predict(probabilities);
    visit(t, std::as_const(probabilities));
  }
}

double counts_of(std::span<const float> weights, std::size_t t) {
  return weights.empty() ? 1 : static_cast<double>(weights[t]);
}

double negative_entropy(std::span<const double> probabilities) {
  double sum = 0;
  for (const double q : probabilities) {
    if (q > 0) sum += q * std::log(q);
  }
  return sum;
}

/// Each measure's mean over sequences and its standard error.
void summarize_losses(std::span<const LossScores> sequences, PredictorScore& score) {
  std::vector<double> values(sequences.size());
  for (const LossMeasure& measure : loss_measures()) {
    std::ranges::transform(sequences, values.begin(),
                           [&](const LossScores& one) { return one.*measure.value; });
    const Estimate over_sequences = estimate(values);
    score.mean.*measure.value = over_sequences.mean;
    score.standard_error.*measure.value = over_sequences.standard_error;
  }
}

}  // namespace

PredictorReference::PredictorReference(const data::Task& probe, std::size_t sequences)
    : probe_(probe) {
  std::vector<data::NamedPredictor> predictors = probe.predictors();
  known_.resize(predictors.size());
  std::vector<std::vector<LossScores>> losses(predictors.size());
  const auto compared = in_context_positions(probe);
  for (std::size_t i = 0; i < sequences && !predictors.empty(); ++i) {
    const std::vector<data::Token> tokens = probe.sequence(i);
    const std::vector<float> weights = probe.weights(i);
    const data::Structure structure = probe.structure(i);
    for (std::size_t p = 0; p < predictors.size(); ++p) {
      std::vector<float> own(tokens.size() - 1);
      Tally entropy;
      walk(*predictors[p].predictor, tokens, probe.vocabulary(),
           [&](std::size_t t, std::span<const double> probabilities) {
             own[t] = static_cast<float>(-std::log(probabilities[tokens[t + 1]]));
             entropy.add(negative_entropy(probabilities), counts_of(weights, t));
           });
      losses[p].push_back(score_losses(own, structure, weights, compared));
      known_[p].negative_entropy.push_back(entropy.mean());
    }
  }
  for (std::size_t p = 0; p < predictors.size(); ++p) {
    known_[p].score.name = std::move(predictors[p].name);
    known_[p].score.is_ideal = predictors[p].is_ideal;
    summarize_losses(losses[p], known_[p].score);
  }
}

std::vector<double> PredictorReference::divergences(std::size_t index,
                                                    std::span<const data::Token> tokens,
                                                    std::span<const float> losses,
                                                    math::Matrix<const float> logits) const {
  std::vector<double> found;
  found.reserve(known_.size());
  const std::vector<data::NamedPredictor> predictors = probe_.predictors();
  const std::vector<float> weights = probe_.weights(index);
  for (std::size_t p = 0; p < predictors.size(); ++p) {
    Tally expected;  // of ln P_v = logit_v - ln sum exp logits, which the loss gives
    walk(*predictors[p].predictor, tokens, probe_.vocabulary(),
         [&](std::size_t t, std::span<const double> probabilities) {
           const float* row = logits.row(t);
           double sum = 0;
           for (std::size_t v = 0; v < probabilities.size(); ++v) {
             sum += probabilities[v] * static_cast<double>(row[v]);
           }
           const double scale =
               static_cast<double>(losses[t]) + static_cast<double>(row[tokens[t + 1]]);
           expected.add(sum - scale, counts_of(weights, t));
         });
    // By Gibbs's inequality it is not below 0: what is below was rounded. NaN stays.
    const double divergence = known_[p].negative_entropy[index] - expected.mean();
    found.push_back(divergence < 0 ? 0 : divergence);
  }
  return found;
}

std::vector<PredictorScore> PredictorReference::scores(
    std::span<const std::vector<double>> divergences) const {
  std::vector<PredictorScore> all;
  all.reserve(known_.size());
  std::vector<double> values(divergences.size());
  for (std::size_t p = 0; p < known_.size(); ++p) {
    std::ranges::transform(divergences, values.begin(),
                           [&](const std::vector<double>& one) { return one[p]; });
    all.push_back(known_[p].score);
    all.back().divergence = estimate(values);
  }
  return all;
}

}  // namespace lookback::lens
