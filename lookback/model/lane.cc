#include "lookback/model/lane.h"

#include <algorithm>
#include <numeric>
#include <type_traits>

namespace lookback::model {
namespace {

/// Numbers as an observer sees them: in place where they are floats, else a copy.
template <class N>
class Floats {
 public:
  math::Matrix<const float> of(math::Matrix<const N> x) {
    if constexpr (std::is_same_v<N, float>) {
      return x;
    } else {
      numbers_.resize(x.rows * x.cols);
      for (std::size_t r = 0; r < x.rows; ++r) {
        std::transform(x.row(r), x.row(r) + x.cols, numbers_.begin() + r * x.cols,
                       [](N number) { return static_cast<float>(number); });
      }
      return {numbers_.data(), x.rows, x.cols, x.cols};
    }
  }

 private:
  std::vector<float> numbers_;
};

/// Shows an observer what a plan records.
template <class N>
struct Shown {
  Observer& observer;
  std::size_t job;
  Floats<N> floats;

  void operator()(const Tapped& at, math::Matrix<const N> x) {
    observer.activation(job, {at.name, at.head}, floats.of(x));
  }
};

template <class N>
class ExecutorOutput final : public Output {
 public:
  explicit ExecutorOutput(Executor<N>& executor) : executor_(executor) {}

  std::span<const float> losses() override {
    const std::span<const N> losses = executor_.losses();
    return {losses_.of({losses.data(), 1, losses.size(), losses.size()}).data, losses.size()};
  }
  math::Matrix<const float> logits() override { return logits_.of(executor_.logits()); }

 private:
  Executor<N>& executor_;
  Floats<N> losses_, logits_;
};

}  // namespace

template <class N>
Lane<N>::Lane(const Program& program, std::size_t length, Keep keep)
    : program_(program), length_(length), keep_(keep), executor_(program, 1, length, keep) {}

template <class N>
Status Lane<N>::run(std::span<const N> parameters, const Job& job, std::size_t first,
                    const typename PlanTaps<N>::See& see) {
  const Taps<N>* taps = nullptr;
  if (job.plan != nullptr) {
    Status connected = taps_.connect(program_, *job.plan, job.tokens, see);
    if (!connected) return connected;
    taps = &taps_.taps();
  }
  const bool is_same = std::ranges::equal(job.tokens, tokens_);
  const std::size_t start = is_same ? std::min(first, unedited_steps_) : 0;
  tokens_.assign(job.tokens.begin(), job.tokens.end());
  unedited_steps_ = 0;  // should memory run out on the way, nothing is taken for granted
  executor_.forward(parameters, tokens_, taps, start);
  // A tapped input or result of single heads is computed a head at a time, which may round otherwise:
  // what is only recorded counts as edited, so that no later run depends on it.
  if (keep_ == Keep::everything) unedited_steps_ = first;
  return {};
}

template <class N>
Status Lane<N>::forward(std::span<const N> parameters, const Job& job, std::size_t first,
                        std::size_t number, Observer& observer) {
  const typename PlanTaps<N>::See see = Shown<N>{observer, number, {}};
  if (Status ran = run(parameters, job, first, see); !ran) return ran;
  ExecutorOutput<N> output(executor_);
  observer.output(number, output);
  return {};
}

template <class N>
Result<double> Lane<N>::backward(std::span<const N> parameters, const Job& job, N weight,
                                 std::span<N> gradient) {
  const auto nobody = [](const Tapped&, math::Matrix<const N>) {};
  if (Status ran = run(parameters, job, 0, nobody); !ran) return ran.error();
  unedited_steps_ = 0;  // the logits are used up
  const std::span<const N> losses = executor_.backward(weight, gradient, job.weights);
  if (job.weights.empty()) {
    const double sum = std::accumulate(losses.begin(), losses.end(), 0.0);
    return sum / static_cast<double>(losses.size());
  }
  double sum = 0, weights = 0;
  for (std::size_t t = 0; t < losses.size(); ++t) {
    sum += static_cast<double>(job.weights[t]) * static_cast<double>(losses[t]);
    weights += static_cast<double>(job.weights[t]);
  }
  return sum / weights;
}

template class Lane<float>;
template class Lane<double>;

}  // namespace lookback::model
