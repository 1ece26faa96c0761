#include "lookback/lens/estimate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "lookback/base/require.h"
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
  LOOKBACK_REQUIRE(values.empty() || (groups >= 1 && groups <= values.size()));
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
  LOOKBACK_REQUIRE(x.size() == y.size());
  const double mean = estimate(y).mean;
  const double ratio = estimate(x).mean / mean;
  std::vector<double> residuals;
  residuals.reserve(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) residuals.push_back(x[i] - ratio * y[i]);
  return {ratio, estimate(residuals, groups).standard_error / std::abs(mean), groups};
}

std::optional<RatioOfMeans> ratio_of_means(std::span<const double> x, std::span<const double> y) {
  LOOKBACK_REQUIRE(x.size() == y.size());
  const Estimate of_x = estimate(x), of_y = estimate(y);
  // Also where there is no interval, of fewer than two pairs.
  if (!(of_y.lower() > 0)) return std::nullopt;
  // (mean x - c mean y)^2 = t^2 var(mean of x - c y), a quadratic in c: a c^2 - 2 b c + d = 0.
  double products = 0;
  for (std::size_t i = 0; i < x.size(); ++i) products += (x[i] - of_x.mean) * (y[i] - of_y.mean);
  const auto n = static_cast<double>(x.size());
  const double t = student_t_95(x.size() - 1);
  const double a = of_y.mean * of_y.mean - of_y.half_width() * of_y.half_width();
  const double b = of_x.mean * of_y.mean - t * t * products / (n * (n - 1));
  const double d = of_x.mean * of_x.mean - of_x.half_width() * of_x.half_width();
  const double reach = std::sqrt(std::max(0.0, b * b - a * d));
  return RatioOfMeans{of_x.mean / of_y.mean, (b - reach) / a, (b + reach) / a};
}

Share share_estimate(std::size_t hits, std::size_t trials) {
  LOOKBACK_REQUIRE(hits <= trials);
  if (trials == 0) {
    constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
    return {undefined, undefined, undefined};
  }
  const double share = static_cast<double>(hits) / static_cast<double>(trials);
  const math::ShareInterval interval = math::clopper_pearson_interval(hits, trials, 0.025);
  return {share, interval.lower, interval.upper};
}

}  // namespace lookback::lens
