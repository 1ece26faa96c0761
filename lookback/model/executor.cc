#include "lookback/model/executor.h"

#include <complex>
#include <utility>

#include "lookback/model/attention_steps.h"
#include "lookback/model/dense_steps.h"
#include "lookback/model/linear_step.h"
#include "lookback/model/rotary.h"
#include "lookback/model/visit.h"

namespace lookback::model {

template <class N>
Executor<N>::Executor(const Program& program, std::size_t batch, std::size_t length, Keep keep)
    : run_(program, batch, length, keep), losses_(batch * (length - 1)) {
  if (program.architecture.positions != Positions::rotary) return;
  auto [cosine, sine] = rotary_tables<N>(program.architecture, length);
  run_.cosine = std::move(cosine);
  run_.sine = std::move(sine);
}

template <class N>
void Executor<N>::forward(std::span<const N> parameters, std::span<const Token> tokens,
                          const Taps<N>* taps, std::size_t first_step) {
  run_.parameters = parameters;
  run_.tokens = tokens;
  run_.taps = taps;
  for (const Step& step : std::span(run_.program.steps).subspan(first_step)) {
    std::visit(
        [&](const auto& s) {
          model::forward(s, run_);
          visit(run_, s.out, Direction::forward);
        },
        step);
  }
}

template <class N>
template <class Row>
void Executor<N>::for_each_sequence(Row row) {
  const std::size_t predictions = run_.length - 1;
  const Matrix<N> logits = run_.value(run_.program.logits);
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
  const Matrix<N> logits = run_.value(run_.program.logits);
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
  run_.touched[run_.program.logits] = 1;
  for_each_sequence([&](Matrix<N> logits, std::span<const Token> targets, std::span<N> losses) {
    math::cross_entropy_gradient<N>(weight, logits, targets, losses);
    std::fill_n(logits.row(logits.rows), logits.cols, N{});  // the last position predicts nothing
  });
  if (!of_each.empty()) scale_predictions(of_each);
  const std::vector<Step>& steps = run_.program.steps;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    std::visit(
        [&](const auto& s) {
          visit(run_, s.out, Direction::backward);
          model::backward(s, run_);
        },
        *step);
  }
  return losses_;
}

template class Executor<float>;
template class Executor<double>;
template class Executor<std::complex<double>>;

}  // namespace lookback::model
