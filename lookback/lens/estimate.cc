#include "lookback/lens/estimate.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "lookback/math/quantiles.h"

namespace lookback::lens {

double student_t_95(std::size_t degrees) {
  if (degrees == 0) return std::numeric_limits<double>::quiet_NaN();
  return math::student_t_quantile(0.975, degrees);
}

double Estimate::half_width() const {
  return student_t_95(count == 0 ? 0 : count - 1) * standard_error;
}

Estimate estimate(std::span<const double> values) { return estimate(values, values.size()); }

Estimate estimate(std::span<const double> values, std::size_t groups) {
  constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
  Estimate result{undefined, undefined, groups};
  if (values.empty()) return result;
  const auto n = static_cast<double>(values.size());
  result.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (groups < 2) return result;
  std::vector<double> deviations(groups);
  for (std::size_t i = 0; i < values.size(); ++i) deviations[i % groups] += values[i] - result.mean;
  double squares = 0;
  for (const double deviation : deviations) squares += deviation * deviation;
  const auto k = static_cast<double>(groups);
  result.standard_error = std::sqrt(squares / ((k - 1) * (n * n / k)));
  return result;
}

Estimate ratio_estimate(std::span<const double> x, std::span<const double> y) {
  return ratio_estimate(x, y, x.size());
}

Estimate ratio_estimate(std::span<const double> x, std::span<const double> y, std::size_t groups) {
  const double mean = estimate(y).mean;
  const double ratio = estimate(x).mean / mean;
  std::vector<double> residuals;
  residuals.reserve(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) residuals.push_back(x[i] - ratio * y[i]);
  return {ratio, estimate(residuals, groups).standard_error / std::abs(mean), groups};
}

Share share_estimate(std::size_t hits, std::size_t trials) {
  if (trials == 0) {
    constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
    return {undefined, undefined, undefined};
  }
  const double share = static_cast<double>(hits) / static_cast<double>(trials);
  const math::ShareInterval interval = math::clopper_pearson_interval(hits, trials, 0.025);
  return {share, interval.lower, interval.upper};
}

}  // namespace lookback::lens
