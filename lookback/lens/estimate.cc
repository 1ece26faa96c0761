#include "lookback/lens/estimate.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>
#include <numeric>
#include <vector>

namespace lookback::lens {
namespace {

/// P(|T| < sqrt(degrees) tan(angle)) as a finite sum, 26.7.3 for odd and 26.7.4 for even degrees.
double student_t_within(std::size_t degrees, double angle) {
  const double square = std::cos(angle) * std::cos(angle);
  const bool odd = degrees % 2 == 1;
  double term = odd ? std::cos(angle) : 1;
  double sum = degrees == 1 ? 0 : term;
  for (std::size_t power = odd ? 3 : 2; power < degrees; power += 2) {
    term *= square * static_cast<double>(power - 1) / static_cast<double>(power);
    sum += term;
  }
  const double even = std::sin(angle) * sum;
  return odd ? 2 / std::numbers::pi * (angle + even) : even;
}

/// The first five terms of 26.7.5, whose error falls with the fifth power of the degrees.
double student_t_about_normal(double degrees) {
  constexpr double x = 1.959963984540054;  // of the normal distribution
  constexpr double s = x * x;
  constexpr double terms[] = {
      x,
      x * (s + 1) / 4,
      x * ((5 * s + 16) * s + 3) / 96,
      x * (((3 * s + 19) * s + 17) * s - 15) / 384,
      x * ((((79 * s + 776) * s + 1482) * s - 1920) * s - 945) / 92160,
  };
  double result = 0;
  for (std::size_t i = std::size(terms); i-- > 0;) result = result / degrees + terms[i];
  return result;
}

/// The probability of `hits` or more in `trials` of probability p.
double at_least(std::size_t hits, std::size_t trials, double p) {
  if (hits == 0) return 1;
  const auto n = static_cast<double>(trials);
  double log_ways = 0;  // to choose k of n
  double sum = 0;
  for (std::size_t k = 1; k <= trials; ++k) {
    const auto x = static_cast<double>(k);
    log_ways += std::log((n - x + 1) / x);
    if (k < hits) continue;
    const double misses = k == trials ? 0 : (n - x) * std::log1p(-p);
    sum += std::exp(log_ways + x * std::log(p) + misses);
  }
  return sum;
}

/// The p with at_least(hits, trials, p) = tail, hits > 0.
double share_with_tail(std::size_t hits, std::size_t trials, double tail) {
  double low = 0, high = 1;
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = (low + high) / 2;
    (at_least(hits, trials, middle) < tail ? low : high) = middle;
  }
  return low;
}

}  // namespace

double student_t_95(std::size_t degrees) {
  constexpr std::size_t many = 100;
  if (degrees == 0) return std::numeric_limits<double>::quiet_NaN();
  if (degrees > many) return student_t_about_normal(static_cast<double>(degrees));
  double low = 0;
  double high = std::numbers::pi / 2;
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = (low + high) / 2;
    (student_t_within(degrees, middle) < 0.95 ? low : high) = middle;
  }
  return std::sqrt(static_cast<double>(degrees)) * std::tan(low);
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

std::optional<RatioOfMeans> ratio_of_means(std::span<const double> x, std::span<const double> y) {
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
  if (trials == 0) {
    constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
    return {undefined, undefined, undefined};
  }
  constexpr double tail = 0.025;
  const double share = static_cast<double>(hits) / static_cast<double>(trials);
  const double lower = hits == 0 ? 0 : share_with_tail(hits, trials, tail);
  const double upper = hits == trials ? 1 : share_with_tail(hits + 1, trials, 1 - tail);
  return {share, lower, upper};
}

}  // namespace lookback::lens
