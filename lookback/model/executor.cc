#include "lookback/model/executor.h"

#include <complex>
#include <utility>

#include "lookback/base/require.h"
#include "lookback/model/attention_steps.h"
#include "lookback/model/dense_steps.h"
#include "lookback/model/instrument.h"
#include "lookback/model/visit.h"

namespace lookback::model {

template <class N>
void run_steps(Run<N>& run, std::size_t first_step) {
  const Program& program = run.program();
  for (std::size_t number = first_step; number < program.steps.size(); ++number) {
    std::visit(
        [&](const auto& step) {
          forward(step, run);
          const bool is_whole = program.slots[step.out].step == number;
          if (is_whole) visit(run, step.out, Direction::forward);
        },
        program.steps[number]);
  }
}

template <class N>
Executor<N>::Executor(const Program& program, std::size_t batch, std::size_t length, Keep keep)
    : program_(program),
      run_(program, batch, length, keep),
      losses_(batch * (std::max<std::size_t>(length, 1) - 1)) {
  LOOKBACK_REQUIRE(length >= 1 && length <= program.architecture.context && batch >= 1);
}

template <class N>
void Executor<N>::take_apart(std::vector<std::size_t> steps) {
  if (apart_ == steps) return;
  apart_.reset();  // should memory run out on the way
  run_.set_program(steps.empty() ? program_ : instrumented_.emplace(instrument(program_, steps)));
  apart_ = std::move(steps);
}

template <class N>
void Executor<N>::forward(std::span<const N> parameters, std::span<const Token> tokens,
                          const Taps<N>* taps, std::size_t first_step) {
  take_apart(taps == nullptr ? std::vector<std::size_t>() : taps->steps_apart(first_step));
  run_.parameters = parameters;
  run_.tokens = tokens;
  run_.taps = taps;
  run_steps(run_, first_step);
}

template <class N>
template <class Row>
void Executor<N>::for_each_sequence(Row row) {
  const std::size_t predictions = run_.length - 1;
  const Matrix<N> logits = run_.value(run_.program().logits);
  for (std::size_t b = 0; b < run_.batch; ++b) {
    row(logits.row_block(b * run_.length, predictions),
        run_.tokens.subspan(b * run_.length + 1, predictions),
        std::span<N>(losses_).subspan(b * predictions, predictions));
  }
}

/// The logits are gradients by now.
template <class N>
void Executor<N>::scale_predictions(std::span<const float> of_each) {
  const std::size_t predictions = run_.length - 1;
  const Matrix<N> logits = run_.value(run_.program().logits);
  for (std::size_t i = 0; i < of_each.size(); ++i) {
    const std::size_t row = i / predictions * run_.length + i % predictions;
    if (of_each[i] == 1) continue;
    for (N& number : std::span(logits.row(row), logits.cols)) number *= static_cast<N>(of_each[i]);
  }
}

template <class N>
std::span<const N> Executor<N>::losses() {
  for_each_sequence([](Matrix<N> logits, std::span<const Token> targets, std::span<N> losses) {
    math::cross_entropy<N>(logits, targets, losses);
  });
  return losses_;
}

template <class N>
std::span<const N> Executor<N>::backward(N weight, std::span<N> gradient,
                                         std::span<const float> of_each) {
  run_.start_gradients();
  run_.parameter_gradients = gradient;
  run_.touched[run_.program().logits] = 1;
  for_each_sequence([&](Matrix<N> logits, std::span<const Token> targets, std::span<N> losses) {
    math::cross_entropy_gradient<N>(weight, logits, targets, losses);
    std::fill_n(logits.row(logits.rows), logits.cols, N{});  // the last position predicts nothing
  });
  if (!of_each.empty()) scale_predictions(of_each);
  const Program& program = run_.program();
  for (std::size_t number = program.steps.size(); number-- > 0;) {
    std::visit(
        [&](const auto& step) {
          const bool is_whole = program.slots[step.out].step == number;
          if (is_whole) visit(run_, step.out, Direction::backward);
          model::backward(step, run_);
        },
        program.steps[number]);
  }
  return losses_;
}

template void run_steps(Run<float>&, std::size_t);
template void run_steps(Run<double>&, std::size_t);
template void run_steps(Run<std::complex<double>>&, std::size_t);
template class Executor<float>;
template class Executor<double>;
template class Executor<std::complex<double>>;

}  // namespace lookback::model
