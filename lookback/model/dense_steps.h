// Forward and backward of the steps that treat every position alike. Each backward names the
// forward line that it differentiates; gradients accumulate, because an activation may have several
// readers.
#pragma once

#include <algorithm>
#include <numeric>

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
    std::copy_n(table.data, run.length * table.cols, out.row(b * run.length));
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

// --- Add: out = in_0 + in_1 + ...

template <class N>
void forward(const Add& step, Run<N>& run) {
  math::add<N>(run.value(step.in[0]), run.value(step.in[1]), run.value(step.out));
  for (std::size_t i = 2; i < step.in.size(); ++i) {
    math::add_to<N>(run.value(step.in[i]), run.value(step.out));
  }
}

template <class N>
void backward(const Add& step, Run<N>& run) {
  const Matrix<N> d_out = run.gradient(step.out);
  for (const SlotId in : step.in) {
    // A tap may change one of the two gradients; then each needs its own memory.
    if (run.taps == nullptr && run.program.slots[in].readers == 1) {
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
