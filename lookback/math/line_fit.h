// A straight line through points, by least squares.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace lookback::math {

/// y = intercept + slope x.
struct LineFit {
  double slope = 0, intercept = 0;
  double slope_error = 0;  ///< the standard error of the slope
  double residual = 0;     ///< the standard deviation about the line, of n - 2 degrees of freedom
  std::size_t count = 0;   ///< n, the points

  /// Half of the slope's interval of 95%: Student's t of n - 2 degrees of freedom. Exact where the y
  /// are independent and normal about a line, with one variance.
  double slope_half_width() const;
};

/// The line that makes the sum of (y - intercept - slope x)^2 least (Draper and Smith 1998, "Applied
/// Regression Analysis", chapter 1). None of fewer than three points, or where all x are one. Summed in
/// the order given. REQUIRES as many x as y, all finite.
std::optional<LineFit> fit_line(std::span<const double> x, std::span<const double> y);

}  // namespace lookback::math
