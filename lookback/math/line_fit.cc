#include "lookback/math/line_fit.h"

#include <cassert>
#include <cmath>

#include "lookback/math/quantiles.h"

namespace lookback::math {

double LineFit::slope_half_width() const {
  constexpr double upper_end = 0.975;
  return student_t_quantile(upper_end, count - 2) * slope_error;
}

std::optional<LineFit> fit_line(std::span<const double> x, std::span<const double> y) {
  assert(x.size() == y.size());
  constexpr std::size_t fewest = 3;
  if (x.size() < fewest) return std::nullopt;
  const auto n = static_cast<double>(x.size());
  double mean_x = 0, mean_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += x[i];
    mean_y += y[i];
  }
  mean_x /= n;
  mean_y /= n;
  double xx = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  // All x alike: what is left of their spread is rounding.
  constexpr double least_spread = 1e-12;
  if (!(std::sqrt(xx / n) > least_spread * std::fmax(std::abs(mean_x), least_spread))) {
    return std::nullopt;
  }
  LineFit fit;
  fit.count = x.size();
  fit.slope = xy / xx;
  fit.intercept = mean_y - fit.slope * mean_x;
  double squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double off = y[i] - fit.intercept - fit.slope * x[i];
    squares += off * off;
  }
  fit.residual = std::sqrt(squares / (n - 2));
  fit.slope_error = fit.residual / std::sqrt(xx);
  return fit;
}

}  // namespace lookback::math
