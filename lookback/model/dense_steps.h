// Forward and backward of the steps that treat every position alike. Each backward names the
// forward line that it differentiates; gradients accumulate, because an activation may have several
// readers.
#pragma once

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "lookback/math/kernels.h"
#include "lookback/model/run.h"
#include "lookback/model/visit.h"

namespace lookback::model {

// --- Embed: out_t = W_E[token_t]

template <class N>
void forward(const Embed& step, Run<N>& run) {
  const Matrix<const N> table = run.parameter(step.table);
  const Matrix<N> out = run.value(step.out);
  for (std::size_t r = 0; r < out.rows; ++r) {
    std::copy_n(table.row(run.tokens[r]), out.cols, out.row(r));
  }
}

template <class N>
void backward(const Embed& step, Run<N>& run) {
  const Matrix<N> d_table = run.parameter_gradient(step.table);
  const Matrix<N> d_out = run.gradient(step.out);
  for (std::size_t r = 0; r < d_out.rows; ++r) {
    math::add_to<N>(d_out.row_block(r, 1), d_table.row_block(run.tokens[r], 1));
  }
}

// --- Position: out_t = W_pos[t]

template <class N>
void forward(const Position& step, Run<N>& run) {
  const Matrix<const N> table = run.parameter(step.table);
  const Matrix<N> out = run.value(step.out);
  for (std::size_t b = 0; b < run.batch; ++b) {
    std::copy_n(table.row(run.first), run.length * table.cols, out.row(b * run.length));
  }
}

template <class N>
void backward(const Position& step, Run<N>& run) {
  const Matrix<N> d_table = run.parameter_gradient(step.table).row_block(0, run.length);
  const Matrix<N> d_out = run.gradient(step.out);
  for (std::size_t b = 0; b < run.batch; ++b) {
    math::add_to<N>(d_out.row_block(b * run.length, run.length), d_table);
  }
}

// --- Add: out = in_0 + in_1 + ... + b

template <class N>
void forward(const Add& step, Run<N>& run) {
  const Matrix<N> out = run.value(step.out);
  if (step.in.size() == 1) {
    copy<N>(run.value(step.in[0]), out);
  } else {
    math::add<N>(run.value(step.in[0]), run.value(step.in[1]), out);
  }
  for (std::size_t i = 2; i < step.in.size(); ++i) math::add_to<N>(run.value(step.in[i]), out);
  if (step.bias) math::add_row<N>(run.parameter_row(*step.bias), out);
}

template <class N>
void backward(const Add& step, Run<N>& run) {
  const Matrix<N> d_out = run.gradient(step.out);
  if (step.bias) math::add_column_sums<N>(d_out, run.parameter_gradient_row(*step.bias));
  for (const SlotId in : step.in) {
    // A tap may change one gradient of the two: then each needs its own memory.
    if (run.taps == nullptr && run.program().slots[in].readers == 1) {
      run.share_gradient(in, step.out);
      continue;
    }
    const auto [d_in, update] = run.gradient_update(in);
    if (update == Update::add) {
      math::add_to<N>(d_out, d_in);
    } else {
      std::copy_n(d_out.data, d_out.rows * d_out.cols, d_in.data);
    }
  }
}

// --- Normalize: out = (in - mean) / scale * weight + bias

template <class N>
std::span<N> column(Matrix<N> m) {
  return {m.data, m.rows};
}

template <class N>
void forward(const Normalize& step, Run<N>& run) {
  const std::span<N> mean = column(run.value(step.mean));
  const std::span<N> scale = column(run.value(step.scale));
  const Matrix<const N> in = run.value(step.in);
  math::norm_statistics<N>(step.norm, norm_epsilon, in, mean, scale);
  visit(run, step.scale, Direction::forward);
  const std::span<const N> bias = step.bias ? run.parameter_row(*step.bias) : std::span<const N>{};
  math::norm_apply<N>(in, mean, scale, run.parameter_row(step.weight), bias, run.value(step.out));
}

template <class N>
void backward(const Normalize& step, Run<N>& run) {
  const std::span<N> mean = column(run.value(step.mean));
  const std::span<N> scale = column(run.value(step.scale));
  const Matrix<const N> in = run.value(step.in);
  const Matrix<const N> d_out = run.gradient(step.out);
  const std::span<N> d_scale = column(run.gradient(step.scale));
  const std::span<const N> weight = run.parameter_row(step.weight);
  const std::span<N> d_bias = step.bias ? run.parameter_gradient_row(*step.bias) : std::span<N>{};
  math::norm_backward_scale<N>(in, mean, scale, weight, d_out,
                               run.parameter_gradient_row(step.weight), d_bias, d_scale);
  std::vector<N> computed;
  if (run.tapped_slot(step.scale)) {  // the tap may have replaced what the statistics found
    computed.resize(run.rows());
    std::vector<N> same_mean(run.rows());
    math::norm_statistics<N>(step.norm, norm_epsilon, in, same_mean, computed);
    visit(run, step.scale, Direction::backward);
  }
  const std::span<const N> computed_scale = computed.empty() ? scale : std::span<N>(computed);
  math::norm_backward_input<N>(step.norm, in, mean, scale, computed_scale, weight, d_out, d_scale,
                               run.gradient(step.in));
}

// --- Linear: out = in W + b, or in W^T + b; of some columns only, where the step names them

template <class Rows>
Rows columns_of(Rows all, const std::optional<Columns>& some) {
  return some ? all.columns(some->first, some->count) : all;
}

template <class N>
std::span<N> columns_of(std::span<N> row, const std::optional<Columns>& some) {
  return some ? row.subspan(some->first, some->count) : row;
}

/// The part of W, or of its gradient, that meets the columns.
template <class N>
Matrix<N> weight_of(const Linear& step, Matrix<N> all) {
  if (step.read) all = all.row_block(step.read->first, step.read->count);
  return columns_of(all, step.written);
}

/// W as the right factor of out = in W.
template <class N>
Factor<N> right_factor(const Linear& step, const Run<N>& run) {
  const Factor<N> weight = weight_of(step, run.parameter(step.weight));
  return step.transposed ? weight.transposed() : weight;
}

template <class N>
void forward(const Linear& step, Run<N>& run) {
  const Matrix<N> in = run.wanted(step.out, columns_of(run.value(step.in), step.read));
  const Matrix<N> out = run.wanted(step.out, columns_of(run.value(step.out), step.written));
  math::matmul<N>(N(1), in, right_factor(step, run), out, Update::set, Part::dense);
  if (step.bias) math::add_row<N>(columns_of(run.parameter_row(*step.bias), step.written), out);
}

template <class N>
void backward(const Linear& step, Run<N>& run) {
  const Matrix<N> d_out = columns_of(run.gradient(step.out), step.written);
  if (step.bias) {
    math::add_column_sums<N>(d_out,
                             columns_of(run.parameter_gradient_row(*step.bias), step.written));
  }
  const Factor<N> in = columns_of(run.value(step.in), step.read);
  const Factor<N> d_out_factor = d_out;
  const Matrix<N> d_weight = weight_of(step, run.parameter_gradient(step.weight));
  if (step.transposed) {
    math::matmul<N>(N(1), d_out_factor.transposed(), in, d_weight, Update::add, Part::dense);
  } else {
    math::matmul<N>(N(1), in.transposed(), d_out, d_weight, Update::add, Part::dense);
  }
  const auto [d_in, update] =
      step.read ? std::pair(run.gradient(step.in), Update::add) : run.gradient_update(step.in);
  math::matmul<N>(N(1), d_out, right_factor(step, run).transposed(), columns_of(d_in, step.read),
                  update, Part::dense);
}

// --- Gelu: out = gelu(in)

template <class N>
void forward(const Gelu& step, Run<N>& run) {
  math::gelu<N>(run.value(step.in), run.value(step.out));
}

template <class N>
void backward(const Gelu& step, Run<N>& run) {
  math::gelu_backward<N>(run.value(step.in), run.gradient(step.out), run.gradient(step.in));
}

}  // namespace lookback::model
