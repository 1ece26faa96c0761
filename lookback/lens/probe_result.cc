#include "lookback/lens/probe_result.h"

#include <utility>

#include "lookback/base/require.h"

namespace lookback::lens {
namespace {

using Sequences = std::vector<SequenceResult>;

void summarize_losses(ProbeResult& result) {
  const Sequences& sequences = result.sequences;
  for (const LossMeasure& measure : loss_measures()) {
    std::vector<double> values;
    for (const SequenceResult& one : sequences) values.push_back(one.loss_scores.*measure.value);
    const Estimate over_sequences = estimate(values);
    result.mean.*measure.value = over_sequences.mean;
    result.standard_error.*measure.value = over_sequences.standard_error;
  }
  const std::size_t predictions = sequences.front().losses.size();
  std::vector<Tally> by_position(predictions);
  std::vector<Tally> by_occurrence;
  for (const SequenceResult& one : sequences) {
    for (std::size_t t = 0; t < predictions; ++t) {
      const float weight = one.weights.empty() ? 1 : one.weights[t];
      by_position[t].add(static_cast<double>(one.losses[t]), static_cast<double>(weight));
    }
    tally_by_occurrence(one.losses, one.weights, one.occurrence, by_occurrence);
  }
  for (const Tally& tally : by_position) result.loss_by_position.push_back(tally.mean());
  for (const Tally& tally : by_occurrence) result.loss_by_occurrence.push_back(tally.mean());
}

Estimate over_sequences(const Sequences& sequences, std::size_t head, const HeadMeasure& measure) {
  std::vector<double> values;
  for (const SequenceResult& one : sequences) {
    if (measure.over_repeated_part && one.repeated_queries == 0) continue;
    values.push_back(one.heads[head].*measure.value);
  }
  return estimate(values);
}

void summarize_heads(ProbeResult& result, std::size_t heads_per_layer) {
  for (std::size_t i = 0; i < result.sequences.front().heads.size(); ++i) {
    HeadSummary summary;
    summary.place = {i / heads_per_layer, i % heads_per_layer};
    for (const HeadMeasure& measure : head_measures()) {
      const Estimate value = over_sequences(result.sequences, i, measure);
      summary.mean.*measure.value = value.mean;
      summary.standard_error.*measure.value = value.standard_error;
      (measure.over_repeated_part ? summary.repeating_sequences : summary.sequences) = value.count;
    }
    result.heads.push_back(summary);
  }
}

void summarize_similarity(ProbeResult& result) {
  const std::size_t heads = result.heads.size();
  const std::size_t pairs = heads * (heads - 1) / 2;
  for (const SequenceResult& one : result.sequences) {
    if (one.similarity.size() != pairs) return;
  }
  result.head_similarity.assign(heads, std::vector<double>(heads, 1.0));
  for (std::size_t j = 1; j < heads; ++j) {
    for (std::size_t i = 0; i < j; ++i) {
      Tally tally;
      for (const SequenceResult& one : result.sequences) {
        tally.add(one.similarity[j * (j - 1) / 2 + i]);
      }
      result.head_similarity[i][j] = result.head_similarity[j][i] = tally.mean();
    }
  }
}

}  // namespace

Estimate HeadSummary::estimate_of(const HeadMeasure& measure) const {
  return {mean.*measure.value, standard_error.*measure.value,
          measure.over_repeated_part ? repeating_sequences : sequences};
}

Estimate ProbeResult::estimate_of(const LossMeasure& measure) const {
  return {mean.*measure.value, standard_error.*measure.value, sequences.size()};
}

ProbeResult summarize(std::vector<SequenceResult> sequences, std::size_t heads_per_layer,
                      const std::optional<InContextPositions>& compared) {
  LOOKBACK_REQUIRE(!sequences.empty() && heads_per_layer > 0);
  ProbeResult result;
  result.sequences = std::move(sequences);
  result.in_context_positions = compared;
  summarize_losses(result);
  summarize_heads(result, heads_per_layer);
  summarize_similarity(result);
  return result;
}

}  // namespace lookback::lens
