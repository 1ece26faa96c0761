// Forward and backward of Linear: out = in W + b. Where a tap asks for the input of each head by
// itself (hook_q_input, ...) or the output of each head by itself (hook_result), the product is
// taken a head at a time; else in one.
#pragma once

#include <algorithm>

#include "lookback/math/kernels.h"
#include "lookback/model/run.h"
#include "lookback/model/visit.h"

namespace lookback::model {

/// W as the right factor of out = in W.
template <class N>
Factor<N> right_factor(const Linear& step, const Run<N>& run) {
  const Factor<N> weight = run.parameter(step.weight);
  return step.transposed ? weight.transposed() : weight;
}

/// The [T,D] that belongs to one sequence and head in memory laid out [B,H,T,D].
template <class N>
Matrix<N> split_block(std::vector<N>& memory, const Run<N>& run, std::size_t heads,
                      std::size_t sequence, std::size_t head, std::size_t width) {
  const std::size_t block = run.length * width;
  return {memory.data() + (sequence * heads + head) * block, run.length, width, width};
}

template <class N>
void copy(Matrix<const N> from, Matrix<N> to) {
  for (std::size_t r = 0; r < from.rows; ++r) std::copy_n(from.row(r), from.cols, to.row(r));
}

/// Columns of W that make one head's q, k or v: [D,E].
template <class N>
Matrix<N> head_columns(Matrix<N> weight, std::size_t heads, std::size_t head) {
  return weight.columns(head * (weight.cols / heads), weight.cols / heads);
}

/// Rows of W_O that one head writes through: [E,D].
template <class N>
Matrix<N> head_rows(Matrix<N> weight, std::size_t heads, std::size_t head) {
  return weight.row_block(head * (weight.rows / heads), weight.rows / heads);
}

/// What one head's product reads, and what its norm found on the way; all of one sequence.
template <class N>
struct OwnInput {
  std::vector<N> numbers;
  std::vector<N> mean, scale;  ///< [T]
  Matrix<N> normed;            ///< [T,D] in `numbers`: the own stream, normed, with positions
};

template <class N>
OwnInput<N> read_own(const SplitInput& split, Run<N>& run, std::size_t sequence, Matrix<N> own) {
  OwnInput<N> input{
      std::vector<N>(own.rows * own.cols), std::vector<N>(own.rows), std::vector<N>(own.rows), {}};
  input.normed = {input.numbers.data(), own.rows, own.cols, own.cols};
  if (split.norm) {
    const auto& norm = std::get<Normalize>(run.program.steps[*split.norm]);
    const std::span<const N> bias =
        norm.bias ? run.parameter_row(*norm.bias) : std::span<const N>{};
    math::norm_statistics<N>(norm.norm, norm_epsilon, own, input.mean, input.scale);
    math::norm_apply<N>(own, input.mean, input.scale, run.parameter_row(norm.weight), bias,
                        input.normed);
  } else {
    copy<N>(own, input.normed);
  }
  if (split.positions) {
    math::add_to<N>(run.value(*split.positions).row_block(sequence * run.length, run.length),
                    input.normed);
  }
  return input;
}

/// The gradient by the own stream, from that by what the product read; both in `gradient`.
template <class N>
void backward_own(const SplitInput& split, Run<N>& run, std::size_t sequence, Matrix<N> own,
                  const OwnInput<N>& input, Matrix<N> gradient) {
  if (split.positions) {
    math::add_to<N>(gradient,
                    run.gradient(*split.positions).row_block(sequence * run.length, run.length));
  }
  if (!split.norm) return;
  const auto& norm = std::get<Normalize>(run.program.steps[*split.norm]);
  const std::span<const N> weight = run.parameter_row(norm.weight);
  const std::span<N> d_bias = norm.bias ? run.parameter_gradient_row(*norm.bias) : std::span<N>{};
  std::vector<N> d_scale(own.rows);
  math::norm_backward_scale<N>(own, input.mean, input.scale, weight, gradient,
                               run.parameter_gradient_row(norm.weight), d_bias, d_scale);
  std::vector<N> numbers(own.rows * own.cols);
  const Matrix<N> d_own{numbers.data(), own.rows, own.cols, own.cols};
  math::norm_backward_input<N>(norm.norm, own, input.mean, input.scale, input.scale, weight,
                               gradient, d_scale, d_own);
  copy<N>(d_own, gradient);
}

/// out_h = norm(x_h) W_h with x_h the head's own copy of the stream.
template <class N>
void forward_by_input(const Linear& step, Run<N>& run) {
  const SplitInput& split = *step.split_input;
  const SiteInfo& site = run.program.sites[split.site];
  const Matrix<N> stream = run.value(split.stream);
  std::vector<N>& inputs = run.split[step.out];
  inputs.resize(run.rows() * site.heads * stream.cols);
  for (std::size_t b = 0; b < run.batch; ++b) {
    for (std::size_t h = 0; h < site.heads; ++h) {
      const Matrix<N> own = split_block(inputs, run, site.heads, b, h, stream.cols);
      copy<N>(stream.row_block(b * run.length, run.length), own);
      call(run.taps->forward(split.site), site, b, h, own);
      math::matmul<N>(N(1), read_own(split, run, b, own).normed,
                      head_columns(run.parameter(step.weight), site.heads, h),
                      run.head(step.out, b, h), Update::set, Part::dense);
    }
  }
}

template <class N>
void backward_by_input(const Linear& step, Run<N>& run) {
  const SplitInput& split = *step.split_input;
  const SiteInfo& site = run.program.sites[split.site];
  const Matrix<N> d_stream = run.gradient(split.stream);
  std::vector<N> memory(run.length * d_stream.cols);
  const Matrix<N> d_own{memory.data(), run.length, d_stream.cols, d_stream.cols};
  for (std::size_t b = 0; b < run.batch; ++b) {
    for (std::size_t h = 0; h < site.heads; ++h) {
      const Matrix<N> own = split_block(run.split[step.out], run, site.heads, b, h, d_stream.cols);
      const OwnInput<N> input = read_own(split, run, b, own);
      const Matrix<N> d_out = run.head_of(run.gradient(step.out), step.out, b, h);
      math::matmul<N>(N(1), Factor<N>(input.normed).transposed(), d_out,
                      head_columns(run.parameter_gradient(step.weight), site.heads, h), Update::add,
                      Part::dense);
      const Factor<N> weight = head_columns(run.parameter(step.weight), site.heads, h);
      math::matmul<N>(N(1), d_out, weight.transposed(), d_own, Update::set, Part::dense);
      backward_own(split, run, b, own, input, d_own);
      call(run.taps->backward(split.site), site, b, h, d_own);
      math::add_to<N>(d_own, d_stream.row_block(b * run.length, run.length));
    }
  }
}

/// out = sum_h result_h, result_h = in_h W_h shown to the tap by itself.
template <class N>
void forward_by_result(const Linear& step, Run<N>& run) {
  const SiteInfo& site = run.program.sites[*step.result_site];
  const Matrix<N> out = run.value(step.out);
  std::fill_n(out.data, out.rows * out.cols, N{});
  std::vector<N> memory(run.length * out.cols);
  const Matrix<N> result{memory.data(), run.length, out.cols, out.cols};
  for (std::size_t b = 0; b < run.batch; ++b) {
    for (std::size_t h = 0; h < site.heads; ++h) {
      math::matmul<N>(N(1), run.head(step.in, b, h),
                      head_rows(run.parameter(step.weight), site.heads, h), result, Update::set,
                      Part::dense);
      call(run.taps->forward(*step.result_site), site, b, h, result);
      math::add_to<N>(result, out.row_block(b * run.length, run.length));
    }
  }
}

template <class N>
void backward_by_result(const Linear& step, Run<N>& run) {
  const SiteInfo& site = run.program.sites[*step.result_site];
  const Matrix<N> d_out = run.gradient(step.out);
  const Matrix<N> d_in = run.gradient(step.in);
  std::vector<N> memory(run.length * d_out.cols);
  const Matrix<N> d_result{memory.data(), run.length, d_out.cols, d_out.cols};
  for (std::size_t b = 0; b < run.batch; ++b) {
    for (std::size_t h = 0; h < site.heads; ++h) {
      copy<N>(d_out.row_block(b * run.length, run.length), d_result);
      call(run.taps->backward(*step.result_site), site, b, h, d_result);
      const Factor<N> in = run.head(step.in, b, h);
      math::matmul<N>(N(1), in.transposed(), d_result,
                      head_rows(run.parameter_gradient(step.weight), site.heads, h), Update::add,
                      Part::dense);
      const Factor<N> weight = head_rows(run.parameter(step.weight), site.heads, h);
      math::matmul<N>(N(1), d_result, weight.transposed(), run.head_of(d_in, step.in, b, h),
                      Update::add, Part::dense);
    }
  }
}

template <class N>
void backward_at_once(const Linear& step, Run<N>& run) {
  const Factor<N> in = run.value(step.in);
  const Factor<N> d_out = run.gradient(step.out);
  const Matrix<N> d_weight = run.parameter_gradient(step.weight);
  if (step.transposed) {
    math::matmul<N>(N(1), d_out.transposed(), in, d_weight, Update::add, Part::dense);
  } else {
    math::matmul<N>(N(1), in.transposed(), d_out, d_weight, Update::add, Part::dense);
  }
  const auto [d_in, update] = run.gradient_update(step.in);
  math::matmul<N>(N(1), d_out, right_factor(step, run).transposed(), d_in, update, Part::dense);
}

template <class N>
void forward(const Linear& step, Run<N>& run) {
  if (step.split_input && run.tapped(step.split_input->site)) {
    forward_by_input(step, run);
  } else if (step.result_site && run.tapped(*step.result_site)) {
    forward_by_result(step, run);
  } else {
    math::matmul<N>(N(1), run.value(step.in), right_factor(step, run), run.value(step.out),
                    Update::set, Part::dense);
  }
  if (step.bias) math::add_row<N>(run.parameter_row(*step.bias), run.value(step.out));
}

template <class N>
void backward(const Linear& step, Run<N>& run) {
  if (step.bias) {
    math::add_column_sums<N>(run.gradient(step.out), run.parameter_gradient_row(*step.bias));
  }
  if (step.split_input && run.tapped(step.split_input->site)) {
    backward_by_input(step, run);
  } else if (step.result_site && run.tapped(*step.result_site)) {
    backward_by_result(step, run);
  } else {
    backward_at_once(step, run);
  }
}

}  // namespace lookback::model
