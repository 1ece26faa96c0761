#include "lookback/lens/estimate.h"

#include <cmath>
#include <limits>
#include <numeric>

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

}  // namespace lookback::lens
