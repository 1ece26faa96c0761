#include "lookback/lens/head_weights.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

namespace lookback::lens {
namespace {

using Matrix = Eigen::MatrixXd;

/// s = sigmoid(a_h) of a head, from `smear` [1,H].
std::optional<double> smear_share(const ParameterViews& views, const std::string& prefix,
                                  std::size_t head) {
  const auto logit = views.columns(prefix + "smear", head, 1);
  if (!logit) return std::nullopt;
  return 1 / (1 + std::exp(-static_cast<double>((*logit)(0, 0))));
}

Result<HeadWeights> find_head(const model::Architecture& a, const ParameterViews& views,
                              HeadPlace place) {
  const std::size_t width = a.d_head;
  const std::size_t head = place.head % a.heads;
  const std::size_t first = head * width;
  const std::string prefix = attention_prefix(a, place);
  const auto query = views.columns(prefix + "W_Q", first, width);
  const auto key = views.columns(prefix + "W_K", first, width);
  const auto value = a.no_ov ? key : views.columns(prefix + "W_V", first, width);
  const auto output = a.no_ov ? std::nullopt : views.rows(prefix + "W_O", first, width);
  const auto smear = smear_share(views, prefix, head);
  const bool whole = query && key && value && (a.no_ov || output);
  if (!whole || (a.smeared_keys && !smear)) {
    return Error{"found no attention weights " + prefix + "W_Q, W_K, W_V, W_O in the program"};
  }
  return HeadWeights{place, *query, *key, *value, output, static_cast<Eigen::Index>(first), smear};
}

}  // namespace

Matrix HeadWeights::written() const {
  if (output) return output->cast<double>();
  Matrix rows = Matrix::Zero(value.cols(), value.rows());
  rows.middleCols(column, value.cols()).setIdentity();
  return rows;
}

Matrix HeadWeights::through_output(const Matrix& reading) const {
  if (output) return output->cast<double>() * reading;
  return reading.middleRows(column, value.cols());
}

std::optional<Weights> ParameterViews::whole(std::string_view name) const {
  const model::ParameterInfo* info = program_.find_parameter(name);
  if (info == nullptr) return std::nullopt;
  return view(info->offset, info->rows, info->cols, info->cols);
}

std::optional<Weights> ParameterViews::columns(std::string_view name, std::size_t first,
                                               std::size_t count) const {
  const model::ParameterInfo* info = program_.find_parameter(name);
  if (info == nullptr || first + count > info->cols) return std::nullopt;
  return view(info->offset + first, info->rows, count, info->cols);
}

std::optional<Weights> ParameterViews::rows(std::string_view name, std::size_t first,
                                            std::size_t count) const {
  const model::ParameterInfo* info = program_.find_parameter(name);
  if (info == nullptr || first + count > info->rows) return std::nullopt;
  return view(info->offset + first * info->cols, count, info->cols, info->cols);
}

Weights ParameterViews::view(std::size_t offset, std::size_t rows, std::size_t cols,
                             std::size_t stride) const {
  return {parameters_.data() + offset, static_cast<Eigen::Index>(rows),
          static_cast<Eigen::Index>(cols), Eigen::OuterStride<>(static_cast<Eigen::Index>(stride))};
}

std::string attention_prefix(const model::Architecture& a, HeadPlace place) {
  return a.steps == 1 || a.shared_weights
             ? fmt::format("blocks.{}.attn.", place.layer)
             : fmt::format("blocks.{}.steps.{}.attn.", place.layer, place.head / a.heads);
}

Result<std::vector<HeadWeights>> find_heads(const model::Program& program,
                                            std::span<const float> parameters) {
  if (parameters.size() != program.buffer_size) {
    return Error{fmt::format("found a buffer of {} parameters, allowed {}, the model's",
                             parameters.size(), program.buffer_size)};
  }
  const model::Architecture& a = program.architecture;
  const ParameterViews views(program, parameters);
  std::vector<HeadWeights> heads;
  for (std::size_t layer = 0; layer < a.layers; ++layer) {
    for (std::size_t i = 0; i < a.heads_per_layer(); ++i) {
      Result<HeadWeights> head = find_head(a, views, {layer, i});
      if (!head) return head.error();
      heads.push_back(std::move(*head));
    }
  }
  return heads;
}

bool comes_before(HeadPlace from, HeadPlace to, std::size_t heads_per_step) {
  if (from.layer != to.layer) return from.layer < to.layer;
  return from.head / heads_per_step < to.head / heads_per_step;
}

}  // namespace lookback::lens
