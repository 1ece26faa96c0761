// The other kernels at the article's shapes: V 256, T 256, D 128, E 64. Time for one sequence, and
// elements a second.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lookback/math/simd.h"

namespace lookback::math {
namespace {

constexpr std::size_t positions = 256;
constexpr std::size_t width = 128;
constexpr std::size_t head_width = 64;
constexpr std::size_t classes = 256;

/// Buffers for every kernel: numbers in -0.5 .. 0.5, the same in every run.
class Kernels : public benchmark::Fixture {
 public:
  void SetUp(benchmark::State&) override {
    for (std::vector<float>* values : {&x_, &y_, &z_, &row_, &mean_, &scale_, &out_}) {
      std::uint32_t state = 1;
      values->resize(positions * 256);
      for (float& value : *values) {
        state = state * 1664525U + 1013904223U;
        value = static_cast<float>(state >> 8U) * 0x1p-24F - 0.5F;
      }
    }
    for (float& value : scale_) value += 1.5F;
    targets_.assign(positions, 7);
  }

 protected:
  static Matrix<float> seen(std::vector<float>& values, std::size_t cols) {
    return {values.data(), positions, cols, cols};
  }
  static void count(benchmark::State& state, std::size_t elements) {
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(elements));
  }

  std::vector<float> x_, y_, z_, row_, mean_, scale_, out_;
  std::vector<std::uint32_t> targets_;
};

constexpr std::size_t triangle = positions * (positions + 1) / 2;

BENCHMARK_F(Kernels, softmax_causal)(benchmark::State& state) {
  // In place on its own results: the work is the same for all numbers.
  for (auto _ : state) simd::softmax_causal(seen(x_, positions));
  count(state, triangle);
}

BENCHMARK_F(Kernels, softmax_causal_backward)(benchmark::State& state) {
  simd::softmax_causal(seen(x_, positions));
  for (auto _ : state) simd::softmax_causal_backward(seen(x_, positions), seen(y_, positions));
  count(state, triangle);
}

BENCHMARK_F(Kernels, cross_entropy_gradient)(benchmark::State& state) {
  std::vector<float> losses(positions);
  for (auto _ : state) simd::cross_entropy_gradient(1, seen(x_, classes), targets_, losses);
  count(state, positions * classes);
}

BENCHMARK_F(Kernels, norm_statistics)(benchmark::State& state) {
  for (auto _ : state) simd::norm_statistics(Norm::layer, 1e-5, seen(x_, width), mean_, scale_);
  count(state, positions * width);
}

BENCHMARK_F(Kernels, norm_apply)(benchmark::State& state) {
  for (auto _ : state) {
    simd::norm_apply(seen(x_, width), mean_, scale_, row_, row_, seen(y_, width));
  }
  count(state, positions * width);
}

BENCHMARK_F(Kernels, norm_backward_scale)(benchmark::State& state) {
  std::vector<float> d_weight(width), d_bias(width), d_scale(positions);
  for (auto _ : state) {
    simd::norm_backward_scale(seen(x_, width), mean_, scale_, row_, seen(y_, width), d_weight,
                              d_bias, d_scale);
  }
  count(state, positions * width);
}

BENCHMARK_F(Kernels, norm_backward_input)(benchmark::State& state) {
  for (auto _ : state) {
    simd::norm_backward_input(Norm::layer, seen(x_, width), mean_, scale_, scale_, row_,
                              seen(y_, width), mean_, seen(z_, width));
    z_[0] = 0;
  }
  count(state, positions * width);
}

BENCHMARK_F(Kernels, gelu)(benchmark::State& state) {
  for (auto _ : state) simd::gelu(seen(x_, width), seen(y_, width));
  count(state, positions * width);
}

BENCHMARK_F(Kernels, gelu_backward)(benchmark::State& state) {
  for (auto _ : state) simd::gelu_backward(seen(x_, width), seen(y_, width), seen(z_, width));
  count(state, positions * width);
}

BENCHMARK_F(Kernels, rotate)(benchmark::State& state) {
  for (auto _ : state) {
    simd::rotate(seen(x_, head_width), seen(y_, head_width / 2), seen(z_, head_width / 2),
                 Rotation::forward, Update::set, seen(out_, head_width));
  }
  count(state, positions * head_width);
}

BENCHMARK_F(Kernels, smear)(benchmark::State& state) {
  for (auto _ : state) simd::smear(0.3F, seen(x_, head_width), seen(out_, head_width));
  count(state, positions * head_width);
}

BENCHMARK_F(Kernels, smear_backward)(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(simd::smear_backward(0.3F, seen(x_, head_width), seen(y_, head_width),
                                                  seen(out_, head_width)));
  }
  count(state, positions * head_width);
}

BENCHMARK_F(Kernels, add_to)(benchmark::State& state) {
  for (auto _ : state) simd::add_to(seen(x_, width), seen(out_, width));
  count(state, positions * width);
}

BENCHMARK_F(Kernels, add_column_sums)(benchmark::State& state) {
  for (auto _ : state) simd::add_column_sums(seen(x_, width), row_);
  count(state, positions * width);
}

BENCHMARK_F(Kernels, adamw)(benchmark::State& state) {
  for (float& value : z_) value += 0.6F;  // second moments are not negative
  for (auto _ : state) simd::adamw({.learning_rate = 1e-9F}, x_, y_, out_, z_);
  count(state, x_.size());
}

BENCHMARK_F(Kernels, sum_of_squares)(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(simd::sum_of_squares(x_));
  count(state, x_.size());
}

}  // namespace
}  // namespace lookback::math
