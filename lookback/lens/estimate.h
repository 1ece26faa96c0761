// A mean over sequences and how well it is known.
#pragma once

#include <cstddef>
#include <span>

namespace lookback::lens {

/// The t with P(|T| < t) = 0.95 for Student's distribution of `degrees` of freedom: 12.706 of 1,
/// 2.365 of 7, 1.960 of infinitely many. Of 0 degrees NaN. To 1e-9: by the distribution's finite
/// sums (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4), and of many degrees by its expansion about
/// the normal one (26.7.5).
double student_t_95(std::size_t degrees);

/// The mean of n values and its standard error, s / sqrt(n) with s^2 = sum (x - mean)^2 / (n - 1).
/// The mean of no value, and the error of fewer than two, are NaN.
struct Estimate {
  double mean = 0;
  double standard_error = 0;
  std::size_t count = 0;  ///< n

  /// Half of the interval of 95%: student_t_95(n - 1) standard errors. NaN of fewer than two values.
  /// Exact for values that are normally distributed; of others the better the more there are.
  double half_width() const;
  double lower() const { return mean - half_width(); }
  double upper() const { return mean + half_width(); }
};

/// Summed in the order of `values`, so that the same values give the same bits.
Estimate estimate(std::span<const double> values);

/// The ratio of two means, sum x / sum y, of n pairs, with the standard error of its linear
/// approximation, s(x - ratio y) / (sqrt(n) |mean y|) (Cochran 1977, "Sampling Techniques", section
/// 6.3). A mean of ratios would be ruled by the pairs whose y is close to zero. It is only as good
/// as the mean of y is known to differ from zero. REQUIRES as many x as y.
Estimate ratio_estimate(std::span<const double> x, std::span<const double> y);

/// A share of n trials, and its exact interval of 95% (Clopper and Pearson 1934): the shares that give
/// so many hits or more, and so many or fewer, with a probability above 0.025. To 1e-9. Of no trial
/// NaN.
struct Share {
  double share = 0, lower = 0, upper = 0;
};

/// REQUIRES hits <= trials. Takes time in proportion to the trials.
Share share_estimate(std::size_t hits, std::size_t trials);

}  // namespace lookback::lens
