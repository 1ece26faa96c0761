#include "lookback/lens/composition.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "lookback/base/random.h"
#include "lookback/lens/estimate.h"

namespace lookback::lens {
namespace {

using Matrix = Eigen::MatrixXd;
/// A head's columns or rows of a weight matrix, in the parameter buffer.
using Weights =
    Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>,
               Eigen::Unaligned, Eigen::OuterStride<>>;

constexpr std::size_t baseline_draws = 32;

/// R of W = Q R: |W X|_F = |R X|_F for every X, and R is small where W is tall.
Matrix triangle(const Matrix& weights) {
  const Eigen::Index rows = std::min(weights.rows(), weights.cols());
  const Eigen::HouseholderQR<Matrix> qr(weights);
  return qr.matrixQR().topRows(rows).triangularView<Eigen::Upper>();
}

/// The weights of one head and the triangles that carry their norms.
struct Head {
  HeadPlace place;
  Weights query, key, value;      // [D,E]
  std::optional<Weights> output;  // [E,D]; none: the identity's rows from `column`
  Eigen::Index column = 0;
  Matrix query_r, key_r, value_r, output_r;  // of W_Q, W_K, W_V and W_O^T
  double qk_norm = 0;                        // |W_Q W_K^T|_F
  double ov_norm = 0;                        // |W_V W_O|_F
};

void find_norms(Head& head) {
  head.query_r = triangle(head.query.cast<double>());
  head.key_r = triangle(head.key.cast<double>());
  head.value_r = triangle(head.value.cast<double>());
  const Eigen::Index width = head.value.cols();
  head.output_r = head.output ? triangle(head.output->transpose().cast<double>())
                              : Matrix(Matrix::Identity(width, width));
  head.qk_norm = (head.query_r * head.key_r.transpose()).norm();
  head.ov_norm = (head.value_r * head.output_r.transpose()).norm();
}

/// W_O of `from` times `reading` [D,E] of a later head.
Matrix through_stream(const Head& from, const Weights& reading) {
  if (from.output) return from.output->cast<double>() * reading.cast<double>();
  return reading.middleRows(from.column, from.value.cols()).cast<double>();
}

/// |W_OV reading right|_F / (|W_OV|_F norm), where `right_r` is the triangle of right^T and `norm`
/// is |reading right|_F.
double score(const Head& from, const Weights& reading, const Matrix& right_r, double norm) {
  const double norms = from.ov_norm * norm;
  if (norms == 0) return 0;
  return (from.value_r * through_stream(from, reading) * right_r.transpose()).norm() / norms;
}

double q_score(const Head& from, const Head& to) {
  return score(from, to.query, to.key_r, to.qk_norm);
}
double k_score(const Head& from, const Head& to) {
  return score(from, to.key, to.query_r, to.qk_norm);
}
double v_score(const Head& from, const Head& to) {
  return score(from, to.value, to.output_r, to.ov_norm);
}

/// Finds heads' weights by the names that the parameters of a program have.
class HeadFinder {
 public:
  HeadFinder(const model::Program& program, std::span<const float> parameters)
      : program_(program), parameters_(parameters) {}

  Result<std::vector<Head>> find_all() const {
    const model::Architecture& a = program_.architecture;
    std::vector<Head> heads;
    for (std::size_t layer = 0; layer < a.layers; ++layer) {
      for (std::size_t i = 0; i < a.heads_per_layer(); ++i) {
        Result<Head> head = find({layer, i});
        if (!head) return head.error();
        find_norms(*head);
        heads.push_back(std::move(*head));
      }
    }
    return heads;
  }

 private:
  Result<Head> find(HeadPlace place) const {
    const model::Architecture& a = program_.architecture;
    const std::size_t step = place.head / a.heads;
    const std::size_t first = place.head % a.heads * a.d_head;
    const std::string prefix = a.steps == 1 || a.shared_weights
                                   ? fmt::format("blocks.{}.attn.", place.layer)
                                   : fmt::format("blocks.{}.steps.{}.attn.", place.layer, step);
    const auto query = columns(prefix + "W_Q", first);
    const auto key = columns(prefix + "W_K", first);
    const auto value = a.no_ov ? key : columns(prefix + "W_V", first);
    const auto output = a.no_ov ? std::nullopt : rows(prefix + "W_O", first);
    if (!query || !key || !value || (!a.no_ov && !output)) {
      return Error{"found no attention weights " + prefix + "W_Q, W_K, W_V, W_O in the program"};
    }
    return Head{place, *query, *key, *value, output, static_cast<Eigen::Index>(first),
                {},    {},     {},   {},     0,      0};
  }

  std::optional<Weights> columns(const std::string& name, std::size_t first) const {
    const std::size_t width = program_.architecture.d_head;
    const model::ParameterInfo* info = program_.find_parameter(name);
    if (info == nullptr || first + width > info->cols) return std::nullopt;
    return view(info->offset + first, info->rows, width, info->cols);
  }

  std::optional<Weights> rows(const std::string& name, std::size_t first) const {
    const std::size_t height = program_.architecture.d_head;
    const model::ParameterInfo* info = program_.find_parameter(name);
    if (info == nullptr || first + height > info->rows) return std::nullopt;
    return view(info->offset + first * info->cols, height, info->cols, info->cols);
  }

  Weights view(std::size_t offset, std::size_t rows, std::size_t cols, std::size_t stride) const {
    return {parameters_.data() + offset, static_cast<Eigen::Index>(rows),
            static_cast<Eigen::Index>(cols),
            Eigen::OuterStride<>(static_cast<Eigen::Index>(stride))};
  }

  const model::Program& program_;
  std::span<const float> parameters_;
};

bool comes_before(HeadPlace a, HeadPlace b, std::size_t heads_per_step) {
  if (a.layer != b.layer) return a.layer < b.layer;
  return a.head / heads_per_step < b.head / heads_per_step;
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
  Head head{{}, tall(0), tall(1), value, output, 0, {}, {}, {}, {}, 0, 0};
  find_norms(head);
  return head;
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
  if (parameters.size() != program.buffer_size) {
    return Error{fmt::format("found a buffer of {} parameters, allowed {}, the model's",
                             parameters.size(), program.buffer_size)};
  }
  const Result<std::vector<Head>> heads = HeadFinder(program, parameters).find_all();
  if (!heads) return heads.error();
  Composition result{baseline, {}};
  for (const Head& from : *heads) {
    for (const Head& to : *heads) {
      if (!comes_before(from.place, to.place, program.architecture.heads)) continue;
      result.pairs.push_back(
          {from.place, to.place, q_score(from, to), k_score(from, to), v_score(from, to)});
    }
  }
  return result;
}

}  // namespace lookback::lens
