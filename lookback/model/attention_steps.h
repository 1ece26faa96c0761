// Forward and backward of the steps of attention, which treat each sequence and head separately.
// Nothing above the diagonal is computed: products name their triangular part.
#pragma once

#include <cmath>

#include "lookback/math/kernels.h"
#include "lookback/model/run.h"

namespace lookback::model {

/// Calls body(sequence, head) for every one of the slot's heads.
template <class N, class Body>
void for_each_head(const Run<N>& run, SlotId slot, Body body) {
  for (std::size_t b = 0; b < run.batch; ++b) {
    for (std::size_t h = 0; h < run.program.slots[slot].heads; ++h) body(b, h);
  }
}

// --- Smear: out_t = s in_t + (1 - s) in_{t-1}, s = 1 / (1 + exp(-logit_h))

template <class N>
N smear_share(const Smear& step, const Run<N>& run, std::size_t head) {
  return N(1) / (N(1) + std::exp(-run.parameter_row(step.logit)[head]));
}

template <class N>
void forward(const Smear& step, Run<N>& run) {
  for_each_head(run, step.out, [&](std::size_t b, std::size_t h) {
    math::smear<N>(smear_share(step, run, h), run.head(step.in, b, h), run.head(step.out, b, h));
  });
}

template <class N>
void backward(const Smear& step, Run<N>& run) {
  const Matrix<N> d_out = run.gradient(step.out);
  const Matrix<N> d_in = run.gradient(step.in);
  for_each_head(run, step.out, [&](std::size_t b, std::size_t h) {
    const N s = smear_share(step, run, h);
    const N d_s =
        math::smear_backward<N>(s, run.head(step.in, b, h), run.head_of(d_out, step.out, b, h),
                                run.head_of(d_in, step.in, b, h));
    run.parameter_gradient_row(step.logit)[h] += s * (N(1) - s) * d_s;
  });
}

// --- Rotate: out_t = R_t in_t; its transpose, the inverse rotation, goes backward

template <class N>
Matrix<const N> angles(const std::vector<N>& table, const Run<N>& run) {
  const std::size_t pairs = run.program.architecture.d_head / 2;
  return {table.data(), run.length, pairs, pairs};
}

template <class N>
void forward(const Rotate& step, Run<N>& run) {
  for_each_head(run, step.out, [&](std::size_t b, std::size_t h) {
    math::rotate<N>(run.head(step.in, b, h), angles(run.cosine, run), angles(run.sine, run),
                    math::Rotation::forward, Update::set, run.head(step.out, b, h));
  });
}

template <class N>
void backward(const Rotate& step, Run<N>& run) {
  const Matrix<N> d_out = run.gradient(step.out);
  const Matrix<N> d_in = run.gradient(step.in);
  for_each_head(run, step.out, [&](std::size_t b, std::size_t h) {
    math::rotate<N>(run.head_of(d_out, step.out, b, h), angles(run.cosine, run),
                    angles(run.sine, run), math::Rotation::inverse, Update::add,
                    run.head_of(d_in, step.in, b, h));
  });
}

// --- Scores: out = query key^T / sqrt(E)

template <class N>
N score_scale(const Run<N>& run) {
  return N(1) / std::sqrt(N(static_cast<double>(run.program.architecture.d_head)));
}

template <class N>
void forward(const Scores& step, Run<N>& run) {
  for_each_head(run, step.out, [&](std::size_t b, std::size_t h) {
    const Factor<N> key = run.head(step.key, b, h);
    math::matmul<N>(score_scale(run), run.head(step.query, b, h), key.transposed(),
                    run.square(step.out, b, h), Update::set, Part::lower_result);
  });
}

template <class N>
void backward(const Scores& step, Run<N>& run) {
  const auto [d_query, query_update] = run.gradient_update(step.query);
  const auto [d_key, key_update] = run.gradient_update(step.key);
  for (std::size_t b = 0; b < run.batch; ++b) {
    for (std::size_t h = 0; h < run.program.slots[step.out].heads; ++h) {
      const Factor<N> d_scores = run.gradient_square(step.out, b, h);
      math::matmul<N>(score_scale(run), d_scores, run.head(step.key, b, h),
                      run.head_of(d_query, step.query, b, h), query_update, Part::lower_left);
      math::matmul<N>(score_scale(run), d_scores.transposed(), run.head(step.query, b, h),
                      run.head_of(d_key, step.key, b, h), key_update, Part::upper_left);
    }
  }
}

// --- Softmax: out = softmax(in), row by row over the past, in place

template <class N>
void forward(const Softmax& step, Run<N>& run) {
  for_each_head(run, step.out, [&](std::size_t b, std::size_t h) {
    math::softmax_causal(run.square(step.out, b, h));
  });
  if (!run.tapped_slot(step.out)) return;
  const Matrix<N> first = run.square(step.out, 0, 0);  // a tap may change it; backward needs it
  const std::size_t heads = run.program.slots[step.out].heads;
  run.kept[step.out].assign(first.data, first.data + run.batch * heads * run.length * run.length);
}

template <class N>
void backward(const Softmax& step, Run<N>& run) {
  const bool tapped = run.tapped_slot(step.out);
  const std::size_t heads = run.program.slots[step.out].heads;
  for_each_head(run, step.out, [&](std::size_t b, std::size_t h) {
    Matrix<N> pattern = run.square(step.out, b, h);
    if (tapped)
      pattern.data = run.kept[step.out].data() + (b * heads + h) * run.length * run.length;
    math::softmax_causal_backward<N>(pattern, run.gradient_square(step.out, b, h));
  });
}

// --- Mix: out = pattern value

template <class N>
void forward(const Mix& step, Run<N>& run) {
  for_each_head(run, step.out, [&](std::size_t b, std::size_t h) {
    math::matmul<N>(N(1), run.square(step.pattern, b, h), run.head(step.value, b, h),
                    run.head(step.out, b, h), Update::set, Part::lower_left);
  });
}

template <class N>
void backward(const Mix& step, Run<N>& run) {
  const Matrix<N> d_out = run.gradient(step.out);
  const auto [d_value, update] = run.gradient_update(step.value);
  for (std::size_t b = 0; b < run.batch; ++b) {
    for (std::size_t h = 0; h < run.program.slots[step.out].heads; ++h) {
      const Matrix<N> d_mixed = run.head_of(d_out, step.out, b, h);
      const Factor<N> value = run.head(step.value, b, h);
      const Factor<N> pattern = run.square(step.pattern, b, h);
      math::matmul<N>(N(1), d_mixed, value.transposed(), run.gradient_square(step.pattern, b, h),
                      Update::set, Part::lower_result);
      math::matmul<N>(N(1), pattern.transposed(), d_mixed, run.head_of(d_value, step.value, b, h),
                      update, Part::upper_left);
    }
  }
}

}  // namespace lookback::model
