#include "lookback/train/slices.h"

#include <algorithm>
#include <cmath>

#include "lookback/math/simd.h"

namespace lookback::train {
namespace {

constexpr std::size_t largest_slice = 1 << 15;

}  // namespace

std::vector<Slice> cut_into_slices(const model::Program& program) {
  std::vector<Slice> slices;
  for (std::size_t p = 0; p < program.parameters.size(); ++p) {
    const model::ParameterInfo& info = program.parameters[p];
    for (std::size_t done = 0; done < info.size(); done += largest_slice) {
      slices.push_back({p, info.offset + done, std::min(largest_slice, info.size() - done)});
    }
  }
  return slices;
}

double gradient_norm(std::span<const Slice> slices, std::span<const float> gradient,
                     base::Workers& workers) {
  std::vector<double> squares(slices.size());
  workers.run(slices.size(), [&](std::size_t i, std::size_t) {
    squares[i] = math::simd::sum_of_squares(slices[i].of(gradient));
  });
  double sum = 0;
  for (const double square : squares) sum += square;
  return std::sqrt(sum);
}

double clipping_scale(double norm, double clip) {
  return clip > 0 && norm > clip ? clip / norm : 1;
}

}  // namespace lookback::train
