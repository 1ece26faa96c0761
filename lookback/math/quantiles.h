// Quantiles of distributions, computed by Boost.Math.
#pragma once

#include <cstddef>

namespace lookback::math {

/// The t with P(T < t) = `probability`, for Student's distribution of `degrees` of freedom.
/// REQUIRES degrees > 0 and 0 < probability < 1.
double student_t_quantile(double probability, std::size_t degrees);

/// The ends of an interval of shares in [0, 1].
struct ShareInterval {
  double lower = 0, upper = 0;
};

/// The exact interval of a share (Clopper and Pearson, Biometrika 26, 1934) that gave `hits` of
/// `trials`: with the lower end so many hits or more have the probability `tail`, with the upper end so
/// many or fewer. The lower end of no hit is 0, the upper end of all hits is 1.
/// REQUIRES 0 < trials, hits <= trials and 0 < tail < 1/2.
ShareInterval clopper_pearson_interval(std::size_t hits, std::size_t trials, double tail);

}  // namespace lookback::math
