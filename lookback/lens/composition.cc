#include "lookback/lens/composition.h"

#include <Eigen/Dense>
#include <cmath>
#include <optional>

#include "lookback/base/random.h"
#include "lookback/lens/estimate.h"
#include "lookback/lens/head_weights.h"
#include "lookback/lens/low_rank.h"

namespace lookback::lens {
namespace {

using Matrix = Eigen::MatrixXd;

constexpr std::size_t baseline_draws = 32;

/// One head, and the triangular factors that determine the norms of its weights.
struct Head {
  HeadWeights weights;
  Matrix query_r, key_r, value_r, output_r;  // of W_Q, W_K, W_V and W_O^T
  double qk_norm = 0;                        // |W_Q W_K^T|_F
  double ov_norm = 0;                        // |W_V W_O|_F
};

Head with_norms(const HeadWeights& weights) {
  Head head{weights, {}, {}, {}, {}, 0, 0};
  head.query_r = triangle(weights.query.cast<double>());
  head.key_r = triangle(weights.key.cast<double>());
  head.value_r = triangle(weights.value.cast<double>());
  const Eigen::Index width = weights.value.cols();
  head.output_r = weights.output ? triangle(weights.output->transpose().cast<double>())
                                 : Matrix(Matrix::Identity(width, width));
  head.qk_norm = (head.query_r * head.key_r.transpose()).norm();
  head.ov_norm = (head.value_r * head.output_r.transpose()).norm();
  return head;
}

/// |W_OV reading right|_F / (|W_OV|_F norm), where `right_r` is the triangle of right^T and `norm`
/// is |reading right|_F.
double score(const Head& from, const Weights& reading, const Matrix& right_r, double norm) {
  const double norms = from.ov_norm * norm;
  if (norms == 0) return 0;
  const Matrix read = from.weights.through_output(reading.cast<double>());
  return (from.value_r * read * right_r.transpose()).norm() / norms;
}

double q_score(const Head& from, const Head& to) {
  return score(from, to.weights.query, to.key_r, to.qk_norm);
}
double k_score(const Head& from, const Head& to) {
  return score(from, to.weights.key, to.query_r, to.qk_norm);
}
double v_score(const Head& from, const Head& to) {
  return score(from, to.weights.value, to.output_r, to.ov_norm);
}

/// A head of Gaussian weights; `numbers` is the memory it lives in.
Head random_head(const model::Architecture& architecture, base::RandomStream& stream,
                 std::vector<float>& numbers) {
  const std::size_t size = architecture.d_model * architecture.d_head;
  numbers.resize(4 * size);
  for (float& number : numbers) number = static_cast<float>(stream.normal());
  const auto model_width = static_cast<Eigen::Index>(architecture.d_model);
  const auto head_width = static_cast<Eigen::Index>(architecture.d_head);
  const auto tall = [&](std::size_t index) {
    return Weights(numbers.data() + index * size, model_width, head_width,
                   Eigen::OuterStride<>(head_width));
  };
  const Weights value = architecture.no_ov ? tall(1) : tall(2);
  std::optional<Weights> output;
  if (!architecture.no_ov) {
    output.emplace(numbers.data() + 3 * size, head_width, model_width,
                   Eigen::OuterStride<>(model_width));
  }
  return with_norms({{}, tall(0), tall(1), value, output, 0, std::nullopt});
}

}  // namespace

CompositionBaseline composition_baseline(const model::Architecture& architecture) {
  std::vector<double> scores;
  std::vector<float> from_numbers;
  std::vector<float> to_numbers;
  for (std::size_t draw = 0; draw < baseline_draws; ++draw) {
    base::RandomStream stream(0, base::StreamPurpose::baseline, draw);
    const Head from = random_head(architecture, stream, from_numbers);
    const Head to = random_head(architecture, stream, to_numbers);
    scores.push_back(q_score(from, to));
  }
  const Estimate all = estimate(scores);
  return {all.mean, all.standard_error * std::sqrt(static_cast<double>(all.count)), all.count};
}

Result<Composition> composition(const model::Program& program, std::span<const float> parameters,
                                const CompositionBaseline& baseline) {
  const Result<std::vector<HeadWeights>> weights = find_heads(program, parameters);
  if (!weights) return weights.error();
  std::vector<Head> heads;
  heads.reserve(weights->size());
  for (const HeadWeights& head : *weights) heads.push_back(with_norms(head));
  Composition result{baseline, {}};
  for (const Head& from : heads) {
    for (const Head& to : heads) {
      const HeadPlace places[] = {from.weights.place, to.weights.place};
      if (!comes_before(places[0], places[1], program.architecture.heads)) continue;
      result.pairs.push_back(
          {places[0], places[1], q_score(from, to), k_score(from, to), v_score(from, to)});
    }
  }
  return result;
}

}  // namespace lookback::lens
