// The product at the shapes of the article's models: V 256 classes, T 256 positions, D 128 wide,
// heads E 64 wide; and at GPT-2 small's. `useful` counts multiply-adds (as two) where factors and
// result are not structurally zero.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>
#include <vector>

#include "lookback/math/peak.h"
#include "lookback/math/simd.h"

namespace lookback::math {
namespace {

struct Shape {
  const char* name;
  std::size_t m, k, n;
  bool transpose_a = false;
  bool transpose_b = false;
  Part part = Part::dense;
};

constexpr Shape shapes[] = {
    {"query = x W_Q", 256, 128, 64},
    {"output = z W_O", 256, 64, 128},
    {"logits = x W_U", 256, 128, 256},
    {"dx = dlogits W_U^T", 256, 256, 128, false, true},
    {"dx = dquery W_Q^T", 256, 64, 128, false, true},
    {"dW_U = x^T dlogits", 128, 256, 256, true},
    {"dW_Q = x^T dquery", 128, 256, 64, true},
    {"dW_O = z^T dx", 64, 256, 128, true},
    {"scores = query key^T", 256, 64, 256, false, true, Part::lower_result},
    {"z = pattern value", 256, 256, 64, false, false, Part::lower_left},
    {"dvalue = pattern^T dz", 256, 256, 64, true, false, Part::upper_left},
    {"GPT-2 attention output", 1024, 768, 768},
    {"GPT-2 MLP in", 1024, 768, 3072},
    {"GPT-2 MLP out", 1024, 3072, 768},
    {"GPT-2 MLP in, dx", 1024, 3072, 768, false, true},
    {"GPT-2 MLP in, dW", 768, 1024, 3072, true},
};

/// Zeros in what the shape's part says is zero: element (i, k) of A.
void clear_structural_zeros(const Shape& shape, std::vector<float>& a) {
  for (std::size_t i = 0; i < shape.m; ++i) {
    for (std::size_t k = 0; k < shape.k; ++k) {
      const bool zero =
          (shape.part == Part::lower_left && k > i) || (shape.part == Part::upper_left && k < i);
      if (zero) a[shape.transpose_a ? k * shape.m + i : i * shape.k + k] = 0;
    }
  }
}

void multiply(benchmark::State& state, const Shape& shape) {
  std::vector<float> a(shape.m * shape.k, 0.5F);
  const std::vector<float> b(shape.k * shape.n, 0.25F);
  std::vector<float> c(shape.m * shape.n);
  clear_structural_zeros(shape, a);
  const Factor<float> left = shape.transpose_a
                                 ? Factor<float>(a.data(), shape.m, shape.k, 1, shape.m)
                                 : Factor<float>(a.data(), shape.m, shape.k, shape.k, 1);
  const Factor<float> right = shape.transpose_b
                                  ? Factor<float>(b.data(), shape.k, shape.n, 1, shape.k)
                                  : Factor<float>(b.data(), shape.k, shape.n, shape.n, 1);
  const Matrix<float> result = {c.data(), shape.m, shape.n, shape.n};
  for (auto _ : state) {
    simd::matmul(1, left, right, result, Update::set, shape.part);
    benchmark::DoNotOptimize(c.data());
    benchmark::ClobberMemory();
  }
  // A triangle with its diagonal is (T + 1) / 2T of the square.
  const double rows = static_cast<double>(shape.m);
  const double share = shape.part == Part::dense ? 1 : (rows + 1) / (2 * rows);
  const double operations =
      2 * rows * static_cast<double>(shape.k) * static_cast<double>(shape.n) * share;
  state.counters["useful FLOP"] = benchmark::Counter(
      operations, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

void peak(benchmark::State& state) {
  double rate = 0;
  for (auto _ : state) rate = measure_fma_peak(0.001);
  state.counters["FLOP"] =
      benchmark::Counter(rate * 1e9, benchmark::Counter::kDefaults, benchmark::Counter::kIs1000);
}

/// Registered when the program starts; its only use is that.
const bool registered = [] {
  benchmark::RegisterBenchmark("peak/fma", peak);
  for (const Shape& shape : shapes) {
    benchmark::RegisterBenchmark((std::string("matmul/") + shape.name).c_str(),
                                 [shape](benchmark::State& state) { multiply(state, shape); });
  }
  return true;
}();

}  // namespace
}  // namespace lookback::math
