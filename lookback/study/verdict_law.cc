// Power laws: how a figure goes with a swept number.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "lookback/math/line_fit.h"
#include "lookback/study/verdict.h"

namespace lookback::study {
namespace {

constexpr double no_number = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t least_values = 3;

/// The logarithm of a run's figure; none where it has no number above 0.
std::optional<double> logarithm_of(const LawRun& run) {
  const double* number = std::get_if<double>(&run.figure);
  if (!run.has_ended || run.has_diverged || number == nullptr) return std::nullopt;
  if (!std::isfinite(*number) || *number <= 0) return std::nullopt;
  return std::log(*number);
}

/// The line through the logarithms of the runs that `takes` accepts.
template <class Takes>
std::optional<math::LineFit> fit_where(std::span<const LawRun> runs, Takes takes) {
  std::vector<double> x, y;
  for (const LawRun& run : runs) {
    const std::optional<double> logarithm = logarithm_of(run);
    if (!logarithm || !takes(run)) continue;
    x.push_back(std::log(run.at));
    y.push_back(*logarithm);
  }
  return math::fit_line(x, y);
}

FittedLaw fitted_law(std::span<const LawRun> runs) {
  FittedLaw law{
      {runs.begin(), runs.end()}, 0, no_number, no_number, no_number, no_number, no_number};
  law.fitted = static_cast<std::size_t>(
      std::ranges::count_if(runs, [](const LawRun& run) { return logarithm_of(run).has_value(); }));
  const auto line = fit_where(runs, [](const LawRun&) { return true; });
  if (!line) return law;
  law.exponent = line->slope;
  law.lower = line->slope - line->slope_half_width();
  law.upper = line->slope + line->slope_half_width();
  law.factor = std::exp(line->intercept);
  law.spread = std::exp(line->residual);
  return law;
}

/// The exponent of each seed by itself.
void fit_seeds(std::span<const LawRun> runs, TestResult& result) {
  std::set<std::uint64_t> seeds;
  for (const LawRun& run : runs) seeds.insert(run.seed);
  for (const std::uint64_t seed : seeds) {
    SeedVerdict verdict{{seed, {}, {}, false}, std::nullopt, std::nullopt};
    const auto line = fit_where(runs, [&](const LawRun& run) { return run.seed == seed; });
    if (line) {
      verdict.figures.figure = line->slope;
      verdict.holds = line->slope >= result.test.low && line->slope <= result.test.high;
      ++result.decided_in;
      result.holds_in += *verdict.holds ? 1 : 0;
    }
    result.seeds.push_back(std::move(verdict));
  }
}

/// "2 of 15 runs never came to it", "1 of 15 runs diverged", ...; empty where all have the figure.
std::string missing_in_words(const FittedLaw& law) {
  std::size_t unended = 0, diverged = 0, never = 0, without = 0;
  for (const LawRun& run : law.runs) {
    if (logarithm_of(run)) continue;
    ++(!run.has_ended         ? unended
       : run.has_diverged     ? diverged
       : is_never(run.figure) ? never
                              : without);
  }
  const std::pair<std::size_t, const char*> kinds[] = {{unended, "not ended"},
                                                       {diverged, "diverged"},
                                                       {never, "never came to it"},
                                                       {without, "no figure above 0"}};
  std::string words;
  for (const auto& [count, kind] : kinds) {
    if (count > 0) words += fmt::format("{}{}: {}", words.empty() ? "" : ", ", kind, count);
  }
  return words;
}

/// Why the law cannot be decided; empty where it can.
std::string obstacle(const TestResult& result) {
  const FittedLaw& law = *result.law;
  std::set<double> values;
  std::set<std::uint64_t> seeds;
  for (const LawRun& run : law.runs) {
    if (!logarithm_of(run)) continue;
    values.insert(run.at);
    seeds.insert(run.seed);
  }
  const bool any_unended = !std::ranges::all_of(law.runs, &LawRun::has_ended);
  if (any_unended) return "not all runs have ended";
  if (law.fitted < law.runs.size() && !result.test.law->skips_missing) {
    return "runs without the figure would bend the fit";
  }
  if (seeds.size() < least_seeds || values.size() < least_values) {
    return fmt::format("{} seeds at {} values decide nothing, {} at {} are needed", seeds.size(),
                       values.size(), least_seeds, least_values);
  }
  return "";
}

void conclude_law(TestResult& result) {
  const FittedLaw& law = *result.law;
  const std::string missing = missing_in_words(law);
  const std::string without =
      missing.empty() ? "" : fmt::format("; of {} runs {}", law.runs.size(), missing);
  const std::string why_not = obstacle(result);
  if (!why_not.empty()) {
    result.verdict = Verdict::not_decided;
    result.reason = why_not + without;
    return;
  }
  const bool inside = law.lower >= result.test.low && law.upper <= result.test.high;
  const bool outside = law.upper < result.test.low || law.lower > result.test.high;
  result.verdict = inside    ? Verdict::supported
                   : outside ? Verdict::contradicted
                             : Verdict::not_decided;
  result.reason = fmt::format("the 95% interval of the exponent over {} runs {}{}", law.fitted,
                              inside    ? "lies inside the band"
                              : outside ? "lies outside the band"
                                        : "crosses an edge of the band",
                              without);
}

std::string law_in_words(const FittedLaw& law) {
  if (std::isnan(law.exponent)) return "no fit";
  return fmt::format("exponent {:.2f} [{:.2f}, {:.2f}]", law.exponent, law.lower, law.upper);
}

}  // namespace

TestResult decide_law(const ClaimTest& test, std::span<const LawRun> runs) {
  TestResult result;
  result.test = test;
  result.decided_by = DecidedBy::fit;
  result.law = fitted_law(runs);
  fit_seeds(runs, result);
  conclude_law(result);
  const FittedLaw& law = *result.law;
  result.shown = {Shown::What::figure, law.exponent, law.lower, law.upper, {test.low, test.high}};
  result.standard_deviation = no_number;
  result.figure = law_in_words(law);
  return result;
}

}  // namespace lookback::study
