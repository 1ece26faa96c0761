// Parameters and tokens for the tests' programs, and one way to run them in any number type.
#pragma once

#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "lookback/base/random.h"
#include "lookback/model/executor.h"
#include "tests/model/cases.h"

namespace lookback::model::spec {

using Complex = std::complex<double>;
using Numbers = std::vector<double>;

/// Every parameter away from the special value it starts with (a norm's one, a bias's zero), of a
/// size that keeps activations near one. All are floats, so that double and float runs can share
/// them exactly. The gaps of the buffer are zero.
inline Numbers random_parameters(const Program& program, std::uint64_t seed = 1) {
  Numbers buffer(program.buffer_size);
  for (std::size_t p = 0; p < program.parameters.size(); ++p) {
    const ParameterInfo& info = program.parameters[p];
    base::RandomStream random(seed, base::StreamPurpose::test, p);
    const bool sums_inputs =
        info.matrix && info.name.find("embed.W_") != 0 && info.name.find("pos_embed.") != 0;
    const double deviation = sums_inputs   ? 1 / std::sqrt(static_cast<double>(info.rows))
                             : info.matrix ? 1.0
                                           : 0.3;
    const double center = info.start == ParameterInfo::Start::ones ? 1 : 0;
    for (std::size_t i = 0; i < info.size(); ++i) {
      buffer[info.offset + i] = static_cast<float>(center + deviation * random.normal());
    }
  }
  return buffer;
}

/// Uniform tokens [B,T].
inline std::vector<Token> random_tokens(std::size_t vocabulary, std::size_t count,
                                        std::uint64_t seed = 1) {
  base::RandomStream random(seed, base::StreamPurpose::test, 1U << 20);
  std::vector<Token> tokens(count);
  for (Token& token : tokens) token = static_cast<Token>(random.below(vocabulary));
  return tokens;
}

/// A direction in parameter space, every component ~ N(0, 1); zero in the buffer's gaps.
inline Numbers random_direction(const Program& program, std::uint64_t seed) {
  Numbers direction(program.buffer_size);
  base::RandomStream random(seed, base::StreamPurpose::test, 1U << 21);
  for (const ParameterInfo& info : program.parameters) {
    for (std::size_t i = 0; i < info.size(); ++i) direction[info.offset + i] = random.normal();
  }
  return direction;
}

inline double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

inline double norm(std::span<const double> a) { return std::sqrt(dot(a, a)); }

inline Numbers difference(std::span<const double> a, std::span<const double> b) {
  Numbers d;
  for (std::size_t i = 0; i < a.size(); ++i) d.push_back(a[i] - b[i]);
  return d;
}

template <class To, class From>
std::vector<To> as(const std::vector<From>& from) {
  std::vector<To> to;
  to.reserve(from.size());
  for (const From& x : from) to.push_back(static_cast<To>(x));
  return to;
}

/// Largest |a_i - b_i|; infinite when the lengths differ or a number is missing.
inline double distance(const Numbers& a, const Numbers& b) {
  double largest = a.size() == b.size() ? 0 : std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double d = std::abs(a[i] - b[i]);
    if (!(d <= largest)) largest = std::isnan(d) ? std::numeric_limits<double>::infinity() : d;
  }
  return largest;
}

/// The losses' common weight in the tests: not one, so that it cannot be forgotten.
inline constexpr double loss_weight = 0.375;

/// What one forward and backward pass gives. `gradient` is by loss_weight * sum(losses).
template <class N>
struct Outcome {
  std::vector<N> logits;    // [B*T,V]
  std::vector<N> losses;    // [B,T-1]
  std::vector<N> gradient;  // as the parameter buffer
};

