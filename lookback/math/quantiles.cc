#include "lookback/math/quantiles.h"

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>

#include "lookback/base/require.h"

namespace lookback::math {
namespace {

namespace policies = boost::math::policies;

/// Errors do not throw; they give NaN or infinity. And double is not promoted to long double, whose
/// width differs between machines.
using Quiet = policies::policy<
    policies::domain_error<policies::ignore_error>, policies::pole_error<policies::ignore_error>,
    policies::overflow_error<policies::ignore_error>,
    policies::evaluation_error<policies::ignore_error>,
    policies::rounding_error<policies::ignore_error>, policies::promote_double<false>>;

}  // namespace

double student_t_quantile(double probability, std::size_t degrees) {
  LOOKBACK_REQUIRE(degrees > 0 && probability > 0 && probability < 1);
  using Student = boost::math::students_t_distribution<double, Quiet>;
  return boost::math::quantile(Student(static_cast<double>(degrees)), probability);
}

ShareInterval clopper_pearson_interval(std::size_t hits, std::size_t trials, double tail) {
  LOOKBACK_REQUIRE(trials > 0 && hits <= trials && tail > 0 && tail < 0.5);
  using Binomial = boost::math::binomial_distribution<double, Quiet>;
  const auto n = static_cast<double>(trials), k = static_cast<double>(hits);
  return {Binomial::find_lower_bound_on_p(n, k, tail), Binomial::find_upper_bound_on_p(n, k, tail)};
}

}  // namespace lookback::math
