#include "lookback/study/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace lookback::study {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

/// The least for an ordering that is decided by counting seeds alone: by chance five of five are on
/// one side one time in 32, three of three one time in eight.
constexpr std::size_t least_ordered_seeds = 5;

/// A finite value as a number.
std::optional<double> finite_of(const Figure& figure) {
  const double* number = std::get_if<double>(&figure);
  return number != nullptr && std::isfinite(*number) ? std::optional<double>(*number)
                                                     : std::nullopt;
}

/// A value as a number, infinite if a run never reached it.
std::optional<double> number_of(const Figure& figure) {
  return is_never(figure) ? std::optional<double>(infinite) : finite_of(figure);
}

/// One test.
class Decision {
 public:
  explicit Decision(const ClaimTest& test) : test_(test) {}

  TestResult over(std::span<const SeedFigures> seeds) const {
    TestResult result;
    result.test = test_;
    result.logarithmic = is_by_ratio(test_);
    for (const SeedFigures& figures : seeds) result.seeds.push_back(judge(figures, result));
    count(result);
    measure(result);
    conclude(result);
    show(result);
    return result;
  }

 private:
  SeedVerdict judge(const SeedFigures& figures, const TestResult& result) const {
    SeedVerdict seed{figures, std::nullopt, std::nullopt};
    const auto* number = std::get_if<double>(&figures.figure);
    if (figures.has_diverged || (number != nullptr && std::isnan(*number))) return seed;
    if (test_.relation == Relation::present || test_.relation == Relation::absent) {
      const bool never = is_never(figures.figure);
      if (number != nullptr) seed.holds = never == (test_.relation == Relation::absent);
    } else if (test_.relation == Relation::is) {
      const auto* word = std::get_if<std::string>(&figures.figure);
      if (word != nullptr) seed.holds = *word == test_.word;
    } else if (test_.against_other) {
      compare_with_other(seed, result.logarithmic);
    } else {
      compare(seed);
    }
    return seed;
  }

  void compare(SeedVerdict& seed) const {
    const std::optional<double> value = number_of(seed.figures.figure);
    if (!value) return;
    if (test_.relation == Relation::between) {
      seed.holds = *value >= test_.low && *value <= test_.high;
    } else {
      seed.holds = test_.relation == Relation::above ? *value > test_.low : *value < test_.low;
    }
  }

  void compare_with_other(SeedVerdict& seed, bool logarithmic) const {
    const std::optional<double> value = number_of(seed.figures.figure);
    const std::optional<double> other = number_of(seed.figures.other);
    if (!value || !other) return;
    const bool both_came = std::isfinite(*value) && std::isfinite(*other);
    if (!std::isfinite(*value) && !std::isfinite(*other)) return;  // not ordered: neither came
    if (test_.relation == Relation::within) {
      seed.holds = both_came && is_near(*value, *other, logarithmic);
    } else {
      const double bound = test_.times * *other + test_.by;
      seed.holds = test_.relation == Relation::above ? *value > bound : *value < bound;
    }
    if (!both_came) return;
    if (!logarithmic) {
      seed.difference = *value - test_.times * *other;
    } else if (*value > 0 && *other > 0) {
      seed.difference = std::log(*value) - std::log(*other);
    }
  }

  bool is_near(double value, double other, bool logarithmic) const {
    const double reach = logarithmic ? test_.within * other : test_.within;
    return value >= other - reach && value <= other + reach;
  }

  static void count(TestResult& result) {
    for (const SeedVerdict& seed : result.seeds) {
      if (!seed.holds) continue;
      ++result.decided_in;
      if (*seed.holds) ++result.holds_in;
    }
  }

  void measure(TestResult& result) const {
    std::vector<double> values;
    for (const SeedVerdict& seed : result.seeds) {
      const std::optional<double> value = finite_of(seed.figures.figure);
      if (test_.against_other) {
        if (seed.difference) values.push_back(*seed.difference);
      } else if (!seed.figures.has_diverged && value && (!result.logarithmic || *value > 0)) {
        values.push_back(result.logarithmic ? std::log(*value) : *value);
      }
    }
    std::ranges::sort(values);  // so that the order of seeds moves no bit
    result.estimate = lens::estimate(values);
    result.standard_deviation =
        result.estimate.standard_error * std::sqrt(static_cast<double>(result.estimate.count));
  }

  void conclude(TestResult& result) const {
    const bool asks_mean = test_.decided_by == DecidedBy::mean;
    const bool by_mean = asks_mean && !some_never_came(result);
    result.decided_by = by_mean ? DecidedBy::mean : DecidedBy::every_seed;
    const std::size_t seeds = by_mean ? result.estimate.count : result.decided_in;
    const std::size_t missing = result.seeds.size() - seeds;
    std::string left_out;
    if (missing > 0) {
      left_out = fmt::format("; {} of {} seeds cannot be compared", missing, result.seeds.size());
    }
    if (seeds < least_seeds) {
      result.verdict = Verdict::not_decided;
      result.reason =
          fmt::format("{} {} nothing, {} are needed{}", seeds,
                      seeds == 1 ? "seed decides" : "seeds decide", least_seeds, left_out);
      return;
    }
    if (by_mean) {
      conclude_by_mean(result);
    } else if (asks_mean) {
      conclude_by_order(result);
    } else {
      conclude_by_seed(result);
    }
    result.reason += left_out;
  }

