#include "lookback/model/executor.h"

#include <cmath>
#include <complex>

#include "lookback/model/attention_steps.h"
#include "lookback/model/dense_steps.h"
#include "lookback/model/linear_step.h"
#include "lookback/model/visit.h"

namespace lookback::model {

template <class N>
Executor<N>::Executor(const Program& program, std::size_t batch, std::size_t length)
    : run_(program, batch, length), losses_(batch * (length - 1)) {
  if (program.architecture.positions == Positions::rotary) make_rotary_tables();
}

/// Angle of pair i at position t: t / base^(2 i / E). Su et al. 2021.
template <class N>
void Executor<N>::make_rotary_tables() {
  const Architecture& a = run_.program.architecture;
  const std::size_t pairs = a.d_head / 2;
  for (std::size_t t = 0; t < run_.length; ++t) {
    for (std::size_t i = 0; i < pairs; ++i) {
      const double share = static_cast<double>(i) / static_cast<double>(pairs);
      const double angle = static_cast<double>(t) * std::pow(a.rotary_base, -share);
      run_.cosine.push_back(static_cast<N>(std::cos(angle)));
      run_.sine.push_back(static_cast<N>(std::sin(angle)));
    }
  }
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

template <class N>
std::span<const N> Executor<N>::losses() {
  for_each_sequence([](Matrix<N> logits, std::span<const Token> targets, std::span<N> losses) {
    math::cross_entropy<N>(logits, targets, losses);
  });
  return losses_;
}

template <class N>
std::span<const N> Executor<N>::backward(N weight, std::span<N> gradient) {
  run_.start_gradients();
  run_.parameter_gradients = gradient;
  run_.touched[run_.program.logits] = 1;
  for_each_sequence([&](Matrix<N> logits, std::span<const Token> targets, std::span<N> losses) {
    math::cross_entropy_gradient<N>(weight, logits, targets, losses);
    std::fill_n(logits.row(logits.rows), logits.cols, N{});  // the last position predicts nothing
  });
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