template <class N>
Outcome<N> run(const Program& program, std::size_t batch, std::size_t length,
               const std::vector<N>& parameters, const std::vector<Token>& tokens,
               const Taps<N>* taps = nullptr) {
  Executor<N> executor(program, batch, length);
  executor.forward(parameters, tokens, taps);
  Outcome<N> outcome;
  const Matrix<const N> logits = executor.logits();
  outcome.logits.assign(logits.data, logits.data + logits.rows * logits.cols);
  outcome.gradient.resize(program.buffer_size);
  const std::span<const N> losses =
      executor.backward(static_cast<N>(loss_weight), outcome.gradient);
  outcome.losses.assign(losses.begin(), losses.end());
  return outcome;
}

/// A program with everything that it needs to run.
struct Ready {
  explicit Ready(const Case& c)
      : program(compiled(c.architecture)),
        batch(c.batch),
        length(c.length),
        parameters(random_parameters(program)),
        tokens(random_tokens(c.architecture.vocabulary, c.rows())) {}
  explicit Ready(const Architecture& a, std::size_t sequences = 2)
      : Ready(Case{"", a, sequences, a.context, {}}) {}

  template <class N = double>
  Outcome<N> run(const Taps<N>* taps = nullptr) const {
    return spec::run<N>(program, batch, length, as<N>(parameters), tokens, taps);
  }

  Program program;
  std::size_t batch, length;
  Numbers parameters;
  std::vector<Token> tokens;
};

/// d(loss_weight * sum(losses)) / dh of parameters + h * direction, by the complex step
/// Im F(x + i h d) / h (Squire and Trapp 1998): h = 1e-30 vanishes beside x, so nothing cancels and
/// the result is exact to rounding.
inline double complex_step(const Ready& ready, const Numbers& direction,
                           const Taps<Complex>* taps = nullptr) {
  constexpr double h = 1e-30;
  std::vector<Complex> parameters(direction.size());
  for (std::size_t i = 0; i < direction.size(); ++i) {
    parameters[i] = {ready.parameters[i], h * direction[i]};
  }
  Executor<Complex> executor(ready.program, ready.batch, ready.length);
  executor.forward(parameters, ready.tokens, taps);
  Complex sum = 0;
  for (const Complex loss : executor.losses()) sum += loss;
  return loss_weight * sum.imag() / h;
}

/// How far rounding in number type N may take a run from the exact result: norms of the errors.
struct Tolerance {
  double logits = 0;
  double gradient = 0;
};

/// Error = condition x backward error (Higham 2002, section 1.6). The condition is measured: the
/// change of the result when every parameter changes by a random share h, divided by h; h is small
/// enough for the change to be linear and large enough for double's own rounding not to count.
/// The backward error of a step is that of its sums, lambda sqrt(n) u for n terms and unit roundoff
/// u, exceeded with a chance of 2 exp(-lambda^2 / 2) (Higham and Mary, SIAM J. Sci. Comput. 41,
/// 2019). n is the longest sum of the program: over D, H*E, d_mlp, V, or the rows B*T.
template <class N>
Tolerance tolerance(const Ready& ready, const Taps<double>* taps = nullptr) {
  constexpr double lambda = 4;
  constexpr double unit_roundoff = std::numeric_limits<N>::epsilon() / 2;
  constexpr double h = 1e-7;
  std::size_t longest = ready.batch * ready.length;
  for (const SlotInfo& slot : ready.program.slots) longest = std::max(longest, slot.width);
  const double backward = lambda * std::sqrt(static_cast<double>(longest)) * unit_roundoff;

  const Outcome<double> exact = ready.run(taps);
  Tolerance result;
  for (const std::uint64_t seed : {11, 12, 13}) {
    Ready changed = ready;
    const Numbers share = random_direction(ready.program, seed);
    for (std::size_t i = 0; i < share.size(); ++i) changed.parameters[i] *= 1 + h * share[i];
    const Outcome<double> run = changed.run(taps);
    result.logits = std::max(result.logits, norm(difference(run.logits, exact.logits)));
    result.gradient = std::max(result.gradient, norm(difference(run.gradient, exact.gradient)));
  }
  result.logits *= backward / h;
  result.gradient *= backward / h;
  return result;
}

}  // namespace lookback::model::spec