  static void conclude_by_seed(TestResult& result) {
    const bool all = result.holds_in == result.decided_in;
    result.verdict = all ? Verdict::supported : Verdict::contradicted;
    result.reason = fmt::format("it holds in {} of {} seeds", result.holds_in, result.decided_in);
  }

  /// Decides a test that asks for a mean when there is none.
  static void conclude_by_order(TestResult& result) {
    const bool all = result.holds_in == result.decided_in, none = result.holds_in == 0;
    const bool enough = result.decided_in >= least_ordered_seeds;
    result.verdict = enough && all    ? Verdict::supported
                     : enough && none ? Verdict::contradicted
                                      : Verdict::not_decided;
    result.reason =
        fmt::format("some runs never came to it, so there is no mean; it holds in {} of {} seeds",
                    result.holds_in, result.decided_in);
    if (!enough) result.reason += fmt::format(", {} that agree are needed", least_ordered_seeds);
  }

  void conclude_by_mean(TestResult& result) const {
    double low = result.estimate.lower(), high = result.estimate.upper();
    if (result.logarithmic) {
      low = std::exp(low);
      high = std::exp(high);
    }
    const Bounds bounds = bounds_of(test_);
    const bool is_below = bounds.low && high < *bounds.low;
    const bool is_above = bounds.high && low > *bounds.high;
    bool holds = bounds.low ? low > *bounds.low : high < *bounds.high;
    if (bounds.is_band()) holds = low >= *bounds.low && high <= *bounds.high;
    result.verdict = holds                  ? Verdict::supported
                     : is_below || is_above ? Verdict::contradicted
                                            : Verdict::not_decided;
    result.reason = fmt::format("the 95% interval over {} seeds {}; it holds in {} of {} seeds",
                                result.estimate.count, place_of_interval(result.verdict),
                                result.holds_in, result.decided_in);
  }

  /// Where the interval that led to a verdict lies.
  std::string place_of_interval(Verdict verdict) const {
    const bool is_supported = verdict == Verdict::supported;
    if (bounds_of(test_).is_band()) {
      if (verdict == Verdict::not_decided) return "crosses an edge of the band";
      return is_supported ? "lies inside the band" : "lies outside the band";
    }
    const std::string bound =
        test_.by == 0 ? "the bound" : fmt::format("the bound of {:g}", test_.by);
    if (verdict == Verdict::not_decided) return "includes " + bound;
    const bool is_above = is_supported == (test_.relation == Relation::above);
    return (is_above ? "lies above " : "lies below ") + bound;
  }

  const ClaimTest& test_;
};

}  // namespace

bool is_never(const Figure& figure) {
  const auto* number = std::get_if<double>(&figure);
  return number != nullptr && *number == infinite;
}

bool some_never_came(const TestResult& result) {
  return std::ranges::any_of(result.seeds, [&](const SeedVerdict& seed) {
    return !seed.figures.has_diverged &&
           (is_never(seed.figures.figure) ||
            (result.test.against_other && is_never(seed.figures.other)));
  });
}

const char* name_of(Verdict verdict) {
  constexpr const char* names[] = {"supported", "contradicted", "not decided",
                                   "not tested at this size"};
  return names[static_cast<std::size_t>(verdict)];
}

Bounds bounds_of(const ClaimTest& test) {
  const bool by_ratio = test.against_other && is_by_ratio(test);
  const double bound = !test.against_other ? test.low : by_ratio ? test.times : test.by;
  const double middle = by_ratio ? 1 : 0;
  switch (test.relation) {
    case Relation::above:
      return {bound, {}};
    case Relation::below:
      return {{}, bound};
    case Relation::between:
    case Relation::exponent:
      return {test.low, test.high};
    case Relation::within:
      return {middle - test.within, middle + test.within};
    case Relation::is:
    case Relation::present:
    case Relation::absent:
      break;
  }
  return {};
}

TestResult decide(const ClaimTest& test, std::span<const SeedFigures> seeds) {
  return Decision(test).over(seeds);
}

Verdict verdict_of(std::span<const TestResult> tests) {
  const auto any = [&](Verdict verdict) {
    return std::ranges::find(tests, verdict, &TestResult::verdict) != tests.end();
  };
  if (any(Verdict::contradicted)) return Verdict::contradicted;
  if (any(Verdict::not_tested)) return Verdict::not_tested;
  return any(Verdict::not_decided) ? Verdict::not_decided : Verdict::supported;
}

}  // namespace lookback::study
