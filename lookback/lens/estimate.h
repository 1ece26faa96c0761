// A mean over sequences and how well it is known.
#pragma once

#include <cstddef>
#include <span>

namespace lookback::lens {

/// The mean of n values and its standard error, s / sqrt(n) with s^2 = sum (x - mean)^2 / (n - 1).
/// The mean of no value, and the error of fewer than two, are NaN.
struct Estimate {
  double mean = 0;
  double standard_error = 0;
  std::size_t count = 0;  ///< n

  /// The interval of 95% in the normal approximation: mean -+ 1.96 standard errors. For few values
  /// use a bootstrap.
  double lower() const { return mean - 1.96 * standard_error; }
  double upper() const { return mean + 1.96 * standard_error; }
};

/// Summed in the order of `values`, so that the same values give the same bits.
Estimate estimate(std::span<const double> values);

/// The ratio of two means, sum x / sum y, of n pairs, with the standard error of its linear
/// approximation, s(x - ratio y) / (sqrt(n) |mean y|) (Cochran 1977, "Sampling Techniques", section
/// 6.3). A mean of ratios would be ruled by the pairs whose y is close to zero. It is only as good
/// as the mean of y is known to differ from zero. REQUIRES as many x as y.
Estimate ratio_estimate(std::span<const double> x, std::span<const double> y);

}  // namespace lookback::lens
