// A mean over sequences and its uncertainty.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace lookback::lens {

/// The t with P(|T| < t) = 0.95 for Student's distribution with `degrees` of freedom: 12.706 for 1,
/// 2.365 for 7, 1.960 for infinitely many. NaN for 0.
double student_t_95(std::size_t degrees);

/// A mean and its standard error. The mean of no values, and the error of fewer than two, are NaN.
struct Estimate {
  double mean = 0;
  double standard_error = 0;
  std::size_t count = 0;  ///< how many independent values, or groups of values, it rests on

  /// Half of the 95% interval: student_t_95(count - 1) standard errors. NaN if `count` is below
  /// two. Exact for normally distributed values; for others, the better the more there are.
  double half_width() const;
  double lower() const { return mean - half_width(); }
  double upper() const { return mean + half_width(); }
};

/// The mean of n independent values: its standard error is s / sqrt(n), with
/// s^2 = sum (x - mean)^2 / (n - 1). Summed in the order of `values`, so that the same values give
/// the same bits.
Estimate estimate(std::span<const double> values);

/// The mean of n values in K independent groups, where values of one group may depend on each other:
/// value i belongs to group i mod K. With d_k the sum of (x - mean) over group k, the standard error is
///   sqrt(K / (K - 1) sum_k d_k^2) / n
/// (the ultimate cluster estimator: Cochran 1977, "Sampling Techniques", chapter 9A). For groups of
/// one size that is the standard error of the mean of K group means; for K = n it is estimate(values).
/// `count` is K. REQUIRES 1 <= groups <= n, or no value.
Estimate estimate(std::span<const double> values, std::size_t groups);

/// The ratio of two means, sum x / sum y, of n pairs in K groups as above (by default each pair is
/// its own group), with the standard error of its linear approximation: that of the mean of x -
/// ratio y, divided by |mean y| (Cochran, section 6.3). A mean of ratios would be dominated by the
/// pairs whose y is close to zero. The approximation is good only if the mean of y is clearly
/// different from zero. REQUIRES as many x as y.
Estimate ratio_estimate(std::span<const double> x, std::span<const double> y);
Estimate ratio_estimate(std::span<const double> x, std::span<const double> y, std::size_t groups);

/// The ratio of the means of n pairs, sum x / sum y, and its 95% interval: every c for which the
/// mean of x - c y is within its half_width of 0, so that c is outside exactly when that mean
/// differs clearly from 0 (Fieller 1954; exact for normal pairs, whatever the ratio).
struct RatioOfMeans {
  double ratio = 0, lower = 0, upper = 0;
};

/// None if, by its own interval, the mean of y is not clearly above 0: nothing then bounds the
/// ratio. REQUIRES as many x as y.
std::optional<RatioOfMeans> ratio_of_means(std::span<const double> x, std::span<const double> y);

/// A share of n trials, and its exact 95% interval (Clopper and Pearson 1934): the shares that give
/// this many hits or more, and this many or fewer, with a probability above 0.025. NaN without
/// trials.
struct Share {
  double share = 0, lower = 0, upper = 0;
};

/// REQUIRES hits <= trials.
Share share_estimate(std::size_t hits, std::size_t trials);

}  // namespace lookback::lens
