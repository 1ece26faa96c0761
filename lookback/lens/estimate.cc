#include "lookback/lens/estimate.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace lookback::lens {

Estimate estimate(std::span<const double> values) {
  constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
  Estimate result{undefined, undefined, values.size()};
  if (values.empty()) return result;
  const auto n = static_cast<double>(values.size());
  result.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() < 2) return result;
  double squares = 0;
  for (const double x : values) squares += (x - result.mean) * (x - result.mean);
  result.standard_error = std::sqrt(squares / ((n - 1) * n));
  return result;
}

Estimate ratio_estimate(std::span<const double> x, std::span<const double> y) {
  const double mean = estimate(y).mean;
  Estimate result = estimate(x);
  result.mean /= mean;
  std::vector<double> residuals;
  for (std::size_t i = 0; i < x.size(); ++i) residuals.push_back(x[i] - result.mean * y[i]);
  result.standard_error = estimate(residuals).standard_error / std::abs(mean);
  return result;
}

}  // namespace lookback::lens
